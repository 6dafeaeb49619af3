import type { FilterNode, PrimaryKey } from '@terndb/core';
import { createBitmap, setBit } from '../bitmap/bitmap.ts';
import type { ReadContext } from '../read/context.ts';
import { filterMask } from '../read/filter/evaluate.ts';
import { isEmptyMask, type Mask } from '../read/filter/mask.ts';
import type { Matched } from '../read/search/ranking.ts';
import type { RowBlock } from '../view/view.ts';

/** Keys that changed since the last look, by partition. */
export type ChangedKeys = ReadonlyMap<string, ReadonlySet<PrimaryKey>>;

/** One live request: how to evaluate it, and what a change would have to be to alter its result. */
export interface Watched<R> {
  /** The whole result; remembers what `couldMatter` needs. Throws what the read would. */
  evaluate(context: ReadContext): R;
  /** False only when evaluating again would give the same result. Called after an `evaluate` that succeeded. */
  couldMatter(context: ReadContext, changed: ChangedKeys): boolean;
  /** Nothing that a caller could see differs; tokens and ages aside. */
  same(a: R, b: R): boolean;
}

/** The visible rows among the changed keys that pass the filter. Cost: a lookup per key and one filter evaluation over what is found. */
export function changedRows(context: ReadContext, changed: ChangedKeys, node: FilterNode): Matched[] {
  const found: Matched[] = [];
  for (const [partition, { partition: name, view }] of context.partitions.entries()) {
    const masks = new Map<RowBlock, Mask>();
    for (const key of changed.get(name) ?? []) {
      const at = view.find(key);
      if (at === undefined) continue;
      let mask = masks.get(at.block);
      if (mask === undefined) {
        mask = createBitmap(at.block.rows);
        masks.set(at.block, mask);
      }
      setBit(mask, at.offset);
    }
    for (const [block, rows] of masks) {
      const mask = filterMask(block, node, context.definition, rows);
      if (!isEmptyMask(mask)) found.push({ partition, block, mask });
    }
  }
  return found;
}

export function sameList<T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean = Object.is): boolean {
  return a.length === b.length && a.every((item, i) => same(item, b[i]!));
}
