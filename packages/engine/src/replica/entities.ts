import {
  addHash,
  type CollectionDefinition,
  type Hash64,
  type PrimaryKey,
  type SingleOp,
  type Stamp,
  type StoredFields,
  type StoredValue,
  subHash,
  type Timestamp,
  type VectorOp,
  type YjsOp,
  ZERO_HASH,
} from '@terndb/core';
import type { Kernel } from '@terndb/kernel';
import { forEachSet } from '../bitmap/bitmap.ts';
import { collabFieldsOf } from '../collab/load.ts';
import { isBaseOf, mergeAt } from '../collab/merge-row.ts';
import type { CollabKind } from '../collab/types.ts';
import type { VectorOrigin } from '../embedding/origin.ts';
import { foldDelete, foldPatch, foldPut, foldYjs, isForgotten } from '../fold/fold.ts';
import type { EntityStamps, LiveStamps } from '../fold/registers.ts';
import { rowHash } from '../fold/row-hash.ts';
import { GrowingRows } from '../growing/growing.ts';
import { vectorSample } from '../growing/vector-sample.ts';
import { type TombstoneEntry, TombstoneSet } from '../tombstones/tombstone-set.ts';
import { BlockState } from './block-state.ts';

/** A tombstone's share of the state hash (R13). */
export function tombstoneHash(entry: TombstoneEntry): Hash64 {
  return rowHash(entry.pk, { live: false, put: entry.put, delete: entry.delete });
}

/** Where a live row is. */
export interface RowPlace {
  readonly block: BlockState;
  readonly offset: number;
}

/**
 * The entities of one channel: blocks of rows with their live bitmaps, tombstones, and the sum of their hashes (R13). At most one live row
 * per key over all blocks, and never a live row and a tombstone. Its methods apply one op each, and nothing else changes it.
 */
export class Entities {
  readonly definition: CollectionDefinition;
  readonly #kernel: Kernel;
  /** Stored default, or null, of each field but the key. */
  readonly #defaults: ReadonlyMap<string, StoredValue>;
  readonly #collab: ReadonlyMap<string, CollabKind>;
  readonly #tombstones: TombstoneSet;
  /** Oldest first; the last one takes new rows. */
  #blocks: BlockState[];
  #growing: BlockState<GrowingRows>;
  #growingCount = 0;
  #hash: Hash64;

  constructor(options: {
    readonly definition: CollectionDefinition;
    readonly defaults: ReadonlyMap<string, StoredValue>;
    readonly kernel: Kernel;
    readonly sealed?: readonly BlockState[];
    readonly tombstones?: TombstoneSet;
    readonly hash?: Hash64;
  }) {
    this.definition = options.definition;
    this.#defaults = options.defaults;
    this.#kernel = options.kernel;
    this.#collab = collabFieldsOf(options.definition);
    this.#tombstones = options.tombstones ?? new TombstoneSet();
    this.#hash = options.hash ?? ZERO_HASH;
    this.#growing = this.#newGrowing();
    this.#blocks = [...(options.sealed ?? []), this.#growing];
  }

  get blocks(): readonly BlockState[] {
    return this.#blocks;
  }

  get growing(): BlockState<GrowingRows> {
    return this.#growing;
  }

  get hash(): Hash64 {
    return this.#hash;
  }

  get tombstones(): Pick<TombstoneSet, 'size' | 'get' | 'sorted'> {
    return this.#tombstones;
  }

  find(key: PrimaryKey): RowPlace | undefined {
    for (let index = this.#blocks.length - 1; index >= 0; index--) {
      const block = this.#blocks[index]!;
      const offset = block.source.findKey(key);
      // Within a block only the newest slot of a key can be live.
      if (offset >= 0 && block.live.has(offset)) return { block, offset };
    }
    return undefined;
  }

  /** What the fold knows of a key; `place` is where its live row is. */
  stampsOf(key: PrimaryKey, place: RowPlace | undefined): EntityStamps | undefined {
    if (place !== undefined) return place.block.source.stampsAt(place.offset);
    const entry = this.#tombstones.get(key);
    return entry === undefined ? undefined : { live: false, put: entry.put, delete: entry.delete };
  }

  /** Dimension of the dense vectors stored in a field; undefined while there are none. */
  dimOf(field: string): number | undefined {
    for (const block of this.#blocks) {
      const vectors = block.source.vectors(field);
      if (vectors !== undefined) return vectors.dim;
    }
    return undefined;
  }

  /**
   * Makes sure that folding these ops will find the kernel memory it needs. Throws KernelError MEMORY_LIMIT and changes nothing that shows.
   */
  reserve(ops: readonly SingleOp[]): void {
    const rows = ops.reduce((count, op) => count + (op.type === 'delete' ? 0 : 1), 0);
    if (rows > 0) this.#growing.source.reserve(rows, (field) => vectorSample(field, ops, (key, name) => this.#storedAt(key, name)));
  }

  /** Each returns whether anything changed. */
  put(key: PrimaryKey, fields: StoredFields, stamp: Stamp, position: number, seq: number = 0): boolean {
    const place = this.find(key);
    const after = foldPut(this.stampsOf(key, place), stamp);
    if (after === undefined) return false;
    if (!after.live) this.#bury(key, undefined, after);
    else {
      // A collab field starts anew with each put, whatever its register says.
      const isKept = (field: string): boolean => place !== undefined && after.exceptions?.has(field) === true && !this.#collab.has(field);
      this.#replaceRow(key, place, {
        stamps: after,
        position,
        putSeq: seq,
        valueOf: (field) => {
          if (isKept(field)) return place!.block.source.valueAt(field, place!.offset);
          return fields[field] ?? (field in fields ? null : this.#defaults.get(field)!);
        },
        originOf: (field) => (isKept(field) ? originAt(place!, field) : null),
      });
    }
    return true;
  }

  patch(key: PrimaryKey, fields: StoredFields, stamp: Stamp, position: number): boolean {
    const place = this.find(key);
    if (place === undefined) return false;
    const known = Object.keys(fields).filter((field) => this.#defaults.has(field));
    const effect = foldPatch(place.block.source.stampsAt(place.offset), stamp, known);
    if (effect === undefined) return false;
    this.#patchRow(key, place, { stamps: effect.stamps, position, applied: effect.applied, fields, origin: null });
    return true;
  }

  /** A derived vector: a patch of its field that knows where it came from. */
  vector(op: VectorOp, stamp: Stamp, position: number): boolean {
    const place = this.find(op.pk);
    if (place === undefined || !this.#defaults.has(op.field)) return false;
    const effect = foldPatch(place.block.source.stampsAt(place.offset), stamp, [op.field]);
    if (effect === undefined) return false;
    const origin = { model: op.model, sourceHash: op.sourceHash };
    this.#patchRow(op.pk, place, { stamps: effect.stamps, position, applied: effect.applied, fields: { [op.field]: op.vector }, origin });
    return true;
  }

  /** A collab update: merged if it is for the document that the put in force began; its register only grows. */
  yjs(op: YjsOp, stamp: Stamp, position: number): boolean {
    const place = this.find(op.pk);
    const kind = this.#collab.get(op.field);
    if (place === undefined || kind === undefined) return false;
    const { source } = place.block;
    const { offset } = place;
    const stamps = source.stampsAt(offset);
    if (!isBaseOf(op.base, stamps.put, source.putSeqAt(offset))) return false;
    const after = foldYjs(stamps, stamp, op.field);
    if (after === undefined) return false;
    const merged = mergeAt({ kind, source, offset, field: op.field, update: op.update, isPending: false });
    this.#replaceRow(op.pk, place, {
      stamps: after,
      position,
      putSeq: source.putSeqAt(offset),
      valueOf: (field) => (merged !== undefined && field === op.field ? merged.value : source.valueAt(field, offset)),
      originOf: (field) => originAt(place, field),
      collabOf: (field) => (merged !== undefined && field === op.field ? merged.state : source.collabAt(field, offset)),
    });
    return true;
  }

  delete(key: PrimaryKey, stamp: Stamp): boolean {
    const place = this.find(key);
    const after = foldDelete(this.stampsOf(key, place), stamp);
    if (after === undefined) return false;
    this.#bury(key, place, after);
    return true;
  }

  /** R7. @returns tombstones forgotten. */
  forget(floor: Timestamp): number {
    let forgotten = 0;
    for (const entry of [...this.#tombstones]) {
      if (!isForgotten(entry, floor)) continue;
      this.#unbury(entry.pk);
      forgotten += 1;
    }
    return forgotten;
  }

  /**
   * The rows put before `cutoff` go, and leave nothing behind: what is late for them is too old to be seen, as well. Adds their keys to `keys`. Cost: a
   * pass over the blocks that have rows of that age, and a hash per row that goes.
   */
  expire(cutoff: Timestamp, keys: PrimaryKey[]): void {
    for (const block of this.#blocks) {
      const { source, live } = block;
      if (source.oldestPut >= cutoff) continue;
      forEachSet(live.share(), (offset) => {
        if (source.putTimeAt(offset) >= cutoff) return;
        keys.push(source.keyAt(offset));
        this.#mask({ block, offset });
      });
    }
  }

  /** New rows go into a fresh block from now on; the ones so far stay as they are until they are replaced by a segment. */
  rotate(): void {
    if (this.#growing.source.rows === 0) return;
    this.#growing = this.#newGrowing();
    this.#blocks.push(this.#growing);
  }

  /**
   * Puts `added` (if any) in the place of the oldest of `removed`, which are retired. The rows must be the same: only how they are kept
   * changes, so the hash does not.
   */
  exchange(removed: readonly BlockState[], added: BlockState | undefined): void {
    const first = this.#blocks.findIndex((block) => removed.includes(block));
    const kept = (block: BlockState): boolean => !removed.includes(block);
    this.#blocks = [
      ...this.#blocks.slice(0, first).filter(kept),
      ...(added === undefined ? [] : [added]),
      ...this.#blocks.slice(first).filter(kept),
    ];
    for (const block of removed) block.retire();
  }

  retire(): void {
    for (const block of this.#blocks) block.retire();
    this.#blocks = [];
  }

  #storedAt(key: PrimaryKey, field: string): StoredValue | undefined {
    const place = this.find(key);
    return place?.block.source.valueAt(field, place.offset);
  }

  #newGrowing(): BlockState<GrowingRows> {
    this.#growingCount += 1;
    const id = this.#growingCount === 1 ? 'growing' : `growing.${this.#growingCount}`;
    return new BlockState(new GrowingRows({ id, definition: this.definition, kernel: this.#kernel }));
  }

  /** The row with the fields of `applied` set; `origin` is theirs. */
  #patchRow(
    key: PrimaryKey,
    place: RowPlace,
    patch: {
      readonly stamps: LiveStamps;
      readonly position: number;
      readonly applied: readonly string[];
      readonly fields: StoredFields;
      readonly origin: VectorOrigin | null;
    },
  ): void {
    const { stamps, position, applied, fields, origin } = patch;
    const { source } = place.block;
    this.#replaceRow(key, place, {
      stamps,
      position,
      putSeq: source.putSeqAt(place.offset),
      valueOf: (field) => (applied.includes(field) ? fields[field]! : source.valueAt(field, place.offset)),
      originOf: (field) => (applied.includes(field) ? origin : originAt(place, field)),
      collabOf: (field) => (applied.includes(field) ? null : source.collabAt(field, place.offset)),
    });
  }

  #replaceRow(key: PrimaryKey, place: RowPlace | undefined, row: Omit<Parameters<GrowingRows['append']>[0], 'key'>): void {
    const { source, live } = this.#growing;
    const slot = source.append({ key, ...row });
    if (place !== undefined) this.#mask(place);
    else this.#unbury(key);
    // Never of a block that is being sealed: its rows are read as they were.
    if (place?.block === this.#growing) source.supersede(place.offset);
    live.set(slot);
    this.#hash = addHash(this.#hash, source.hashAt(slot));
  }

  #mask({ block, offset }: RowPlace): void {
    block.live.clear(offset);
    this.#hash = subHash(this.#hash, block.source.hashAt(offset));
  }

  #bury(key: PrimaryKey, place: RowPlace | undefined, tombstone: EntityStamps): void {
    if (tombstone.live) return;
    if (place !== undefined) this.#mask(place);
    this.#unbury(key);
    this.#tombstones.set({ pk: key, put: tombstone.put, delete: tombstone.delete });
    this.#hash = addHash(this.#hash, rowHash(key, tombstone));
  }

  #unbury(key: PrimaryKey): void {
    const entry = this.#tombstones.get(key);
    if (entry === undefined) return;
    this.#tombstones.delete(key);
    this.#hash = subHash(this.#hash, tombstoneHash(entry));
  }
}

function originAt({ block, offset }: RowPlace, field: string): VectorOrigin | null {
  return block.source.origins(field)?.originAt(offset) ?? null;
}
