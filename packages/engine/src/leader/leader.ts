import { DbError, type ErrorCode, type Frame, type Hlc, type PrimaryKey, type Timestamp } from '@terndb/core';
import { KernelError } from '@terndb/kernel';
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
 * @throws MEMORY_LIMIT when the rows do not fit; the replica may hold a part of the write and has to go back to the durable state.
 */
export function foldWrite(leader: LeaderOptions, replica: Replica, write: PartitionOps, schemaVersion: number): FoldedWrite {
  const { clientId, logEpoch, hlc } = leader;
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
    const frame: Frame = {
      logEpoch,
      leaderEpoch: LEADER_EPOCH,
      channel: replica.channel,
      base: replica.position + 1,
      hashBefore: replica.hash,
      records: [record],
    };
    for (const key of fold(replica, frame)) keys.push(key);
    frames.push({ frame, bytes });
  }
  return { frames, keys };
}

function fold(replica: Replica, frame: Frame): readonly PrimaryKey[] {
  try {
    return replica.applyFrame(frame).keys;
  } catch (error) {
    throw fromKernel(error);
  }
}

/** The kernel knows no DbError; its codes are ours. */
export function fromKernel(error: unknown): DbError {
  if (!(error instanceof KernelError)) return DbError.from(error);
  return new DbError(error.code satisfies ErrorCode, error.message, { cause: error });
}
