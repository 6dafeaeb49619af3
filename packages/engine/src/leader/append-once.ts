import { DbError, type LogBroker, type LogEntry, type StoredEntry } from '@terndb/core';

export interface AppendTarget {
  readonly log: LogBroker;
  readonly stream: string;
}

/** Bytes read at once while looking for our own entries. */
const READ_BYTES = 1024 * 1024;

/**
 * Appends, and after a failure looks what became of it (R17: an unknown append is never guessed): our bytes at the expected place are a
 * success whose answer was lost; nothing there is the failure it says; other bytes are another writer.
 * @returns the sequence of the last entry. @throws the append's error, or APPEND_CONFLICT.
 */
export async function appendOnce(target: AppendTarget, expectedLast: number, entries: readonly LogEntry[]): Promise<number> {
  try {
    return await target.log.append(target.stream, expectedLast, entries);
  } catch (error) {
    const bounds = await target.log.bounds(target.stream).catch(() => undefined);
    if (bounds === undefined || bounds.last <= expectedLast) throw error;
    if (await areOurs(target, expectedLast, entries)) return expectedLast + entries.length;
    if (error instanceof DbError && error.code === 'APPEND_CONFLICT') throw error;
    throw new DbError(
      'APPEND_CONFLICT',
      `stream ${target.stream}: last sequence ${expectedLast} expected, got ${bounds.last} by another writer`,
      {
        details: { stream: target.stream, expected: expectedLast, last: bounds.last },
        cause: error,
      },
    );
  }
}

async function areOurs({ log, stream }: AppendTarget, expectedLast: number, entries: readonly LogEntry[]): Promise<boolean> {
  for (let index = 0; index < entries.length; ) {
    const stored = await log.read(stream, expectedLast + 1 + index, { maxBytes: READ_BYTES });
    if (stored.length === 0) return false;
    for (const entry of stored.slice(0, entries.length - index)) if (!isSame(entry, entries[index++]!)) return false;
  }
  return true;
}

function isSame(stored: StoredEntry, entry: LogEntry): boolean {
  const { bytes } = entry;
  return (
    stored.channel === entry.channel && stored.bytes.length === bytes.length && stored.bytes.every((byte, index) => byte === bytes[index])
  );
}
