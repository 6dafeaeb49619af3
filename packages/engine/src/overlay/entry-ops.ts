import type { Op, PrimaryKey, SingleOp } from '@terndb/core';
import { opBytes } from '../leader/records.ts';

export function opsOf(op: Op): readonly SingleOp[] {
  return op.type === 'batch' ? op.ops : [op];
}

/** In the order of the op. */
export function opsByKey(op: Op): ReadonlyMap<PrimaryKey, readonly SingleOp[]> {
  const byKey = new Map<PrimaryKey, SingleOp[]>();
  for (const single of opsOf(op)) {
    const known = byKey.get(single.pk);
    if (known === undefined) byKey.set(single.pk, [single]);
    else known.push(single);
  }
  return byKey;
}

/** Roughly. */
export function opsBytes(op: Op): number {
  return opsOf(op).reduce((sum, single) => sum + opBytes(single), 0);
}
