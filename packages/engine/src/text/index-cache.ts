import type { AnalyzerOption } from '@terndb/core';
import { FieldCache } from '../view/field-cache.ts';
import type { RowBlock } from '../view/view.ts';
import type { TextIndex } from './postings.ts';
import { TEXT_INDEX } from './text-index-kind.ts';
import { TokenIndex } from './token-index.ts';

const indexes = new FieldCache<TokenIndex>();

/** The open index file of a text field, else an index in memory of at least the block's rows. Cost: tokenising rows that no earlier call has seen. */
export function textIndexOf(block: RowBlock, field: string, analyzer?: AnalyzerOption): TextIndex {
  return block.index?.(TEXT_INDEX, field) ?? tokenIndexOf(block, field, analyzer);
}

/** Whether asking for the index costs nothing. */
export function hasTextIndex(block: RowBlock, field: string): boolean {
  return block.index?.(TEXT_INDEX, field) !== undefined;
}

export function tokenIndexOf(block: RowBlock, field: string, analyzer?: AnalyzerOption): TokenIndex {
  const index = indexes.of(block, field, () => new TokenIndex());
  if (index.rows < block.rows) index.extend(block, field, analyzer);
  return index;
}
