import type { ScalarValue } from '@terndb/core';
import type { ColumnStats } from '../../segment/types.ts';
import { OUTCOMES, outcomeOf } from './compare.ts';
import type { ValueLeaf } from './value-test.ts';

/** Of the rows that have a value: the leaf is true for all of them, for none, or only looking tells. */
export type Verdict = 'all' | 'none' | 'some';

/** Outcomes of comparing values from `min` to `max` with a constant: all of them, as a set of OUTCOMES. */
function outcomesOf(min: ScalarValue, max: ScalarValue, constant: ScalarValue): number {
  const [least, most] = [outcomeOf(min, constant), outcomeOf(max, constant)];
  // From less over equal to greater: whatever lies between the two may occur.
  return least === most ? least : least === OUTCOMES.lt && most === OUTCOMES.gt ? OUTCOMES.lte | OUTCOMES.gt : least | most;
}

/**
 * What a segment's statistics say of a comparison or of a list of values, without a look at the column: the segment of last year holds nothing of this
 * one. Of other leaves they say nothing.
 */
export function verdictOf(leaf: ValueLeaf, stats: ColumnStats | undefined): Verdict {
  if (stats === undefined || stats.min === null || stats.max === null) return 'some';
  const { min, max } = stats;
  if (leaf.type === 'compare') {
    if (!isComparable(leaf.value, min)) return 'some';
    const possible = outcomesOf(min, max, leaf.value);
    const wanted = OUTCOMES[leaf.operator];
    return (possible & wanted) === 0 ? 'none' : (possible & ~wanted) === 0 ? 'all' : 'some';
  }
  if (leaf.type !== 'in') return 'some';
  const isOutside = (value: ScalarValue): boolean => isComparable(value, min) && (value < min || value > max);
  return leaf.values.every(isOutside) ? 'none' : 'some';
}

/** Numbers with bigints too. */
function isComparable(a: ScalarValue, b: ScalarValue): boolean {
  return kindOf(a) === kindOf(b);
}

function kindOf(value: ScalarValue): string {
  return typeof value === 'bigint' ? 'number' : typeof value;
}
