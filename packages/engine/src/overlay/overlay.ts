import { assert, type CollectionDefinition, type PrimaryKey, type SingleOp, type StoredValue, type Timestamp } from '@terndb/core';
import type { Kernel } from '@terndb/kernel';
import { collabFieldsOf } from '../collab/load.ts';
import type { CollabKind } from '../collab/types.ts';
import { FoldedRow } from '../fold/folded-row.ts';
import type { EntityStamps } from '../fold/registers.ts';
import { GrowingRows } from '../growing/growing.ts';
import { vectorSample } from '../growing/vector-sample.ts';
import { BlockState } from '../replica/block-state.ts';
import type { Entities, RowPlace } from '../replica/entities.ts';
import type { OverlayEntry } from '../replication/types.ts';
import { BlockMask } from './block-mask.ts';
import { opsByKey, opsBytes, opsOf } from './entry-ops.ts';
import { insertWrite, type KeyWrite, sameState, type Touched } from './touched.ts';

/** The overlay's block is written anew when so many of its rows, and more than half, are dead: rows cost memory and a pass over them. */
const MIN_DEAD_ROWS = 256;

/**
 * The outbox over a replica (design 3, R4): for each key with unconfirmed writes, the row that the log would have if they were appended next, in
 * a block of its own; the base's row is masked. The base itself is never changed. Whatever changes the base or the entries names the keys it
 * touches; `settle` folds those anew, and nothing else is looked at. Costs are by key touched, whatever the size of the outbox and the base.
 */
export class Overlay {
  readonly #definition: CollectionDefinition;
  readonly #defaults: ReadonlyMap<string, StoredValue>;
  readonly #collab: ReadonlyMap<string, CollabKind>;
  readonly #kernel: Kernel;
  readonly #entries = new Map<number, { readonly entry: OverlayEntry; readonly bytes: number }>();
  readonly #keys = new Map<PrimaryKey, Touched>();
  /** To be folded anew; true: its writes changed, false: perhaps only the base did. */
  readonly #dirty = new Map<PrimaryKey, boolean>();
  readonly #masks = new Map<BlockState, BlockMask>();
  #base: Entities;
  #rows: BlockState<GrowingRows>;
  #rowBlocks = 0;
  #bytes = 0;

  constructor(options: {
    readonly base: Entities;
    readonly definition: CollectionDefinition;
    readonly defaults: ReadonlyMap<string, StoredValue>;
    readonly kernel: Kernel;
  }) {
    this.#base = options.base;
    this.#definition = options.definition;
    this.#defaults = options.defaults;
    this.#kernel = options.kernel;
    this.#collab = collabFieldsOf(options.definition);
    this.#rows = this.#newRows();
  }

  /** Entries held. */
  get writes(): number {
    return this.#entries.size;
  }

  /** About what the ops of the entries take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Newest stamp of an entry; 0 without any. Cost: a pass over the entries, as a bounced one may get an older stamp than it had. */
  get maxHlc(): Timestamp {
    let max = 0;
    for (const { entry } of this.#entries.values()) if (entry.hlc > max) max = entry.hlc;
    return max as Timestamp;
  }

  isPending(key: PrimaryKey): boolean {
    return this.#keys.has(key);
  }

  /** The write of this device with this stamp, if it is in the outbox. */
  hasWrite(key: PrimaryKey, hlc: Timestamp, clientId: string): boolean {
    return this.#keys.get(key)?.writes.some(({ stamp }) => stamp.hlc === hlc && stamp.clientId === clientId) ?? false;
  }

  /** Where the key's row is, in the overlay or in the base; undefined when it is not live. */
  find(key: PrimaryKey): RowPlace | undefined {
    const shown = this.#keys.get(key)?.shown;
    if (shown === undefined || shown.type === 'base') return this.#base.find(key);
    return shown.type === 'row' ? { block: this.#rows, offset: shown.offset } : undefined;
  }

  dimOf(field: string): number | undefined {
    return this.#base.dimOf(field) ?? this.#rows.source.vectors(field)?.dim;
  }

  /** The base's blocks with rows masked, then the overlay's own. */
  get blocks(): readonly BlockState[] {
    return [...this.#base.blocks.map((block) => this.#masks.get(block)?.shown() ?? block), this.#rows];
  }

  /**
   * Makes sure that so many rows find the kernel memory they need; vectors of `ops` say how long they are. Throws KernelError MEMORY_LIMIT and
   * changes nothing that shows.
   */
  reserve(rows: number, ops: readonly SingleOp[]): void {
    const { source } = this.#rows;
    if (rows > 0)
      source.reserve(rows, (field) =>
        source.vectors(field) === undefined ? vectorSample(field, ops, (key, name) => this.#storedAt(key, name)) : undefined,
      );
  }

  /** As `reserve`, for a `rebase` onto this base. Cost: a lookup per key. */
  reserveRebase(base: Entities): void {
    let rows = 0;
    for (const [key, touched] of this.#keys) if (!this.#isSame(base.stampsOf(key, base.find(key)), touched.base)) rows += 1;
    this.reserve(rows, []);
  }

  /** Adds an entry, or replaces the one with its id. @returns its keys, and those it had before; to be settled. */
  set(entry: OverlayEntry): readonly PrimaryKey[] {
    const before = this.delete(entry.id);
    const bytes = opsBytes(entry.op);
    this.#entries.set(entry.id, { entry, bytes });
    this.#bytes += bytes;
    const stamp = { hlc: entry.hlc, clientId: entry.clientId };
    const byKey = opsByKey(entry.op);
    for (const [key, ops] of byKey) this.#addWrite(key, { id: entry.id, stamp, seq: entry.seq ?? 0, ops });
    return [...before, ...byKey.keys()];
  }

  get(id: number): OverlayEntry | undefined {
    return this.#entries.get(id)?.entry;
  }

  /** @returns the keys it touched; to be settled. Absent is no error. */
  delete(id: number): readonly PrimaryKey[] {
    const held = this.#entries.get(id);
    if (held === undefined) return [];
    this.#entries.delete(id);
    this.#bytes -= held.bytes;
    const keys = [...new Set(opsOf(held.entry.op).map((op) => op.pk))];
    for (const key of keys) {
      const { writes } = this.#keys.get(key)!;
      writes.splice(
        writes.findIndex((write) => write.id === id),
        1,
      );
      this.#dirty.set(key, true);
    }
    return keys;
  }

  /** The base has, or may have, another state of these keys. */
  baseChanged(keys: Iterable<PrimaryKey>): void {
    for (const key of keys) if (this.#keys.has(key) && !this.#dirty.has(key)) this.#dirty.set(key, false);
  }

  /** The base forgot tombstones (R7). */
  baseForgot(): void {
    for (const [key, { base }] of this.#keys) if (base?.live === false && !this.#dirty.has(key)) this.#dirty.set(key, false);
  }

  /** Another base. Cost: a lookup per key; only where the new base has another state than the old one is the key folded anew. */
  rebase(base: Entities): void {
    this.#base = base;
    this.#masks.clear();
    for (const touched of this.#keys.values()) touched.masked = undefined;
    this.baseChanged(this.#keys.keys());
  }

  /** Folds what is dirty. Nothing may look at the blocks between a change and this. */
  settle(): void {
    for (const [key, writesChanged] of this.#dirty) this.#fold(key, this.#keys.get(key)!, writesChanged);
    this.#dirty.clear();
    this.#compact();
    this.#rows.letGo();
  }

  /** Gives the overlay's rows up; views that are still read keep them. The base is its owner's. */
  retire(): void {
    this.#rows.retire();
  }

  #addWrite(key: PrimaryKey, write: KeyWrite): void {
    let touched = this.#keys.get(key);
    if (touched === undefined) {
      touched = { writes: [], base: this.#base.stampsOf(key, this.#base.find(key)), masked: undefined, shown: { type: 'base' } };
      this.#keys.set(key, touched);
    }
    const isLast = insertWrite(touched.writes, write);
    // The usual case: one more write on top of what is shown, so a key written a thousand times costs a thousand folds, not half a million.
    if (isLast && !this.#dirty.has(key)) this.#foldOnto(key, touched, write);
    else this.#dirty.set(key, true);
  }

  #foldOnto(key: PrimaryKey, touched: Touched, write: KeyWrite): void {
    const { shown } = touched;
    const place = this.find(key);
    const stamps = shown.type === 'dead' ? shown.stamps : place === undefined ? touched.base : place.block.source.stampsAt(place.offset);
    const row = new FoldedRow(this.#defaults, { stamps, place }, this.#collab);
    for (const op of write.ops) row.apply(op, write.stamp, write.seq);
    if (row.isChanged) this.#show(key, touched, row);
  }

  #fold(key: PrimaryKey, touched: Touched, writesChanged: boolean): void {
    if (touched.writes.length === 0) {
      this.#showBase(touched);
      this.#keys.delete(key);
      return;
    }
    const place = this.#base.find(key);
    const base = this.#base.stampsOf(key, place);
    if (!writesChanged && this.#isSame(base, touched.base)) {
      // The same entity, but its row may be elsewhere.
      if (touched.shown.type !== 'base') this.#mask(touched, place);
      return;
    }
    touched.base = base;
    const row = new FoldedRow(this.#defaults, { stamps: base, place }, this.#collab);
    for (const { ops, stamp, seq } of touched.writes) for (const op of ops) row.apply(op, stamp, seq);
    if (row.isChanged) this.#show(key, touched, row);
    else this.#showBase(touched);
  }

  #show(key: PrimaryKey, touched: Touched, row: FoldedRow): void {
    const { stamps } = row;
    const before = touched.shown;
    assert(stamps !== undefined, 'overlay: a changed row has stamps');
    if (stamps.live) {
      const { source, live } = this.#rows;
      const offset = source.append({
        key,
        stamps,
        position: 0,
        valueOf: (field) => this.#fitting(field, row.valueOf(field)),
        originOf: (field) => row.originOf(field),
        collabOf: (field) => row.collabOf(field),
        putSeq: row.putSeq,
      });
      live.set(offset);
      touched.shown = { type: 'row', offset };
    } else touched.shown = { type: 'dead', stamps };
    if (before.type === 'row') this.#hideRow(before.offset);
    this.#mask(touched, this.#base.find(key));
  }

  #isSame(base: EntityStamps | undefined, before: EntityStamps | undefined): boolean {
    return this.#collab.size === 0 && sameState(base, before);
  }

  #showBase(touched: Touched): void {
    if (touched.shown.type === 'row') this.#hideRow(touched.shown.offset);
    touched.shown = { type: 'base' };
    this.#mask(touched, undefined);
  }

  #hideRow(offset: number): void {
    this.#rows.live.clear(offset);
    this.#rows.source.supersede(offset);
  }

  /** Hides this row, and no other, of the key. */
  #mask(touched: Touched, place: RowPlace | undefined): void {
    const { masked } = touched;
    if (masked?.block === place?.block && masked?.offset === place?.offset) return;
    if (masked !== undefined) {
      const mask = this.#masks.get(masked.block)!;
      mask.clear(masked.offset);
      if (mask.count === 0) this.#masks.delete(masked.block);
    }
    touched.masked = place;
    if (place === undefined) return;
    let mask = this.#masks.get(place.block);
    if (mask === undefined) {
      mask = new BlockMask(place.block);
      this.#masks.set(place.block, mask);
    }
    mask.set(place.offset);
  }

  /**
   * A vector as long as the block's. Where the schema leaves the length to the model, a device may have written with one before it saw that
   * the others use another: such a vector is compared with nothing.
   */
  #fitting(field: string, value: StoredValue): StoredValue {
    if (!(value instanceof Float32Array)) return value;
    const block = this.#rows.source.vectors(field);
    return block === undefined || block.dim === value.length ? value : null;
  }

  #storedAt(key: PrimaryKey, field: string): StoredValue | undefined {
    const place = this.find(key);
    return place?.block.source.valueAt(field, place.offset);
  }

  #newRows(): BlockState<GrowingRows> {
    this.#rowBlocks += 1;
    return new BlockState(new GrowingRows({ id: `overlay.${this.#rowBlocks}`, definition: this.#definition, kernel: this.#kernel }));
  }

  #compact(): void {
    const before = this.#rows;
    const dead = before.source.rows - before.live.count;
    if (dead < MIN_DEAD_ROWS || dead <= before.live.count) return;
    const rows = this.#newRows();
    let moved: ReadonlyMap<Touched, number>;
    try {
      moved = this.#copyLive(before.source, rows.source);
    } catch {
      // No memory for a second block: the dead rows stay until there is.
      rows.retire();
      return;
    }
    for (const [touched, offset] of moved) {
      touched.shown = { type: 'row', offset };
      rows.live.set(offset);
    }
    this.#rows = rows;
    before.retire();
  }

  #copyLive(from: GrowingRows, to: GrowingRows): ReadonlyMap<Touched, number> {
    const moved = new Map<Touched, number>();
    for (const [key, touched] of this.#keys) {
      if (touched.shown.type !== 'row') continue;
      const { offset } = touched.shown;
      const row = to.append({
        key,
        stamps: from.stampsAt(offset),
        position: 0,
        valueOf: (field) => from.valueAt(field, offset),
        originOf: (field) => from.origins(field)?.originAt(offset) ?? null,
        collabOf: (field) => from.collabAt(field, offset),
        putSeq: from.putSeqAt(offset),
      });
      moved.set(touched, row);
    }
    return moved;
  }
}
