import { DbError, encodeFrame, type JsonValue, utf8Decode, utf8Encode } from '@terndb/core';
import { encodeFollowedPointer, followedPointerKey, followedStream } from '@terndb/engine/parts';
import type { ChannelRecord, DeviceRecord, KeptEntry, OutboxEntry, RejectedEntry, StoreWrite } from '@terndb/sync';
import { decodeEntry, encodeEntry } from './entry-codec.ts';
import type { RowOp, RowStore } from './row-store.ts';

/**
 * What a device keeps of replication. Entries: row-store.ts. Records, in `meta`, UTF-8 JSON with `format: 1`:
 *   sync/device              DeviceRecord: client id, subject, log epoch, clock, next id
 *   sync/channel/<channel>   ChannelRecord: client id, next seq, ever sent, log epoch
 *   sync/connection          what connects this database to a server (connection-record.ts)
 *   sync/keep/<channel>      { budgetBytes }: for how much the adopted manifest was brought; missing or null: all of it
 *   sync/attach/<channel>    how far a local partition was turned into ops (attach.ts)
 * History: 1 first version. Unknown format -> FORMAT_VERSION_UNSUPPORTED.
 */
const FORMAT = 1;
const DEVICE_KEY = 'sync/device';

export interface Batch {
  readonly writes: readonly StoreWrite[];
}

/** What a swap makes the stored replica: its manifest's object (null: empty), and the frames folded over it since. */
export interface Adopted {
  readonly object: string | null;
  readonly frames: readonly Uint8Array[];
  /** Segments of the manifest that are not kept. */
  readonly leftOut: readonly string[];
  /** For how much it was brought; null: all. */
  readonly budgetBytes: number | null;
}

export interface StoredChannel {
  readonly record: ChannelRecord | undefined;
  readonly outbox: readonly OutboxEntry[];
  readonly kept: readonly KeptEntry[];
}

/** The one writer of replication's rows; knows where each stream ends. */
export class SyncStore {
  readonly #rows: RowStore;
  readonly #last = new Map<string, number>();

  constructor(rows: RowStore) {
    this.#rows = rows;
  }

  async readDevice(): Promise<DeviceRecord | undefined> {
    return (await this.readRecord(DEVICE_KEY)) as DeviceRecord | undefined;
  }

  /** Reads where the channel's stream ends, too: to be called before the first batch of a channel, and again after a batch was refused. */
  async readChannel(channel: string): Promise<StoredChannel> {
    const [record, outbox, kept, last] = await Promise.all([
      this.readRecord(channelKey(channel)),
      this.#rows.rows('outbox', channel),
      this.#rows.rows('kept', channel),
      this.#rows.lastSequence(followedStream(channel)),
    ]);
    this.#last.set(channel, last);
    return {
      record: record as ChannelRecord | undefined,
      outbox: outbox.map(({ row }) => decodeEntry(row)),
      kept: kept.map(({ row }): KeptEntry => ({ ...decodeEntry(row), keptAtMs: row.keptAtMs ?? 0 })),
    };
  }

  /** For how much of its segments a channel's replica was brought. Null: all, or there is none. */
  async readBudget(channel: string): Promise<number | null> {
    return ((await this.readRecord(keepKey(channel))) as { readonly budgetBytes: number | null } | undefined)?.budgetBytes ?? null;
  }

  /** Refused entries, oldest first. */
  async readRejected(): Promise<readonly RejectedEntry[]> {
    const rows = await this.#rows.rows('rejected');
    return rows.map(({ row }): RejectedEntry => ({ ...decodeEntry(row), code: row.code ?? 'INTERNAL' })).sort((a, b) => a.id - b.id);
  }

  /** Several batches as one transaction, in their order. `adopted`: by fetch, for every swap among the writes. */
  async commit(term: number, batches: readonly Batch[], adopted: ReadonlyMap<number, Adopted> = new Map()): Promise<void> {
    const last = new Map<string, number>();
    const ops: RowOp[] = [];
    const lastOf = (channel: string): number => last.get(channel) ?? this.#last.get(channel) ?? 0;
    for (const { writes } of batches) {
      for (const write of writes) {
        if (write.type === 'frame') {
          const expectedLast = lastOf(write.channel);
          appendFrames(ops, write.channel, expectedLast, [encodeFrame(write.frame)]);
          last.set(write.channel, expectedLast + 1);
        } else if (write.type === 'swap') {
          const expectedLast = lastOf(write.channel);
          const { object, frames, leftOut, budgetBytes } = adopted.get(write.fetch)!;
          const pointer = encodeFollowedPointer({ object, firstSequence: expectedLast + 1, leftOut });
          ops.push(recordOp(keepKey(write.channel), { budgetBytes }));
          ops.push({ type: 'meta', key: followedPointerKey(write.channel), value: pointer });
          ops.push({ ...appendOp(write.channel, expectedLast, frames), truncate: expectedLast });
          last.set(write.channel, expectedLast + frames.length);
        } else {
          ops.push(rowOp(write));
        }
      }
    }
    await this.#rows.commit(term, ops);
    for (const [channel, sequence] of last) this.#last.set(channel, sequence);
  }

  /** Entries made outside the machine, with records, as one transaction. */
  async commitEntries(
    term: number,
    change: {
      readonly entries?: readonly OutboxEntry[];
      readonly dropped?: readonly OutboxEntry[];
      readonly device?: DeviceRecord;
      readonly channel?: ChannelRecord;
      readonly records?: Readonly<Record<string, JsonValue | undefined>>;
    },
  ): Promise<void> {
    const { entries = [], dropped = [], device, channel, records = {} } = change;
    const ops: RowOp[] = dropped.map((entry) => ({ type: 'delete', store: 'outbox', channel: entry.channel, id: entry.id }));
    for (const entry of entries) ops.push(rowOp({ type: 'outbox', entry }));
    if (device !== undefined) ops.push(rowOp({ type: 'device', device }));
    if (channel !== undefined) ops.push(rowOp({ type: 'channel', record: channel }));
    for (const [key, value] of Object.entries(records)) ops.push(recordOp(key, value));
    await this.#rows.commit(term, ops);
  }

  /** A channel was bootstrapped and not forgotten since. */
  async hasReplica(channel: string): Promise<boolean> {
    return (await this.#rows.meta(followedPointerKey(channel))) !== undefined;
  }

  /** Adopted manifest and tail go; the outbox and its numbers stay. */
  async forgetReplica(term: number, channel: string): Promise<void> {
    const record = (await this.readRecord(channelKey(channel))) as ChannelRecord | undefined;
    const last = await this.#rows.lastSequence(followedStream(channel));
    const ops: RowOp[] = [
      { type: 'meta', key: followedPointerKey(channel), value: undefined },
      { ...appendOp(channel, last, []), truncate: last },
    ];
    if (record !== undefined) ops.push(rowOp({ type: 'channel', record: { ...record, logEpoch: null } }));
    await this.#rows.commit(term, ops);
  }

  async dismiss(term: number, channel: string, id: number): Promise<void> {
    await this.#rows.commit(term, [{ type: 'delete', store: 'rejected', channel, id }]);
  }

  async writeRecord(term: number, key: string, value: JsonValue | undefined): Promise<void> {
    await this.#rows.commit(term, [recordOp(key, value)]);
  }

  /** FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED. */
  async readRecord(key: string): Promise<unknown> {
    const bytes = await this.#rows.meta(key);
    if (bytes === undefined) return undefined;
    let parsed: { readonly format?: unknown; readonly value?: unknown };
    try {
      parsed = JSON.parse(utf8Decode(bytes)) as typeof parsed;
    } catch (cause) {
      throw new DbError('FORMAT_INVALID', `record ${key}: JSON expected`, { details: { key }, cause });
    }
    if (parsed.format !== FORMAT) {
      throw new DbError('FORMAT_VERSION_UNSUPPORTED', `record ${key}: format ${FORMAT} expected, got ${String(parsed.format)}`, {
        details: { key, expected: FORMAT, got: String(parsed.format) },
      });
    }
    return parsed.value;
  }
}

function channelKey(channel: string): string {
  return `sync/channel/${channel}`;
}

function keepKey(channel: string): string {
  return `sync/keep/${channel}`;
}

function recordOp(key: string, value: unknown): RowOp {
  return { type: 'meta', key, value: value === undefined ? undefined : utf8Encode(JSON.stringify({ format: FORMAT, value })) };
}

function appendOp(channel: string, expectedLast: number, entries: readonly Uint8Array[]): Extract<RowOp, { type: 'append' }> {
  return { type: 'append', stream: followedStream(channel), channel, expectedLast, entries };
}

/** Frames that follow each other are one append. */
function appendFrames(ops: RowOp[], channel: string, expectedLast: number, entries: readonly Uint8Array[]): void {
  const before = ops.at(-1);
  if (before?.type === 'append' && before.channel === channel && before.expectedLast + before.entries.length === expectedLast)
    ops[ops.length - 1] = { ...before, entries: [...before.entries, ...entries] };
  else ops.push(appendOp(channel, expectedLast, entries));
}

function rowOp(write: Exclude<StoreWrite, { type: 'frame' | 'swap' }>): RowOp {
  switch (write.type) {
    case 'device':
      return recordOp(DEVICE_KEY, write.device);
    case 'channel':
      return recordOp(channelKey(write.record.channel), write.record);
    case 'outbox':
      return putOp('outbox', write.entry);
    case 'kept':
      return putOp('kept', write.entry, { keptAtMs: write.entry.keptAtMs });
    case 'rejected':
      return putOp('rejected', write.entry, { code: write.entry.code });
    case 'outbox-delete':
      return { type: 'delete', store: 'outbox', channel: write.channel, id: write.id };
    case 'kept-delete':
      return { type: 'delete', store: 'kept', channel: write.channel, id: write.id };
  }
}

function putOp(store: 'outbox' | 'kept' | 'rejected', entry: OutboxEntry, more: { keptAtMs?: number; code?: string } = {}): RowOp {
  return { type: 'put', store, channel: entry.channel, id: entry.id, row: { bytes: encodeEntry(entry), sent: entry.sent, ...more } };
}
