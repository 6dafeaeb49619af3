import { type Frame, type PrimaryKey, type SingleOp, type Stamp, stampOf, type Timestamp } from '@terndb/core';

/** What the log says of one key over a range: enough to tell from the row after it what the range has changed. */
export interface Touch {
  /** Of all ops on the key: a register that has one of them was set in the range. */
  readonly stamps: Stamp[];
  /** Fields whose value may change without their register's stamp: merged documents, derived vectors. */
  fields: Set<string> | undefined;
}

/** Keys that a range of the log names. Bounded by its caller, by `size`. */
export class Touched {
  readonly keys: Map<PrimaryKey, Touch> = new Map();
  /** Rows put before it are gone without being named; 0: none. */
  expiredBefore: Timestamp = 0 as Timestamp;

  get size(): number {
    return this.keys.size;
  }

  /** Of a frame only what lies behind `after` and not behind `upTo`. */
  add({ base, records }: Frame, { after, upTo }: { readonly after: number; readonly upTo: number }): void {
    for (const [index, record] of records.entries()) {
      if (base + index <= after || base + index > upTo) continue;
      if (record.type === 'gc') this.expiredBefore = Math.max(this.expiredBefore, record.expiredBefore ?? 0) as Timestamp;
      if (record.type !== 'op') continue;
      const stamp = stampOf(record);
      for (const op of record.op.type === 'batch' ? record.op.ops : [record.op]) this.#touch(op, stamp);
    }
  }

  /** A key that the log does not name. */
  addKey(key: PrimaryKey): void {
    if (!this.keys.has(key)) this.keys.set(key, { stamps: [], fields: undefined });
  }

  #touch(op: SingleOp, stamp: Stamp): void {
    let touch = this.keys.get(op.pk);
    if (touch === undefined) {
      touch = { stamps: [], fields: undefined };
      this.keys.set(op.pk, touch);
    }
    touch.stamps.push(stamp);
    if (op.type !== 'yjs' && op.type !== 'vector') return;
    touch.fields ??= new Set();
    touch.fields.add(op.field);
  }
}
