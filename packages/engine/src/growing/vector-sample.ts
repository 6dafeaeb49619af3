import type { PrimaryKey, SingleOp, StoredValue, StoredVector } from '@terndb/core';
import { isDenseValue } from '@terndb/core';

/**
 * A vector that these ops may bring into growing rows: one of their own, or one of a row that they patch (`storedAt`), which is written anew with
 * all its fields. Undefined: they bring none.
 */
export function vectorSample(
  field: string,
  ops: readonly SingleOp[],
  storedAt: (key: PrimaryKey, field: string) => StoredValue | undefined,
): StoredVector | undefined {
  for (const op of ops) {
    if (op.type === 'vector' && op.field === field) return op.vector;
    if (op.type === 'delete') continue;
    if (op.type === 'put' || op.type === 'patch') {
      const value = op.fields[field];
      if (isDenseValue(value)) return value;
      if (op.type === 'put' || field in op.fields) continue;
    }
    // A row that is changed elsewhere brings its vectors along.
    const stored = storedAt(op.pk, field);
    if (isDenseValue(stored)) return stored;
  }
  return undefined;
}
