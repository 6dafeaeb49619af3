import type { Op, OpRecord, SingleOp, StoredValue, Timestamp } from '@terndb/core';
import { approximateBytes } from '../growing/row-bytes.ts';

/**
 * Ops of one batch record stay below about this: in UTF-8 at most three times as much, so still within the largest op of the log
 * (MAX_OP_BYTES) unless a single op is larger.
 */
const BATCH_BYTES = 128 * 1024;
/** Type, key, names and lengths of one op, roughly. */
const OP_OVERHEAD_BYTES = 64;

export interface SizedRecord {
  readonly record: OpRecord;
  readonly bytes: number;
}

export interface RecordOptions {
  readonly ops: readonly SingleOp[];
  readonly clientId: string;
  /** Of the first record; the following ones count on (R2). */
  readonly seq: number;
  readonly schemaVersion: number;
  readonly nextHlc: () => Timestamp;
}

export interface SizedOp {
  readonly op: Op;
  readonly bytes: number;
}

export function toRecords({ ops, clientId, seq, schemaVersion, nextHlc }: RecordOptions): SizedRecord[] {
  return toBatches(ops).map(({ op, bytes }, index) => ({
    record: { type: 'op', op, hlc: nextHlc(), clientId, seq: seq + index, author: '', schemaVersion },
    bytes,
  }));
}

/** Several ops become batches, each to be one record with one stamp; a single op stays itself. */
export function toBatches(ops: readonly SingleOp[]): SizedOp[] {
  const batches: SizedOp[] = [];
  let batch: SingleOp[] = [];
  let batchBytes = 0;
  const close = (): void => {
    if (batch.length === 0) return;
    batches.push({ op: batch.length === 1 ? batch[0]! : { type: 'batch', ops: batch }, bytes: batchBytes });
    batch = [];
    batchBytes = 0;
  };
  for (const op of ops) {
    const bytes = opBytes(op);
    if (batchBytes + bytes > BATCH_BYTES) close();
    batch.push(op);
    batchBytes += bytes;
  }
  close();
  return batches;
}

/** About what an op takes in a record. */
export function opBytes(op: SingleOp): number {
  if (op.type === 'vector') return OP_OVERHEAD_BYTES + op.vector.byteLength;
  if (op.type === 'yjs') return OP_OVERHEAD_BYTES + op.update.byteLength;
  let bytes = OP_OVERHEAD_BYTES;
  if (op.type === 'put' || op.type === 'patch')
    for (const value of Object.values(op.fields)) bytes += approximateBytes(value as StoredValue);
  return bytes;
}
