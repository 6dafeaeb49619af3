import { DbError, decodeFrame, encodeFrame, ZERO_HASH } from '@terndb/core';
import type { OutboxEntry } from '@terndb/sync';
import type { EntryRow } from './row-store.ts';

/**
 * A stored entry, version 1: a channel frame of core (frame-codec.ts, with its version and checksum) of one op record, whose base is the entry's
 * id and whose author is the subject that wrote it. What changes without the op (`sent`, times, codes) is beside the bytes in the row.
 * History: 1 first version.
 */
export function encodeEntry(entry: OutboxEntry): Uint8Array {
  const { id, channel, op, hlc, clientId, seq, subject, schemaVersion, origin } = entry;
  return encodeFrame({
    logEpoch: '',
    leaderEpoch: 0,
    channel,
    base: id,
    hashBefore: ZERO_HASH,
    records: [{ type: 'op', op, hlc, clientId, seq, author: subject, schemaVersion, ...(origin === undefined ? {} : { origin }) }],
  });
}

/** FORMAT_INVALID, CHECKSUM_MISMATCH, FORMAT_VERSION_UNSUPPORTED. */
export function decodeEntry({ bytes, sent }: EntryRow): OutboxEntry {
  const { channel, base, records } = decodeFrame(bytes);
  const [record] = records;
  if (record?.type !== 'op' || records.length !== 1) {
    throw new DbError('FORMAT_INVALID', `outbox entry ${base} of ${channel}: one op expected, got ${record?.type ?? 'none'}`, {
      details: { channel, id: base },
    });
  }
  const { op, hlc, clientId, seq, author, schemaVersion, origin } = record;
  const entry = { id: base, channel, op, hlc, clientId, seq, subject: author, sent, schemaVersion };
  return origin === undefined ? entry : { ...entry, origin };
}
