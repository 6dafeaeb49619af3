import { DbError, decodeFrame, type Frame, type LogBroker } from '@terndb/core';
import { LogTail } from '../leader/log-tail.ts';

/** Bytes of entries read at once: large enough to be few reads, small enough to be thrown away soon. */
const READ_BYTES = 4 * 1024 * 1024;

export interface ReplayTarget {
  /** Applies a frame to the channel it belongs to. */
  readonly apply: (frame: Frame) => void;
  /** The entry cannot be read or applied: its channel goes no further. */
  readonly damaged: (channel: string, error: DbError) => void;
}

/**
 * Reads the stream from its first entry. An entry that is damaged ends its channel and no other: a torn last entry was never acknowledged
 * and the broker has dropped it, so whatever is damaged here was acknowledged once.
 * @returns where the stream ends and what of it no manifest covers yet (the caller seals the channels that have one).
 */
export async function replayLog(log: LogBroker, stream: string, target: ReplayTarget): Promise<LogTail> {
  const bounds = await log.bounds(stream);
  const tail = new LogTail(bounds);
  const stopped = new Set<string>();
  for (let sequence = bounds.first; sequence <= bounds.last; ) {
    const entries = await log.read(stream, sequence, { maxBytes: READ_BYTES });
    if (entries.length === 0) break;
    for (const entry of entries) {
      if (stopped.has(entry.channel)) keepDamaged(tail, entry);
      else {
        try {
          const frame = decodeFrame(entry.bytes);
          target.apply(frame);
          tail.add(entry.channel, { sequence: entry.sequence, lastPosition: frame.base + frame.records.length - 1 });
        } catch (error) {
          stopped.add(entry.channel);
          keepDamaged(tail, entry);
          target.damaged(entry.channel, entryDamage(entry.channel, entry.sequence, error));
        }
      }
      sequence = entry.sequence + 1;
    }
  }
  return tail;
}

/** What cannot be read is never truncated: a later version, or a person, may read more of it. */
function keepDamaged(tail: LogTail, entry: { readonly channel: string; readonly sequence: number }): void {
  tail.add(entry.channel, { sequence: entry.sequence, lastPosition: Number.POSITIVE_INFINITY });
}

/** What is said of a channel whose log cannot be read from there. CHECKSUM_MISMATCH, or FORMAT_VERSION_UNSUPPORTED. */
export function entryDamage(channel: string, sequence: number, error: unknown): DbError {
  const cause = DbError.from(error);
  const code = cause.code === 'FORMAT_VERSION_UNSUPPORTED' ? cause.code : 'CHECKSUM_MISMATCH';
  return new DbError(
    code,
    `log entry ${sequence} of channel ${channel} cannot be read: ${cause.message}; the channel is read-only from there`,
    {
      details: { channel, sequence, reason: cause.code },
      cause,
    },
  );
}
