import { DbError, type Op, opBytesBound, type PrimaryKey, type SingleOp, type StoredFields, type Timestamp } from '@terndb/core';
import type { Engine, FollowedPlace, RowBlock, View } from '@terndb/engine';
import { OWN_PUT, OwnPuts } from '@terndb/engine/parts';
import type { ChannelRecord, DeviceRecord, OutboxEntry } from '@terndb/sync';
import type { SyncStore } from './store/sync-store.ts';

/**
 * A local partition becomes a followed channel (R14): its rows become entries of the outbox, with their stamps.
 *   copy   in chunks of one transaction each, beside the app's own writes; `copied` says how far. A crash goes on from there.
 *   flip   with the app's calls held: what changed since the copy began, then the mark `done`, as one transaction. From then on the
 *          partition is the followed channel under its overlay, and the local channel is hidden.
 * Nothing of it has been sent before the flip, so nothing can be doubled by it.
 */
export interface AttachRecord {
  /** Newest stamp of the local rows when the copy began: what is newer is looked at again in the flip. */
  readonly since: Timestamp;
  /** Rows copied, in the order of the view of `since`; that order is by key. */
  readonly copied: number;
  readonly lastKey: string | null;
  readonly done: boolean;
}

/** Rows of one transaction: some milliseconds of work between two turns of the worker's loop, and few waits for the disk (10,000 rows: 10). */
const CHUNK_ROWS = 1024;
const CHUNK_BYTES: number = 1024 * 1024;

/** Ops of one batch: one outcome, so that one that is refused takes few with it. */
const BATCH_OPS = 64;
/** Half of what one push takes. */
const BATCH_BYTES: number = 128 * 1024;

export function attachKey(channel: string): string {
  return `sync/attach/${channel}`;
}

export interface AttachOptions {
  readonly engine: Engine;
  readonly store: SyncStore;
  readonly term: number;
  readonly place: FollowedPlace & { readonly schemaVersion: number };
  /** Of this device before its first connection; made if it is not stored. */
  readonly device: () => Promise<DeviceRecord>;
}

/** Whether the partition is the followed channel's already, as far as the store knows. */
export async function isAttached(store: SyncStore, channel: string): Promise<boolean> {
  return ((await store.readRecord(attachKey(channel))) as AttachRecord | undefined)?.done === true;
}

/** One partition on its way to the server. `copy` beside the app's writes; `finish` while there are none. STORAGE_FULL, STORAGE_UNAVAILABLE. */
export class Attachment {
  readonly #options: AttachOptions;
  #record: AttachRecord | undefined;
  #state: ChannelRecord | undefined;
  #maxHlc = 0 as Timestamp;
  /** Keys that have an entry. */
  readonly #keys = new Map<string, PrimaryKey>();

  constructor(options: AttachOptions) {
    this.#options = options;
  }

  async copy(): Promise<void> {
    const { store, place } = this.#options;
    const stored = (await store.readRecord(attachKey(place.channel))) as AttachRecord | undefined;
    const { record: channel, outbox } = await store.readChannel(place.channel);
    const { clientId } = await this.#options.device();
    this.#state = channel ?? { channel: place.channel, clientId, nextSeq: 1, everSent: false, logEpoch: null };
    for (const { op, hlc } of outbox) {
      for (const key of keysOf(op)) this.#keys.set(nameOf(key), key);
      if (hlc > this.#maxHlc) this.#maxHlc = hlc;
    }
    const rows = this.#sortedRows();
    if (rows === undefined) {
      this.#record = stored ?? { since: 0 as Timestamp, copied: 0, lastKey: null, done: false };
      return;
    }
    const since = stored?.since ?? rows.reduce((newest, row) => Math.max(newest, row.block.versionAt(row.offset)), 0);
    let record: AttachRecord = stored ?? { since: since as Timestamp, copied: 0, lastKey: null, done: false };
    try {
      const from = record.lastKey === null ? 0 : rows.findIndex(({ name }) => name > record.lastKey!);
      for (let at = from < 0 ? rows.length : from; at < rows.length; ) {
        const ops: StampedOp[] = [];
        let bytes = 0;
        let end = at;
        while (end < rows.length && end - at < CHUNK_ROWS && bytes < CHUNK_BYTES) {
          for (const op of this.#opsOf(rows[end]!)) {
            ops.push(op);
            bytes += opBytesBound(op.op);
          }
          end += 1;
        }
        record = { ...record, copied: record.copied + end - at, lastKey: rows[end - 1]!.name };
        await this.#store(ops, record);
        at = end;
      }
    } finally {
      for (const view of new Set(rows.map(({ view: pinned }) => pinned))) view.release();
      this.#record = record;
    }
  }

  /** What changed since: newer rows again, and deletes for those that are gone. */
  async finish(): Promise<void> {
    const { engine } = this.#options;
    await engine.flush();
    const record = this.#record!;
    const device = await this.#options.device();
    if (device.hlc > this.#maxHlc) this.#maxHlc = device.hlc;
    const rows = this.#sortedRows() ?? [];
    const ops: StampedOp[] = [];
    const live = new Set<string>();
    for (const row of rows) {
      live.add(row.name);
      if (row.block.versionAt(row.offset) > record.since || !this.#keys.has(row.name)) ops.push(...this.#opsOf(row));
    }
    for (const view of new Set(rows.map(({ view: pinned }) => pinned))) view.release();
    for (const [name, pk] of this.#keys) if (!live.has(name)) ops.push({ op: { type: 'delete', pk }, hlc: undefined });
    await this.#store(ops, { ...record, done: true }, device);
  }

  /** `device` is written by the flip only: until then a host may be running that has it. Ids count per channel, so these begin at 1. */
  async #store(ops: readonly StampedOp[], record: AttachRecord, device?: DeviceRecord): Promise<void> {
    const { store, term, place } = this.#options;
    const { channel, schemaVersion } = place;
    let state = this.#state!;
    const { clientId } = state;
    const puts = new OwnPuts(ops.map(({ op }) => op));
    const entries = toEntries(ops).map(({ op: given, hlc = (this.#maxHlc + 1) as Timestamp }): OutboxEntry => {
      const op = puts.bind(given);
      puts.note(op, { clientId, seq: state.nextSeq });
      const entry = { id: state.nextSeq, channel, op, hlc, clientId, seq: state.nextSeq, subject: '', sent: false, schemaVersion };
      state = { ...state, nextSeq: state.nextSeq + 1 };
      if (hlc > this.#maxHlc) this.#maxHlc = hlc;
      for (const key of keysOf(op)) this.#keys.set(nameOf(key), key);
      return entry;
    });
    const after = device && {
      ...device,
      nextId: Math.max(device.nextId, state.nextSeq),
      hlc: Math.max(device.hlc, this.#maxHlc) as Timestamp,
    };
    const records = { [attachKey(channel)]: { ...record } };
    await store.commitEntries(term, { entries, channel: state, records, ...(after === undefined ? {} : { device: after }) });
    this.#state = state;
  }

  #opsOf({ view, block, offset }: PlacedRow): readonly StampedOp[] {
    const { engine, place } = this.#options;
    return splitDocuments(opsOf(view, block, offset), (pk, fields) => engine.splitPut(place.collection, pk, fields));
  }

  /** Live rows of the local partition by key, their views pinned; undefined when there is no such partition or row. */
  #sortedRows(): PlacedRow[] | undefined {
    const { engine, place } = this.#options;
    const views = localViews(engine, place);
    const rows: PlacedRow[] = [];
    for (const view of views) {
      for (const block of view.blocks) {
        for (let offset = 0; offset < block.rows; offset++) {
          if (((block.live[offset >>> 5]! >>> (offset & 31)) & 1) === 0) continue;
          rows.push({ view, block, offset, name: nameOf(block.keyAt(offset)) });
        }
      }
      if (view.liveRows === 0) view.release();
    }
    if (rows.length === 0) return undefined;
    return rows.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }
}

interface PlacedRow {
  readonly view: View;
  readonly block: RowBlock;
  readonly offset: number;
  readonly name: string;
}

interface StampedOp<O extends Op = SingleOp> {
  readonly op: O;
  /** Undefined: a new one. */
  readonly hlc: Timestamp | undefined;
}

function localViews(engine: Engine, { collection, partition }: FollowedPlace): readonly View[] {
  const known = engine.inspect().partitions.some((one) => one.collection === collection && one.partition === partition);
  return known ? engine.views(collection, [partition]).map(({ view }) => view) : [];
}

/** A put at its stamp with the values that are not newer, a patch per newer stamp, and derived vectors as what they are. */
function opsOf(view: View, block: RowBlock, offset: number): readonly StampedOp[] {
  const pk = block.keyAt(offset);
  const stamps = block.stampsAt?.(offset);
  const putHlc = stamps?.put.hlc ?? block.versionAt(offset);
  const put: Record<string, StoredFields[string]> = {};
  const patches = new Map<Timestamp, Record<string, StoredFields[string]>>();
  const vectors: StampedOp[] = [];
  for (const { name, type, nullable, default: initial } of view.definition.fields) {
    if (type === 'primaryKey') continue;
    const value = block.valueAt(name, offset);
    // A document cannot be patched: it begins anew with the put, as what it is now.
    const isCollab = type === 'collab' || type === 'collabText';
    const newer = isCollab ? undefined : stamps?.exceptions?.get(name)?.hlc;
    const origin = block.origins?.(name)?.originAt(offset) ?? null;
    if (origin !== null && value instanceof Float32Array) {
      const { model, sourceHash } = origin;
      vectors.push({ op: { type: 'vector', pk, field: name, model, sourceHash, vector: value }, hlc: newer ?? putHlc });
    } else if (newer !== undefined) {
      patches.set(newer, { ...patches.get(newer), [name]: value });
      // A put without a field that must be there is refused. What it says of this one gives way to the patch.
      if (nullable !== true && initial === undefined) put[name] = value;
    } else if (value !== null || initial !== undefined) {
      put[name] = value;
    }
  }
  return [
    { op: { type: 'put', pk, fields: put, create: true }, hlc: putHlc },
    ...[...patches].sort(([a], [b]) => a - b).map(([hlc, fields]): StampedOp => ({ op: { type: 'patch', pk, fields }, hlc })),
    ...vectors,
  ];
}

/** What its documents hold beyond what fits the put follows it, at its stamp. */
function splitDocuments(
  [put, ...others]: readonly StampedOp[],
  split: (pk: PrimaryKey, fields: StoredFields) => ReturnType<Engine['splitPut']>,
): readonly StampedOp[] {
  const { op, hlc } = put!;
  if (op.type !== 'put') return [put!, ...others];
  try {
    const { fields, updates } = split(op.pk, op.fields);
    const { pk } = op;
    const rest = updates.map((update): StampedOp => ({ op: { type: 'yjs', pk, base: OWN_PUT, ...update }, hlc }));
    return [{ op: { ...op, fields }, hlc }, ...rest, ...others];
  } catch (thrown) {
    // Larger than a document may be, by other limits: as it is, it is refused by the log, and the app is told with all of it.
    if (!(thrown instanceof DbError) || thrown.code !== 'ENTITY_TOO_LARGE') throw thrown;
    console.warn(`terndb: connect: ${thrown.code}: ${thrown.message}`);
    return [put!, ...others];
  }
}

/** Puts of one stamp were one write here, or one import: they are batches again, which the log takes as one op. What is newer comes after them. */
function toEntries(ops: readonly StampedOp[]): readonly StampedOp<Op>[] {
  const batches: { readonly hlc: Timestamp | undefined; readonly ops: SingleOp[]; bytes: number }[] = [];
  const open = new Map<Timestamp, (typeof batches)[number]>();
  const others: StampedOp<Op>[] = [];
  for (const stamped of ops) {
    const { op, hlc } = stamped;
    if (op.type !== 'put' || hlc === undefined) {
      others.push(stamped);
      continue;
    }
    const bytes = opBytesBound(op);
    let batch = open.get(hlc);
    if (batch === undefined || batch.ops.length >= BATCH_OPS || batch.bytes + bytes > BATCH_BYTES) {
      batch = { hlc, ops: [], bytes: 0 };
      open.set(hlc, batch);
      batches.push(batch);
    }
    batch.ops.push(op);
    batch.bytes += bytes;
  }
  const puts = batches.map(
    ({ hlc, ops: puts }): StampedOp<Op> => ({ hlc, op: puts.length === 1 ? puts[0]! : { type: 'batch', ops: puts } }),
  );
  return [...puts, ...others];
}

function keysOf(op: Op): readonly PrimaryKey[] {
  return op.type === 'batch' ? op.ops.map(({ pk }) => pk) : [op.pk];
}

function nameOf(key: PrimaryKey): string {
  return `${typeof key === 'string' ? 's' : 'i'}${key}`;
}
