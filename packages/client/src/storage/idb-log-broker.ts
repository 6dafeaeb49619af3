import { DbError, type LogBroker, type LogEntry, type StoredEntry } from '@terndb/core';
import type { IdbConnection, Transaction } from './idb-connection.ts';
import { type LogHead, type LogRow, ownBytes } from './idb-layout.ts';

/** Rows asked for at once: first few, because a frame may have 256 KiB; more while they turn out small. */
const FIRST_READ_ROWS = 32;
const MAX_READ_ROWS = 1024;

const HEAD = 0;
const EMPTY: LogHead = { first: 1, last: 0 };

/** The log in IndexedDB: one row per frame, one strict transaction per append. */
export class IdbLogBroker implements LogBroker {
  readonly #connection: IdbConnection;

  constructor(connection: IdbConnection) {
    this.#connection = connection;
  }

  async append(stream: string, expectedLast: number, entries: readonly LogEntry[]): Promise<number> {
    const rows = entries.map((entry): LogRow => ({ channel: entry.channel, bytes: ownBytes(entry.bytes) }));
    const last = expectedLast + rows.length;
    return await this.#connection.run({ stores: ['log'], mode: 'readwrite', durability: 'strict' }, async (tx, replay) => {
      const store = tx.objectStore('log');
      const head = await readHead(tx, stream);
      if (replay && rows.length > 0 && head.last === last && (await isSame(tx, stream, last, rows.at(-1)!))) return last;
      if (head.last !== expectedLast) throw appendConflict(stream, expectedLast, head.last);
      const writes = rows.map((row, index) => store.put(row, [stream, expectedLast + 1 + index]));
      await Promise.all([...writes, store.put({ first: head.first, last }, [stream, HEAD])]);
      return last;
    });
  }

  async read(stream: string, fromSequence: number, { maxBytes }: { maxBytes: number }): Promise<readonly StoredEntry[]> {
    const found: StoredEntry[] = [];
    let bytes = 0;
    let count = FIRST_READ_ROWS;
    await this.#connection.run({ stores: ['log'], mode: 'readonly' }, async (tx) => {
      const head = await readHead(tx, stream);
      let next = Math.max(fromSequence, head.first);
      while (next <= head.last && (found.length === 0 || bytes < maxBytes)) {
        const upper = Math.min(next + count - 1, head.last);
        const rows = (await tx.objectStore('log').getAll(IDBKeyRange.bound([stream, next], [stream, upper]))) as LogRow[];
        if (rows.length !== upper - next + 1) throw hole(stream, next, upper, rows.length);
        for (const [index, row] of rows.entries()) {
          if (found.length > 0 && bytes + row.bytes.byteLength > maxBytes) return;
          bytes += row.bytes.byteLength;
          found.push({ sequence: next + index, channel: row.channel, bytes: row.bytes });
        }
        next = upper + 1;
        count = Math.min(count * 2, MAX_READ_ROWS);
      }
    });
    return found;
  }

  async bounds(stream: string): Promise<{ first: number; last: number }> {
    return await this.#connection.run({ stores: ['log'], mode: 'readonly' }, (tx) => readHead(tx, stream));
  }

  async truncate(stream: string, upTo: number): Promise<void> {
    await this.#connection.run({ stores: ['log'], mode: 'readwrite', durability: 'strict' }, async (tx) => {
      const head = await readHead(tx, stream);
      const cut = Math.min(upTo, head.last);
      if (cut < head.first) return;
      const store = tx.objectStore('log');
      await Promise.all([
        store.delete(IDBKeyRange.bound([stream, 1], [stream, cut])),
        store.put({ first: cut + 1, last: head.last }, [stream, HEAD]),
      ]);
    });
  }
}

async function readHead(tx: Transaction<'readonly'> | Transaction<'readwrite'>, stream: string): Promise<LogHead> {
  const { first, last } = ((await (tx as Transaction<'readonly'>).objectStore('log').get([stream, HEAD])) as LogHead | undefined) ?? EMPTY;
  return { first, last };
}

async function isSame(tx: Transaction<'readwrite'>, stream: string, sequence: number, row: LogRow): Promise<boolean> {
  const stored = (await tx.objectStore('log').get([stream, sequence])) as LogRow | undefined;
  return stored !== undefined && stored.channel === row.channel && equalBytes(stored.bytes, row.bytes);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]);
}

function appendConflict(stream: string, expected: number, last: number): DbError {
  return new DbError('APPEND_CONFLICT', `stream ${stream}: last sequence ${expected} expected, got ${last}`, {
    details: { stream, expected, last },
  });
}

function hole(stream: string, from: number, to: number, got: number): DbError {
  return new DbError('CHECKSUM_MISMATCH', `stream ${stream}: ${to - from + 1} entries expected from ${from} to ${to}, got ${got}`, {
    details: { stream, from, to, got },
  });
}
