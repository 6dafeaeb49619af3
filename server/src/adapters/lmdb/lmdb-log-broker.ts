/**
 * Log of streams in one LMDB environment, version 1. Every value begins with its checksum (checked-value.ts); integers in values are
 * little-endian, in keys big-endian, so that their bytes are in order.
 *   streams  own key   -> u32 version; u32 last stream id given
 *            name key  -> u32 stream id; f64 first sequence held; f64 last sequence
 *   entries  u32 stream id, u64 sequence -> u16 channel bytes; channel (UTF-8); the entry
 * An entry with a sequence below `first` is forgotten though it may still be there.
 * History: 1 first version. Reads: 1. Another version -> FORMAT_VERSION_UNSUPPORTED.
 */
import { assert, DbError, type LogBroker, type LogEntry, type StoredEntry } from '@terndb/core';
import { CHECKSUM_BYTES, checked, seal } from './checked-value.ts';
import { type Bytes, LmdbEnvironment } from './environment.ts';
import { nameKey, OWN_KEY } from './keys.ts';

const VERSION = 1;
const HEADER_BYTES = 8;
const STREAM_BYTES = 20;
const CHANNEL_LENGTH_BYTES = 2;
const MAX_CHANNEL_BYTES = 0xffff;
/** Entries removed per transaction, so that appends get their turn between them. */
const REMOVED_AT_ONCE = 1_024;
/** What a page of the environment and the key cost beside the entry, for the bound of a group. */
const OVERHEAD_BYTES = 64;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

interface Stream {
  readonly id: number;
  readonly first: number;
  readonly last: number;
}

/** Streams in one LMDB environment. In memory: nothing. One process per folder; a second one is refused by sequence, as any other writer. */
export class LmdbLogBroker implements LogBroker {
  readonly #environment: LmdbEnvironment;
  readonly #streams: Bytes;
  readonly #entries: Bytes;

  private constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#streams = environment.openDatabase('streams');
    this.#entries = environment.openDatabase('entries');
  }

  /** @throws STORAGE_UNAVAILABLE, FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED. */
  static async open(folder: string): Promise<LmdbLogBroker> {
    const environment = await LmdbEnvironment.open(folder);
    try {
      const broker = new LmdbLogBroker(environment);
      await environment.view(() => broker.#lastId());
      return broker;
    } catch (error) {
      await environment.close();
      throw error;
    }
  }

  append(stream: string, expectedLast: number, entries: readonly LogEntry[]): Promise<number> {
    const values = entries.map(encodeEntry);
    const bytes = values.reduce((sum, value) => sum + value.length + OVERHEAD_BYTES, 0);
    return this.#environment.commit(bytes, () => {
      const held = this.#stream(stream);
      const last = held?.last ?? 0;
      if (last !== expectedLast) throw conflict(stream, expectedLast, last);
      if (values.length === 0) return last;
      const { id, first } = held ?? this.#newStream();
      values.forEach((value, index) => void this.#entries.put(entryKey(id, last + 1 + index), value));
      void this.#streams.put(nameKey(stream), encodeStream({ id, first, last: last + values.length }));
      return last + values.length;
    });
  }

  read(stream: string, fromSequence: number, options: { maxBytes: number }): Promise<readonly StoredEntry[]> {
    return this.#environment.view(() => {
      const page: StoredEntry[] = [];
      const held = this.#stream(stream);
      if (held === undefined) return page;
      let expected = Math.max(fromSequence, held.first);
      if (expected > held.last) return page;
      let bytes = 0;
      for (const { key, value } of this.#entries.getRange({ start: entryKey(held.id, expected), end: entryKey(held.id, held.last + 1) })) {
        const sequence = sequenceOf(key);
        if (sequence !== expected) throw lost(stream, expected, sequence);
        const entry = decodeEntry(value, sequence);
        bytes += entry.bytes.length;
        if (page.length > 0 && bytes > options.maxBytes) return page;
        page.push(entry);
        expected += 1;
      }
      if (expected <= held.last) throw lost(stream, expected, held.last + 1);
      return page;
    });
  }

  bounds(stream: string): Promise<{ first: number; last: number }> {
    return this.#environment.view(() => {
      const { first, last } = this.#stream(stream) ?? { first: 1, last: 0 };
      return { first, last };
    });
  }

  /** The entries are gone with the first transaction; their room is given back in further ones. */
  async truncate(stream: string, upTo: number): Promise<void> {
    const forgotten = await this.#environment.commit(STREAM_BYTES, () => {
      const held = this.#stream(stream);
      if (held === undefined) return undefined;
      const first = Math.min(upTo, held.last) + 1;
      if (first <= held.first) return undefined;
      void this.#streams.put(nameKey(stream), encodeStream({ ...held, first }));
      return { id: held.id, first };
    });
    if (forgotten === undefined) return;
    const { id, first } = forgotten;
    // From the very beginning: what a killed process left behind goes too.
    const range = { start: entryKey(id, 0), end: entryKey(id, first), limit: REMOVED_AT_ONCE };
    for (let removed = REMOVED_AT_ONCE; removed === REMOVED_AT_ONCE; ) {
      removed = await this.#environment.commit(REMOVED_AT_ONCE * OVERHEAD_BYTES, () => {
        const keys = [...this.#entries.getKeys(range)];
        for (const key of keys) void this.#entries.remove(key);
        return keys.length;
      });
    }
  }

  /** Finishes what was asked for. */
  close(): Promise<void> {
    return this.#environment.close();
  }

  #stream(name: string): Stream | undefined {
    const value = this.#streams.get(nameKey(name));
    if (value === undefined) return undefined;
    const bytes = checked(value, STREAM_BYTES, () => `stream ${JSON.stringify(name)}`);
    return { id: bytes.readUInt32LE(0), first: bytes.readDoubleLE(4), last: bytes.readDoubleLE(12) };
  }

  /** Inside a transaction. */
  #newStream(): Stream {
    const id = this.#lastId() + 1;
    const header = Buffer.alloc(CHECKSUM_BYTES + HEADER_BYTES);
    header.writeUInt32LE(VERSION, CHECKSUM_BYTES);
    header.writeUInt32LE(id, CHECKSUM_BYTES + 4);
    void this.#streams.put(OWN_KEY, seal(header));
    return { id, first: 1, last: 0 };
  }

  #lastId(): number {
    const value = this.#streams.get(OWN_KEY);
    if (value === undefined) return 0;
    const bytes = checked(value, HEADER_BYTES, () => 'log header');
    const version = bytes.readUInt32LE(0);
    if (version === VERSION) return bytes.readUInt32LE(4);
    throw new DbError('FORMAT_VERSION_UNSUPPORTED', `log: version ${VERSION} expected, got ${version}`, {
      details: { expected: VERSION, version },
    });
  }
}

function entryKey(id: number, sequence: number): Buffer {
  const key = Buffer.alloc(12);
  key.writeUInt32BE(id, 0);
  key.writeUInt32BE(Math.floor(sequence / 2 ** 32), 4);
  key.writeUInt32BE(sequence % 2 ** 32, 8);
  return key;
}

function sequenceOf(key: Buffer): number {
  return key.readUInt32BE(4) * 2 ** 32 + key.readUInt32BE(8);
}

function encodeStream({ id, first, last }: Stream): Buffer {
  const value = Buffer.alloc(CHECKSUM_BYTES + STREAM_BYTES);
  value.writeUInt32LE(id, CHECKSUM_BYTES);
  value.writeDoubleLE(first, CHECKSUM_BYTES + 4);
  value.writeDoubleLE(last, CHECKSUM_BYTES + 12);
  return seal(value);
}

function encodeEntry({ channel, bytes }: LogEntry): Buffer {
  const name = encoder.encode(channel);
  assert(name.length <= MAX_CHANNEL_BYTES, () => `channel: at most ${MAX_CHANNEL_BYTES} bytes expected, got ${name.length}`);
  const head = CHECKSUM_BYTES + CHANNEL_LENGTH_BYTES;
  const value = Buffer.allocUnsafeSlow(head + name.length + bytes.length);
  value.writeUInt16LE(name.length, CHECKSUM_BYTES);
  value.set(name, head);
  value.set(bytes, head + name.length);
  return seal(value);
}

/** Copies: what is read belongs to the reader. */
function decodeEntry(value: Uint8Array, sequence: number): StoredEntry {
  const bytes = checked(value, CHANNEL_LENGTH_BYTES, () => `log entry ${sequence}`);
  const end = CHANNEL_LENGTH_BYTES + bytes.readUInt16LE(0);
  if (end > bytes.length) throw new DbError('FORMAT_INVALID', `log entry ${sequence}: its channel reaches byte ${end} of ${bytes.length}`);
  return { sequence, channel: decoder.decode(bytes.subarray(CHANNEL_LENGTH_BYTES, end)), bytes: Uint8Array.from(bytes.subarray(end)) };
}

function conflict(stream: string, expected: number, last: number): DbError {
  const message = `stream ${stream}: last sequence ${expected} expected, got ${last}`;
  return new DbError('APPEND_CONFLICT', message, { details: { stream, expected, last } });
}

function lost(stream: string, expected: number, got: number): DbError {
  const message = `stream ${stream}: entry ${expected} expected, got ${got}`;
  return new DbError('CHECKSUM_MISMATCH', message, { details: { stream, expected, got } });
}
