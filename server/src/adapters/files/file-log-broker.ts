/**
 * A stream is a record file. Its base is the sequence before the first entry; each record is one append, version 1:
 *   u32 count; count * { u32 channel bytes; u32 entry bytes }; then the channels (UTF-8) and entries, alternating
 */
import { join } from 'node:path';
import { DbError, type LogBroker, type LogEntry, type StoredEntry } from '@terndb/core';
import { openFolder } from './durable.ts';
import { RecordFile, type RecordPlace } from './record-file.ts';
import { storageError } from './storage-error.ts';
import { Turns } from './turns.ts';

const SUFFIX = '.log';
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

interface AppendPlace {
  /** Sequence of its first entry. */
  readonly first: number;
  readonly count: number;
  readonly place: RecordPlace;
}
interface Stream {
  file: RecordFile;
  /** Entries below are forgotten, though their append may still be held. */
  first: number;
  last: number;
  appends: AppendPlace[];
}

/** Streams as files of one folder. In memory: where each append lies. */
export class FileLogBroker implements LogBroker {
  readonly #folder: string;
  readonly #streams = new Map<string, Promise<Stream>>();
  readonly #turns = new Map<string, Turns>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<FileLogBroker> {
    try {
      await openFolder(folder);
    } catch (error) {
      throw storageError(error, `log ${folder}`);
    }
    return new FileLogBroker(folder);
  }

  append(stream: string, expectedLast: number, entries: readonly LogEntry[]): Promise<number> {
    return this.#inTurn(stream, async (held) => {
      if (held.last !== expectedLast) throw conflict(stream, expectedLast, held.last);
      if (entries.length === 0) return held.last;
      const place = await held.file.append(encodeAppend(entries));
      held.appends.push({ first: held.last + 1, count: entries.length, place });
      held.last += entries.length;
      return held.last;
    });
  }

  read(stream: string, fromSequence: number, options: { maxBytes: number }): Promise<readonly StoredEntry[]> {
    return this.#inTurn(stream, async (held) => {
      const from = Math.max(fromSequence, held.first);
      const page: StoredEntry[] = [];
      let bytes = 0;
      for (const append of held.appends) {
        if (append.first + append.count <= from) continue;
        for (const entry of decodeAppend(await held.file.read(append.place), append.first)) {
          if (entry.sequence < from) continue;
          bytes += entry.bytes.length;
          if (page.length > 0 && bytes > options.maxBytes) return page;
          page.push(entry);
        }
      }
      return page;
    });
  }

  bounds(stream: string): Promise<{ first: number; last: number }> {
    return this.#inTurn(stream, async ({ first, last }) => ({ first, last }));
  }

  /** Writes what remains into a new file: rare, and the log is kept short by it. */
  truncate(stream: string, upTo: number): Promise<void> {
    return this.#inTurn(stream, async (held) => {
      const first = Math.min(upTo, held.last) + 1;
      if (first <= held.first) return;
      const kept: StoredEntry[] = [];
      for (const append of held.appends) {
        if (append.first + append.count <= first) continue;
        kept.push(...decodeAppend(await held.file.read(append.place), append.first).filter(({ sequence }) => sequence >= first));
      }
      await RecordFile.rewrite(this.#path(stream), first - 1, kept.length === 0 ? [] : [encodeAppend(kept)]);
      await held.file.close();
      Object.assign(held, await openStream(this.#path(stream)));
    });
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    for (const [name, opening] of this.#streams) await this.#turns.get(name)?.take(async () => (await opening).file.close());
    this.#streams.clear();
  }

  /** One operation per stream at a time: an append knows the end, a read never sees half of a truncation. */
  #inTurn<T>(stream: string, operation: (held: Stream) => Promise<T>): Promise<T> {
    const turns = this.#turns.get(stream) ?? new Turns();
    this.#turns.set(stream, turns);
    return turns.take(async () => {
      try {
        return await operation(await this.#open(stream));
      } catch (error) {
        throw storageError(error, `stream ${JSON.stringify(stream)}`);
      }
    });
  }

  #open(stream: string): Promise<Stream> {
    let opening = this.#streams.get(stream);
    if (opening === undefined) {
      opening = openStream(this.#path(stream));
      this.#streams.set(stream, opening);
      // A failure is told to whoever asked; the next one tries again.
      opening.catch(() => this.#streams.delete(stream));
    }
    return opening;
  }

  /** Names may be anything, so the file is named by their bytes. */
  #path(stream: string): string {
    return join(this.#folder, `s${Buffer.from(stream).toString('hex')}${SUFFIX}`);
  }
}

async function openStream(path: string): Promise<Stream> {
  const { file, base, records } = await RecordFile.open(path);
  const appends: AppendPlace[] = [];
  let last = base;
  for (const { place, payload } of records) {
    const count = decodeAppend(payload, last + 1).length;
    appends.push({ first: last + 1, count, place });
    last += count;
  }
  return { file, first: base + 1, last, appends };
}

function encodeAppend(entries: readonly LogEntry[]): Uint8Array {
  const channels = entries.map(({ channel }) => encoder.encode(channel));
  const bodies = entries.reduce((sum, { bytes }, i) => sum + bytes.length + channels[i]!.length, 0);
  const bytes = new Uint8Array(4 + 8 * entries.length + bodies);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, entries.length, true);
  let at = 4 + 8 * entries.length;
  entries.forEach((entry, i) => {
    view.setUint32(4 + 8 * i, channels[i]!.length, true);
    view.setUint32(8 + 8 * i, entry.bytes.length, true);
    bytes.set(channels[i]!, at);
    bytes.set(entry.bytes, at + channels[i]!.length);
    at += channels[i]!.length + entry.bytes.length;
  });
  return bytes;
}

/** Fresh copies: what is read belongs to the reader. The record's checksum was right, so a length that does not fit is a writer's bug. */
function decodeAppend(bytes: Uint8Array, first: number): StoredEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length >= 4 ? view.getUint32(0, true) : -1;
  let at = 4 + 8 * count;
  if (count < 0 || at > bytes.length) throw new DbError('FORMAT_INVALID', `log record: ${count} entries in ${bytes.length} bytes`);
  const entries: StoredEntry[] = [];
  for (let i = 0; i < count; i++) {
    const channelEnd = at + view.getUint32(4 + 8 * i, true);
    const end = channelEnd + view.getUint32(8 + 8 * i, true);
    if (end > bytes.length) throw new DbError('FORMAT_INVALID', `log record: entry ${i} reaches byte ${end} of ${bytes.length}`);
    entries.push({ sequence: first + i, channel: decoder.decode(bytes.subarray(at, channelEnd)), bytes: bytes.slice(channelEnd, end) });
    at = end;
  }
  return entries;
}

function conflict(stream: string, expected: number, last: number): DbError {
  const message = `stream ${stream}: last sequence ${expected} expected, got ${last}`;
  return new DbError('APPEND_CONFLICT', message, { details: { stream, expected, last } });
}
