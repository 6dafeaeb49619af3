import { analyze, compileMatch, type MatchNode } from '@terndb/core';
import { andInto, createBitmap, setBit } from '../bitmap/bitmap.ts';
import { rowsWhere } from '../read/filter/compare.ts';
import { isEmptyMask, type Mask, type MaskView } from '../read/filter/mask.ts';
import type { RowBlock } from '../view/view.ts';
import { tokenIndexOf } from './index-cache.ts';
import type { TokenIndex } from './token-index.ts';

/** A share of a block's rows below which tokenising them costs less than an index of all. */
const FEW_ROWS = 1 / 16;

/** Whether a `match` over `candidates` rows is answered from the block's token index, which stays for the next one. */
export function isIndexWorth(block: RowBlock, candidates: number): boolean {
  return block.cacheKey !== undefined && candidates > block.rows * FEW_ROWS;
}

/** Rows of `mask` whose text holds any token of `text`, or with `phrase` all of them, adjacent and in order. */
export function matchTexts(block: RowBlock, query: MatchNode, mask: MaskView): Mask {
  const tokens = [...new Set(analyze(query.text, query.analyzer, 'query').map(({ term }) => term))];
  const index = tokenIndexOf(block, query.field, query.analyzer);
  const hits = createBitmap(block.rows);
  if (query.mode === 'any') {
    for (const token of tokens) setRows(hits, index, token, block.rows);
    andInto(hits, mask);
    return hits;
  }
  hits.set(mask.subarray(0, hits.length));
  for (const token of tokens) {
    if (isEmptyMask(hits)) return hits;
    const holding = createBitmap(block.rows);
    setRows(holding, index, token, block.rows);
    andInto(hits, holding);
  }
  // All words are there; whether side by side only the text knows.
  const hasPhrase = compileMatch(query);
  return tokens.length === 0
    ? createBitmap(block.rows)
    : rowsWhere(hits, block.rows, (row) => hasPhrase(block.valueAt(query.field, row) as string));
}

/** An index of growing rows may be ahead of the view. */
function setRows(target: Mask, index: TokenIndex, token: string, rows: number): void {
  const postings = index.postings(token);
  if (postings === undefined) return;
  for (const offset of postings.offsets) {
    if (offset >= rows) break;
    setBit(target, offset);
  }
}
