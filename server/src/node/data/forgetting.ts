import { type LogRecord, timestampFromMs } from '@terndb/core';
import type { NodeChannel } from '../channels/node-channel.ts';

/** Expiries in one frame: the rest comes with the next round. */
const MAX_EXPIRIES = 1_024;

/** Records that a channel is due (R7, R15): forget old tombstones, forget idle clients. Cost: one pass over both. */
export function forgettingRecords(
  channel: NodeChannel,
  nowMs: number,
  limits: { readonly tombstoneHorizonMs: number; readonly expireIdleMs: number },
): readonly LogRecord[] {
  const { replica } = channel.channel;
  const records: LogRecord[] = [];
  const floor = timestampFromMs(Math.max(0, nowMs - limits.tombstoneHorizonMs));
  if (replica.entities.tombstones.sorted().some((tombstone) => tombstone.delete.hlc < floor)) records.push({ type: 'gc', floor });
  const idleSince = timestampFromMs(Math.max(0, nowMs - limits.expireIdleMs));
  for (const { clientId, lastHlc } of replica.lmids.values()) {
    if (records.length === MAX_EXPIRIES) break;
    if (lastHlc < idleSince) records.push({ type: 'expire', clientId });
  }
  return records;
}
