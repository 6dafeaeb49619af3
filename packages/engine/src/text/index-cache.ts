import type { AnalyzerOption } from '@terndb/core';
import type { RowBlock } from '../view/view.ts';
import type { TextIndex } from './postings.ts';
import { TEXT_INDEX } from './text-index-kind.ts';
import { TokenIndex } from './token-index.ts';

/**
 * Token indexes live as long as what they index: they hang on the block's `cacheKey`, the same object for every view of one segment or of one
 * run of growing rows, and go with it. Rows at given offsets never change under a cache key; rows may be added.
 */
const indexes = new WeakMap<object, Map<string, TokenIndex>>();

/** The open index file of a text field, else an index in memory of at least the block's rows. Cost: tokenising rows that no earlier call has seen. */
export function textIndexOf(block: RowBlock, field: string, analyzer?: AnalyzerOption): TextIndex {
  return block.index?.(TEXT_INDEX, field) ?? tokenIndexOf(block, field, analyzer);
}

/** Whether asking for the index costs nothing. */
export function hasTextIndex(block: RowBlock, field: string): boolean {
  return block.index?.(TEXT_INDEX, field) !== undefined;
}

export function tokenIndexOf(block: RowBlock, field: string, analyzer?: AnalyzerOption): TokenIndex {
  const key = block.cacheKey ?? block;
  let byField = indexes.get(key);
  if (byField === undefined) {
    byField = new Map();
    indexes.set(key, byField);
  }
  let index = byField.get(field);
  if (index === undefined) {
    index = new TokenIndex();
    byField.set(field, index);
  }
  if (index.rows < block.rows) index.extend(block, field, analyzer);
  return index;
}
