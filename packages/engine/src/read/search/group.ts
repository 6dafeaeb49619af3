import { keyFieldOf } from '@terndb/core';
import { countBits } from '../../bitmap/bitmap.ts';
import type { RowBlock } from '../../view/view.ts';
import type { ReadContext } from '../context.ts';
import type { Page } from '../request.ts';
import { type SortValue, sortReader } from '../sort-values.ts';
import type { Steps } from './jobs.ts';
import type { Matched, Ranker, Scored } from './ranking.ts';

export interface Grouping {
  readonly field: string;
  /** Hits per group at most. */
  readonly size: number;
}

/** Factor by which the list grows while groups are missing or not full. */
const GROWTH = 8;

/**
 * Groups by their best hit, each with its best hits, one group after the other; the null group is one like the others. The list that groups are
 * picked from grows until the first `offset + limit` groups are full, or nothing is left: grouping never loses a hit.
 */
export function* rankGroups(
  context: ReadContext,
  matched: readonly Matched[],
  rank: Ranker,
  grouping: Grouping,
  page: Page,
): Steps<Scored[][]> {
  const wanted = page.offset + page.limit;
  const total = matched.reduce((sum, { mask }) => sum + countBits(mask), 0);
  const read = groupReader(context, grouping.field);
  for (let k = Math.min(total, wanted * grouping.size * 2); ; k = Math.min(total, k * GROWTH)) {
    const rows = yield* rank(context, matched, k);
    const groups = groupRows(rows, read, grouping.size, wanted);
    const complete = groups.length === wanted && groups.every((group) => group.length === grouping.size);
    if (complete || rows.length < k || k === total) return groups;
  }
}

function groupRows(rows: readonly Scored[], read: (row: Scored) => SortValue, size: number, wanted: number): Scored[][] {
  const groups = new Map<SortValue, Scored[]>();
  for (const row of rows) {
    const value = read(row);
    const group = groups.get(value);
    if (group === undefined) {
      if (groups.size < wanted) groups.set(value, [row]);
    } else if (group.length < size) group.push(row);
  }
  return [...groups.values()];
}

/** Values of one field that are equal are `===`, whatever the column's layout. */
function groupReader(context: ReadContext, field: string): (row: Scored) => SortValue {
  const keyField = keyFieldOf(context.definition).name;
  const readers = new Map<RowBlock, (offset: number) => SortValue>();
  return ({ block, offset }) => {
    let read = readers.get(block);
    if (read === undefined) {
      read = sortReader(block, field, keyField);
      readers.set(block, read);
    }
    const value = read(offset);
    return typeof value === 'bigint' ? normalize(value) : typeof value === 'boolean' ? Number(value) : value;
  };
}

function normalize(value: bigint): SortValue {
  const rounded = Number(value);
  return Number.isSafeInteger(rounded) ? rounded : value;
}
