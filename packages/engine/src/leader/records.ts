import type { OpRecord, SingleOp, StoredValue, Timestamp } from '@terndb/core';
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

/** Several ops become batches, each one record with one stamp; a single op stays itself. */
export function toRecords(options: RecordOptions): SizedRecord[] {
  const records: SizedRecord[] = [];
  let batch: SingleOp[] = [];
  let batchBytes = 0;
  const close = (): void => {
    if (batch.length === 0) return;
    const op = batch.length === 1 ? batch[0]! : ({ type: 'batch', ops: batch } as const);
    const seq = options.seq + records.length;
    const { clientId, schemaVersion } = options;
    records.push({ record: { type: 'op', op, hlc: options.nextHlc(), clientId, seq, author: '', schemaVersion }, bytes: batchBytes });
    batch = [];
    batchBytes = 0;
  };
  for (const op of options.ops) {
    const bytes = opBytes(op);
    if (batchBytes + bytes > BATCH_BYTES) close();
    batch.push(op);
    batchBytes += bytes;
  }
  close();
  return records;
}

function opBytes(op: SingleOp): number {
  let bytes = OP_OVERHEAD_BYTES;
  if (op.type === 'put' || op.type === 'patch')
    for (const value of Object.values(op.fields)) bytes += approximateBytes(value as StoredValue);
  if (op.type === 'vector') bytes += approximateBytes(op.vector);
  return bytes;
}
