import type { Mask } from '../../read/filter/mask.ts';
import type { ValueLeaf } from '../../read/filter/value-test.ts';

/**
 * `sorted`: rows in the order of their values. `inverted`: the distinct values, and the rows of each. `bitmap`: the distinct values, and a bitmap of
 * the rows of each.
 */
export type ScalarStructure = 'sorted' | 'inverted' | 'bitmap';

/** An open index over one field of one segment: of all of its rows that have a value, `live` or not. */
export interface ScalarIndex {
  readonly structure: ScalarStructure;
  /** Rows for which the leaf is true (`in`: without its `negated`), found and not yet fetched. Undefined: only the column tells. */
  find(leaf: ValueLeaf): FoundRows | undefined;
}

export interface FoundRows {
  readonly structure: ScalarStructure;
  /** At most so many rows: a list counts once per item. */
  readonly count: number;
  /** Whether the leaf is true for all of them; else it is still to be asked of each. */
  readonly isExact: boolean;
  /** Whether fetching them is cheaper than looking at so many rows of the column. */
  paysOver(candidates: number): boolean;
  /** The rows, as a fresh bitmap of the segment's. */
  mask(): Mask;
}
