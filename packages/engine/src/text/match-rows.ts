import { analyzerOf, compileMatch, holdsPhrase, type MatchNode, type PhraseTerm } from '@terndb/core';
import { andInto, createBitmap, setBit, testBit } from '../bitmap/bitmap.ts';
import { rowsWhere } from '../read/filter/compare.ts';
import { isEmptyMask, type Mask, type MaskView } from '../read/filter/mask.ts';
import type { RowBlock } from '../view/view.ts';
import { hasTextIndex, textIndexOf } from './index-cache.ts';
import { forEachPosting, PostingCursor, type PostingList } from './postings.ts';

/** A share of a block's rows below which tokenising them costs less than an index of all. */
const FEW_ROWS = 1 / 16;

/** Whether a `match` over `candidates` rows is answered from a text index: one that is there, or that is worth making and stays for the next one. */
export function isIndexWorth(block: RowBlock, field: string, candidates: number): boolean {
  return hasTextIndex(block, field) || (block.cacheKey !== undefined && candidates > block.rows * FEW_ROWS);
}

/** Rows of `mask` whose text matches, by the index. */
export function matchTexts(block: RowBlock, query: MatchNode, mask: MaskView): Mask {
  const phrase = analyzerOf(query.analyzer).queryTokens(query.text);
  const terms = new Set(phrase.map(({ term }) => term));
  const index = textIndexOf(block, query.field, query.analyzer);
  const lists = new Map<string, PostingList>();
  for (const term of terms) {
    const list = index.list(term, block.rows);
    if (list !== undefined) lists.set(term, list);
  }
  if (query.mode === 'phrase')
    return terms.size === 0 || lists.size < terms.size ? createBitmap(block.rows) : phrases(block, query, phrase, lists, mask);
  const needed = Math.max(1, Math.min(query.minimum ?? 1, terms.size));
  return needed <= 1 ? anyOf(lists, mask, block.rows) : atLeast(needed, lists, mask, block.rows);
}

function anyOf(lists: ReadonlyMap<string, PostingList>, mask: MaskView, rows: number): Mask {
  const hits = createBitmap(rows);
  for (const list of lists.values()) setRows(hits, list);
  andInto(hits, mask);
  return hits;
}

function atLeast(needed: number, lists: ReadonlyMap<string, PostingList>, mask: MaskView, rows: number): Mask {
  const hits = createBitmap(rows);
  if (lists.size < needed) return hits;
  const counts = new Uint16Array(rows);
  for (const list of lists.values()) {
    forEachPosting(list, (offset) => {
      counts[offset]!++;
    });
  }
  for (let row = 0; row < rows; row++) if (counts[row]! >= needed && testBit(mask, row)) setBit(hits, row);
  return hits;
}

function phrases(
  block: RowBlock,
  query: MatchNode,
  phrase: readonly PhraseTerm[],
  lists: ReadonlyMap<string, PostingList>,
  mask: MaskView,
): Mask {
  const { rows } = block;
  const hits = createBitmap(rows);
  hits.set(mask.subarray(0, hits.length));
  for (const list of [...lists.values()].sort((a, b) => a.count - b.count)) {
    if (isEmptyMask(hits)) return hits;
    const holding = createBitmap(rows);
    setRows(holding, list);
    andInto(hits, holding);
  }
  // All words are there. Where, the index says if it is a file; else only the text knows.
  const cursors = new Map([...lists].map(([term, list]) => [term, new PostingCursor(list)]));
  const positionsAt = (row: number): ((term: string) => ArrayLike<number>) | undefined => {
    const found = new Map<string, Uint32Array>();
    for (const [term, cursor] of cursors) {
      cursor.advance(row);
      const positions = cursor.positions();
      if (positions === undefined) return undefined;
      found.set(term, positions);
    }
    return (term) => found.get(term)!;
  };
  const textHolds = compileMatch(query);
  return rowsWhere(hits, rows, (row) => {
    const positionsOf = positionsAt(row);
    return positionsOf === undefined
      ? textHolds(block.valueAt(query.field, row) as string)
      : holdsPhrase(phrase, query.slop ?? 0, positionsOf);
  });
}

function setRows(target: Mask, list: PostingList): void {
  forEachPosting(list, (offset) => {
    setBit(target, offset);
  });
}
