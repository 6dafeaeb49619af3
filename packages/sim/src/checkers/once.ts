import { compareStamps, type Frame, hashEquals, type OpRecord, type RejectRecord, stampOf } from '@terndb/core';
import type { ChannelLedger, Ledger } from '../ledger.ts';

/** Applied once: seqs of a client id are contiguous in the log, and a write is in it once per id, with one stamp. */
export function checkOnce(ledger: Ledger, channel: ChannelLedger, record: OpRecord | RejectRecord, isReplay: boolean): void {
  const last = channel.lastSeq.get(record.clientId) ?? 0;
  channel.lastSeq.set(record.clientId, record.seq);
  if (isReplay) return;
  const who = `${channel.truth.channel} ${record.clientId} seq ${record.seq} after ${last}`;
  if (record.seq !== last + 1) ledger.fail('seq-not-contiguous', who);
  if (channel.expired.has(record.clientId)) ledger.fail('seq-after-expire', who);
  if (record.type !== 'op') return;
  const info = ledger.infoOf(record.op);
  const earlier = info === undefined ? undefined : channel.accepted.get(info);
  if (info === undefined || earlier === undefined) return;
  // The outcome under the former id was unknown: ops set state, so a repetition with the same stamp changes nothing (R2).
  if (earlier.clientId === record.clientId) ledger.fail('applied-twice', `write ${info.uid}, ${who}`);
  const stamp = stampOf(record);
  if (compareStamps(earlier.stamp, stamp) !== 0) {
    ledger.fail('two-stamps', `write ${info.uid}, ${who}: ${JSON.stringify(earlier.stamp)} and ${JSON.stringify(stamp)}`);
  }
  ledger.count('harmless repetitions');
}

/** Positions are contiguous, and `hashBefore` is the hash of everything before. */
export function checkFrame(ledger: Ledger, channel: ChannelLedger, frame: Frame): void {
  const { position, hash } = channel.truth;
  const what = `${frame.channel} at ${frame.base}`;
  if (frame.base !== position + 1) ledger.fail('position-not-contiguous', `${what} after ${position}`);
  else if (!hashEquals(frame.hashBefore, hash)) ledger.fail('hash-before', what);
}
