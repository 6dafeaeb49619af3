import type { Frame, Hlc, LogRecord, PrimaryKey, Timestamp } from '@terndb/core';
import { expiryRecord } from '../expiry/expiry-record.ts';
import type { Replica } from '../replica/replica.ts';
import type { SizedFrame } from './frames.ts';
import { toRecords } from './records.ts';
import type { PartitionOps } from './resolve.ts';

/** The tab is the only leader its own universe will ever have (R14); a server's first epoch is above it. */
const LEADER_EPOCH = 1;

export interface LeaderOptions {
  readonly logEpoch: string;
  readonly clientId: string;
  readonly hlc: Hlc;
}

export interface FoldedWrite {
  readonly frames: readonly SizedFrame[];
  /** Keys whose entity changed; a key may come twice. */
  readonly keys: readonly PrimaryKey[];
}

/**
 * Stamps validated ops, numbers them, and folds them at once: the write is visible when this returns, and becomes durable when its frames
 * are in the log.
 * @throws KernelError MEMORY_LIMIT when the rows do not fit; the replica may hold a part of the write and has to go back to the durable state.
 */
export function foldWrite(leader: LeaderOptions, replica: Replica, write: PartitionOps, schemaVersion: number): FoldedWrite {
  const { clientId, hlc } = leader;
  const records = toRecords({
    ops: write.ops,
    clientId,
    seq: (replica.lmids.get(clientId)?.lmid ?? 0) + 1,
    schemaVersion,
    nextHlc: (): Timestamp => write.hlc ?? hlc.next(),
  });
  const frames: SizedFrame[] = [];
  const keys: PrimaryKey[] = [];
  for (const { record, bytes } of records) {
    const frame = nextFrame(leader, replica, record);
    for (const key of replica.applyFrame(frame).keys) keys.push(key);
    frames.push({ frame, bytes });
  }
  return { frames, keys };
}

/**
 * Deletes that a channel remembers at most: about 200 bytes each in memory. On a device that never connected nobody else writes, so there
 * is nobody whose older op a tombstone would have to hold off; beyond this the leader has all of them forgotten (R7).
 */
const MAX_TOMBSTONES = 65_536;

/** A `gc` record when there are too many tombstones: every replica forgets them at the same position. */
export function foldCollection(leader: LeaderOptions, replica: Replica, maxTombstones: number = MAX_TOMBSTONES): readonly SizedFrame[] {
  if (replica.entities.tombstones.size <= maxTombstones) return [];
  const frame = nextFrame(leader, replica, { type: 'gc', floor: leader.hlc.next() });
  replica.applyFrame(frame);
  return [{ frame, bytes: GC_BYTES }];
}

/** A `gc` record when rows have been expired for a while; see `expiryRecord`. @returns the keys of the rows that went, too. */
export function foldExpiry(leader: LeaderOptions, replica: Replica, nowMs: number): FoldedWrite | undefined {
  const record = expiryRecord(replica, nowMs);
  if (record === undefined) return undefined;
  const frame = nextFrame(leader, replica, record);
  return { keys: replica.applyFrame(frame).keys, frames: [{ frame, bytes: GC_BYTES }] };
}

/** A frame with one short record. */
const GC_BYTES = 128;

function nextFrame({ logEpoch }: LeaderOptions, replica: Replica, record: LogRecord): Frame {
  const { channel, position, hash } = replica;
  return { logEpoch, leaderEpoch: LEADER_EPOCH, channel, base: position + 1, hashBefore: hash, records: [record] };
}
