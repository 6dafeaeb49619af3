import { countBits, testBit } from '../bitmap/bitmap.ts';
import type { RowBlock } from '../view/view.ts';
import { forEachPosting, type PostingList, type TextIndex } from './postings.ts';

/** Per set of live rows, which is a new array with every change: how many rows are live, and the totals of text fields over them. */
interface LiveNumbers {
  readonly rows: number;
  readonly totals: Map<TextIndex, Totals>;
}
export interface Totals {
  readonly texts: number;
  readonly tokens: number;
}
const numbers = new WeakMap<Uint32Array, LiveNumbers>();

function numbersOf({ live, rows, sortedByKey }: RowBlock): LiveNumbers {
  // Growing blocks of several lengths may share one array.
  const known = sortedByKey ? numbers.get(live) : undefined;
  if (known !== undefined) return known;
  const made = { rows: Math.min(rows, countBits(live)), totals: new Map<TextIndex, Totals>() };
  if (sortedByKey) numbers.set(live, made);
  return made;
}

export function hasDeadRows(block: RowBlock): boolean {
  return numbersOf(block).rows < block.rows;
}

/** Live rows of the block with a term in the field, and terms in them: exact. Cost: per change of the live rows, a pass over the lengths. */
export function liveTotals(block: RowBlock, index: TextIndex): Totals {
  const live = numbersOf(block);
  if (live.rows === block.rows && index.totals !== undefined) return index.totals;
  const known = live.totals.get(index);
  if (known !== undefined) return known;
  let texts = 0;
  let tokens = 0;
  for (let offset = 0; offset < block.rows; offset++) {
    const length = index.lengths[offset]!;
    if (length === 0 || !testBit(block.live, offset)) continue;
    texts++;
    tokens += length;
  }
  const totals = { texts, tokens };
  live.totals.set(index, totals);
  return totals;
}

/** Live rows of a list: without dead rows in the block it is known, else counted. */
export function liveCount(block: RowBlock, list: PostingList): number {
  if (!hasDeadRows(block)) return list.count;
  let count = 0;
  forEachPosting(list, (offset) => {
    if (testBit(block.live, offset)) count++;
  });
  return count;
}
