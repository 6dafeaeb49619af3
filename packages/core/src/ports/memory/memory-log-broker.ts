import { DbError } from '../../errors/db-error.ts';
import type { LogBroker, LogEntry, StoredEntry } from '../log-broker.ts';

interface MemoryStream {
  /** Sequence of `entries[0]`, or of the next entry when there is none. */
  first: number;
  entries: LogEntry[];
}

/** What survives a `MemoryLogBroker`: give it to the next one to reopen the same log. */
export type MemoryLog = Map<string, MemoryStream>;

/** A log broker in memory: for a tab without IndexedDB, and for tests. Durable as long as the process. */
export class MemoryLogBroker implements LogBroker {
  readonly #streams: MemoryLog;

  constructor(log: MemoryLog = new Map()) {
    this.#streams = log;
  }

  async append(stream: string, expectedLast: number, entries: readonly LogEntry[]): Promise<number> {
    const held = this.#streams.get(stream) ?? { first: 1, entries: [] };
    const last = lastOf(held);
    if (last !== expectedLast) {
      const message = `stream ${stream}: last sequence ${expectedLast} expected, got ${last}`;
      throw new DbError('APPEND_CONFLICT', message, { details: { stream, expected: expectedLast, last } });
    }
    for (const { channel, bytes } of entries) held.entries.push({ channel, bytes });
    this.#streams.set(stream, held);
    return lastOf(held);
  }

  async read(stream: string, fromSequence: number, options: { maxBytes: number }): Promise<readonly StoredEntry[]> {
    const page: StoredEntry[] = [];
    const held = this.#streams.get(stream);
    if (held === undefined) return page;
    let bytesLeft = options.maxBytes;
    for (let index = Math.max(0, fromSequence - held.first); index < held.entries.length; index++) {
      const { channel, bytes } = held.entries[index]!;
      if (page.length > 0 && bytes.length > bytesLeft) break;
      page.push({ sequence: held.first + index, channel, bytes: bytes.slice() });
      bytesLeft -= bytes.length;
    }
    return page;
  }

  async bounds(stream: string): Promise<{ first: number; last: number }> {
    const held = this.#streams.get(stream);
    return held === undefined ? { first: 1, last: 0 } : { first: held.first, last: lastOf(held) };
  }

  async truncate(stream: string, upTo: number): Promise<void> {
    const held = this.#streams.get(stream);
    if (held === undefined) return;
    const dropped = Math.min(Math.max(0, upTo - held.first + 1), held.entries.length);
    held.entries = held.entries.slice(dropped);
    held.first += dropped;
  }
}

function lastOf(stream: MemoryStream): number {
  return stream.first + stream.entries.length - 1;
}
