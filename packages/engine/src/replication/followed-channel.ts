import type { CollectionDefinition, Frame, LogRecord, PrimaryKey, SingleOp, Timestamp } from '@terndb/core';
import type { Kernel } from '@terndb/kernel';
import type { CatalogCollection } from '../catalog/catalog.ts';
import { inspectChannel } from '../database/channel.ts';
import type { ShownChannel } from '../database/shown-channel.ts';
import type { PartitionInspection } from '../database/types.ts';
import { expiryCutoff, withTimeToLive } from '../expiry/cutoff.ts';
import { GrowingRows } from '../growing/growing.ts';
import { opsOf } from '../overlay/entry-ops.ts';
import { Overlay } from '../overlay/overlay.ts';
import type { BlockState } from '../replica/block-state.ts';
import { defaultsOf } from '../replica/open-replica.ts';
import type { Replica } from '../replica/replica.ts';
import { ReplicaView } from '../replica/replica-view.ts';
import { conflictsOf } from './conflicts.ts';
import type { Conflict, FollowedState, OverlayEntry } from './types.ts';

export interface FollowedOptions {
  readonly name: string;
  readonly collection: CatalogCollection;
  readonly partition: string;
  readonly kernel: Kernel;
  readonly replica: Replica;
  readonly logEpoch: string | null;
  /** As of `FollowedPlace`. */
  readonly ttlSeconds?: number | null | undefined;
}

/** One followed channel: the replica as the log says, and the outbox over it. What changes it is shown with the next view. */
export class FollowedChannel implements ShownChannel {
  readonly name: string;
  readonly collection: CatalogCollection;
  readonly partition: string;
  readonly damage = undefined;
  readonly #overlay: Overlay;
  #replica: Replica;
  #logEpoch: string | null;
  #definition: CollectionDefinition;
  /** Shown in place of the replica while the first bootstrap is under way; nothing is folded into it. */
  #preview: Replica | undefined;
  #view: ReplicaView | undefined;

  /** Takes the replica over. */
  constructor({ name, collection, partition, kernel, replica, logEpoch, ttlSeconds }: FollowedOptions) {
    this.name = name;
    this.collection = collection;
    this.partition = partition;
    this.#replica = replica;
    this.#logEpoch = logEpoch;
    const { definition } = collection;
    this.#definition = ttlSeconds === undefined ? definition : withTimeToLive(definition, ttlSeconds);
    this.#overlay = new Overlay({ base: replica.entities, definition, defaults: defaultsOf(definition), kernel });
  }

  /** The collection's, with the time to live that counts here. */
  get definition(): CollectionDefinition {
    return this.#definition;
  }

  /** @returns whether it is another one. */
  setTimeToLive(ttlSeconds: number | null): boolean {
    if ((this.#definition.ttlSeconds ?? null) === ttlSeconds) return false;
    this.#definition = withTimeToLive(this.#definition, ttlSeconds);
    this.#changed();
    return true;
  }

  get logEpoch(): string | null {
    return this.#logEpoch;
  }

  /** Of what is shown. */
  get position(): number {
    return this.#shown.position;
  }

  get maxHlc(): Timestamp {
    return Math.max(this.#shown.maxHlc, this.#overlay.maxHlc) as Timestamp;
  }

  /** What the server has is not known before the first bootstrap: one row at least. */
  get missingRows(): number {
    return this.#shown.missingRows + (this.#logEpoch === null ? 1 : 0);
  }

  get isPartial(): boolean {
    return this.#shown.isPartial;
  }

  /** Of what is shown: without the outbox. */
  get blocks(): readonly BlockState[] {
    return this.#shown.entities.blocks;
  }

  get entities(): ShownChannel['entities'] {
    return this.#overlay;
  }

  get writes(): number {
    return this.#overlay.writes;
  }

  get outboxBytes(): number {
    return this.#overlay.bytes;
  }

  view(nowMs?: number): ReplicaView {
    const { position, quarantined, missingRows } = this.#shown;
    const cutoff = nowMs === undefined ? (0 as Timestamp) : expiryCutoff(this.#definition, nowMs);
    if (this.#view?.isAt(cutoff) === false) this.#changed();
    this.#view ??= new ReplicaView({
      channel: this.name,
      definition: this.#definition,
      position,
      blocks: this.#overlay.blocks,
      quarantined,
      missingRows,
      cutoff,
    }).acquire();
    return this.#view.acquire();
  }

  isPending(key: PrimaryKey): boolean {
    return this.#overlay.isPending(key);
  }

  state(): FollowedState {
    const { position, hash, maxHlc, entities, quarantined, leftOut, missingRows } = this.#replica;
    const growing = entities.blocks.map(({ source }) => source).filter((source) => source instanceof GrowingRows);
    return {
      position,
      hash,
      maxHlc,
      growingRows: growing.reduce((rows, source) => rows + source.rows, 0),
      growingBytes: growing.reduce((bytes, source) => bytes + source.bytes, 0),
      logEpoch: this.#logEpoch,
      quarantined,
      leftOut,
      liveRows: entities.blocks.reduce((rows, { live }) => rows + live.count, 0),
      missingRows,
    };
  }

  inspect(): PartitionInspection {
    const { collection, partition } = this;
    const inspection = inspectChannel({ collection, partition, replica: this.#shown, damage: undefined });
    const view = this.view();
    const entities = view.liveRows;
    view.release();
    return { ...inspection, entities, leader: 'server', pending: this.#overlay.writes };
  }

  /** Makes sure that these will find the kernel memory they need. Throws KernelError MEMORY_LIMIT and changes nothing. */
  reserve(frames: readonly Frame[], entries: readonly OverlayEntry[]): void {
    const base = frames.flatMap(opsOfFrame);
    this.#replica.entities.reserve(base);
    const written = entries.flatMap(({ op }) => opsOf(op));
    const again = base.reduce((rows, { pk }) => rows + (this.#overlay.isPending(pk) ? 1 : 0), 0);
    this.reserveWrites([...written, ...(again > 0 ? base : [])]);
  }

  /** As `reserve`, for a swap. */
  reserveSwap(replica: Replica): void {
    this.#overlay.reserveRebase(replica.entities);
  }

  /** As `reserve`, for writes of this device. */
  reserveWrites(ops: readonly SingleOp[]): void {
    this.#overlay.reserve(ops.length, ops);
  }

  /**
   * @returns the keys whose entity changed in the base, and whether the frame was for this state of the replica: that it follows on (R12), and
   * names the replica's hash (R13).
   */
  applyFrame(frame: Frame, onConflict: (conflict: Conflict) => void): { readonly keys: readonly PrimaryKey[]; readonly isSame: boolean } {
    if (frame.base > this.#replica.position + 1) return { keys: [], isSame: false };
    this.#dropPreview();
    const before = this.#replica.divergences;
    let forgot = false;
    const { keys } = this.#replica.applyFrame(frame, (record) => {
      forgot ||= record.type === 'gc';
      for (const conflict of this.#conflicts(record)) onConflict(conflict);
    });
    this.#overlay.baseChanged(keys);
    if (forgot) this.#overlay.baseForgot();
    return { keys, isSame: this.#replica.divergences === before };
  }

  /**
   * Whether this would show more than what is shown, and nothing older: only before the first bootstrap is whole, as later ones are built aside
   * (R6).
   */
  previews({ position, missingRows }: Replica): boolean {
    if (this.#logEpoch !== null || this.#replica.position > 0) return false;
    const shown = this.#preview;
    return shown === undefined || position > shown.position || (position === shown.position && missingRows < shown.missingRows);
  }

  /** Takes the replica over and shows it until the next one, or a whole one. Room is reserved (`reserveSwap`). */
  preview(replica: Replica): void {
    this.#changed();
    this.#preview?.retire();
    this.#preview = replica;
    this.#overlay.rebase(replica.entities);
    this.settle();
  }

  /** R6: the other replica is shown from the next view on; the old one is freed with its last view. */
  swap(replica: Replica, logEpoch: string): void {
    this.#changed();
    this.#preview?.retire();
    this.#preview = undefined;
    this.#replica.retire();
    this.#replica = replica;
    this.#logEpoch = logEpoch;
    this.#overlay.rebase(replica.entities);
  }

  /** @returns the keys it touches. */
  setEntry(entry: OverlayEntry): readonly PrimaryKey[] {
    const held = this.#overlay.get(entry.id);
    if (held !== undefined && held.op === entry.op && held.hlc === entry.hlc && held.clientId === entry.clientId) return [];
    return this.#overlay.set(entry);
  }

  /** @returns the keys it touched. */
  removeEntry(id: number): readonly PrimaryKey[] {
    return this.#overlay.delete(id);
  }

  getEntry(id: number): OverlayEntry | undefined {
    return this.#overlay.get(id);
  }

  /** Ends a run of changes: the next view shows them. */
  settle(): void {
    this.#overlay.settle();
    this.#changed();
  }

  retire(): void {
    this.#changed();
    this.#overlay.retire();
    this.#preview?.retire();
    this.#preview = undefined;
    this.#replica.retire();
  }

  get #shown(): Replica {
    return this.#preview ?? this.#replica;
  }

  #dropPreview(): void {
    if (this.#preview === undefined) return;
    this.#changed();
    this.#preview.retire();
    this.#preview = undefined;
    this.#overlay.rebase(this.#replica.entities);
  }

  #changed(): void {
    const view = this.#view;
    this.#view = undefined;
    view?.release();
  }

  #conflicts(record: LogRecord): readonly Conflict[] {
    if (record.type !== 'op') return [];
    return conflictsOf(this.name, this.collection.definition, this.#replica.entities, record, (key, stamp) =>
      this.#overlay.hasWrite(key, stamp.hlc, stamp.clientId),
    );
  }
}

function opsOfFrame(frame: Frame): readonly SingleOp[] {
  return frame.records.flatMap((record) => (record.type === 'op' ? opsOf(record.op) : []));
}
