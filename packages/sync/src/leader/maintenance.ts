import type { Frame, LogRecord } from '@terndb/core';
import { type LeaderOptions, serverClientId } from './types.ts';

/** Records of the host's own: tombstone collection and idle clients (R7, R15). */
export interface Maintenance {
  readonly channel: string;
  readonly records: readonly LogRecord[];
}

/** A frame for each channel, and the clients that end with them. Goes alone, so that it meets no planned record. */
export function planMaintenance(
  maintenance: readonly Maintenance[],
  options: Pick<LeaderOptions, 'logEpoch' | 'leaderEpoch' | 'folds'>,
): { readonly entries: readonly Frame[]; readonly expired: readonly { readonly channel: string; readonly clientId: string }[] } {
  const { logEpoch, leaderEpoch, folds } = options;
  const byChannel = new Map<string, LogRecord[]>();
  const own = serverClientId(logEpoch);
  for (const { channel, records } of maintenance) {
    // The server's own id never starts again from 1: bases of collab updates name its seqs.
    const taken = records.filter((record) => record.type !== 'expire' || record.clientId !== own);
    if (taken.length > 0) byChannel.set(channel, [...(byChannel.get(channel) ?? []), ...taken]);
  }
  const entries: Frame[] = [];
  const expired: { channel: string; clientId: string }[] = [];
  for (const [channel, records] of byChannel) {
    const { position, hash } = folds.get(channel);
    entries.push({ logEpoch, leaderEpoch, channel, base: position + 1, hashBefore: hash, records });
    for (const record of records) if (record.type === 'expire') expired.push({ channel, clientId: record.clientId });
  }
  return { entries, expired };
}
