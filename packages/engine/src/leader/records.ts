import {
  assert,
  type Op,
  type OpRecord,
  type Origin,
  type PrimaryKey,
  type SingleOp,
  type StoredValue,
  type Timestamp,
  type YjsOp,
} from '@terndb/core';
import { isOwnPut } from '../collab/types.ts';
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
  const puts = new OwnPuts(ops);
  return toBatches(ops).map(({ op, bytes }, index) => {
    const origin = { clientId, seq: seq + index };
    const record: OpRecord = { type: 'op', op: puts.bind(op), hlc: nextHlc(), ...origin, author: '', schemaVersion };
    puts.note(op, origin);
    return { record, bytes };
  });
}

/** Gives the updates that come with a put (`OWN_PUT`) its number, once it has one. They follow it in the write, and are in later batches. */
export class OwnPuts {
  readonly #isNeeded: boolean;
  readonly #origins = new Map<PrimaryKey, Origin>();

  constructor(write: readonly SingleOp[]) {
    this.#isNeeded = write.some(isOfOwnPut);
  }

  /** The next op of the write as it is to be stored. */
  bind(op: Op): Op {
    if (!this.#isNeeded) return op;
    return op.type === 'batch' ? { ...op, ops: op.ops.map((single) => this.#bound(single)) } : this.#bound(op);
  }

  /** It has this number. */
  note(op: Op, origin: Origin): void {
    if (!this.#isNeeded) return;
    for (const { type, pk } of op.type === 'batch' ? op.ops : [op]) if (type === 'put') this.#origins.set(pk, origin);
  }

  #bound(op: SingleOp): SingleOp {
    if (!isOfOwnPut(op)) return op;
    const base = this.#origins.get(op.pk);
    assert(base !== undefined, 'an update that comes with its put follows it');
    return { ...op, base };
  }
}

function isOfOwnPut(op: SingleOp): op is YjsOp {
  return op.type === 'yjs' && isOwnPut(op.base);
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
    // Its base is the number of the put's record, which must be another one.
    if (isOfOwnPut(op) || batchBytes + bytes > BATCH_BYTES) close();
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
