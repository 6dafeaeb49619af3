import { analyze } from '@terndb/core';
import { testBit } from '../bitmap/bitmap.ts';
import type { ReadContext } from '../read/context.ts';
import { type Matched, offerRow, passesBounds, type Ranker, type ScoreBounds, scoredTop } from '../read/search/ranking.ts';
import type { RowBlock } from '../view/view.ts';
import { type CorpusStatistics, inverseFrequency, PREFIX_WEIGHT, roundedStatistics, termScore } from './bm25.ts';
import { tokenIndexOf } from './index-cache.ts';
import type { TokenIndex } from './token-index.ts';

export interface KeywordQuery {
  /** Text fields, of equal weight. */
  readonly fields: readonly string[];
  /** Distinct words in their order; the last one also matches as a prefix (search as you type). */
  readonly tokens: readonly string[];
}

export function keywordQuery(fields: readonly string[], text: string): KeywordQuery {
  const tokens = analyze(text).map(({ term }) => term);
  const last = tokens.at(-1);
  const others = new Set(tokens.slice(0, -1));
  if (last === undefined) return { fields, tokens: [] };
  others.delete(last);
  return { fields, tokens: [...others, last] };
}

/** Where a word occurs among the visible rows of one block: offsets, and frequencies weighted by how exact the match is. */
interface Occurrences {
  readonly offsets: Uint32Array;
  readonly frequencies: Float64Array;
  readonly count: number;
}

/** The words of a query in one field, over all blocks of the context. */
interface FieldTerms {
  readonly field: string;
  readonly statistics: CorpusStatistics;
  /** Per token: texts that hold it, and where, block by block. */
  readonly terms: readonly { readonly texts: number; readonly byBlock: ReadonlyMap<RowBlock, Occurrences> }[];
}

/** Rows that hold at least one word of the query, by the sum of their fields' BM25. The filter narrows hits, not the statistics. */
export function keywordRanker(query: KeywordQuery, bounds: ScoreBounds): Ranker {
  return (context, matched, k) => {
    const fields = lookUpTerms(context, query);
    const top = scoredTop(k);
    for (const part of matched) offerTexts(part, fields, bounds, top);
    return top.sorted();
  };
}

/**
 * What all scores of a query depend on beside the texts themselves. Equal numbers before and after a change mean that only the changed rows
 * can have moved.
 */
export function corpusNumbers(context: ReadContext, query: KeywordQuery): number[] {
  return lookUpTerms(context, query).flatMap(({ statistics, terms }) => [
    statistics.texts,
    statistics.meanLength,
    ...terms.map((term) => term.texts),
  ]);
}

function offerTexts(part: Matched, fields: readonly FieldTerms[], bounds: ScoreBounds, top: ReturnType<typeof scoredTop>): void {
  const { block, mask } = part;
  const scores = new Float64Array(block.rows);
  const touched: number[] = [];
  for (const { field, statistics, terms } of fields) {
    const { lengths } = tokenIndexOf(block, field);
    for (const { texts, byBlock } of terms) {
      const found = byBlock.get(block);
      if (found === undefined) continue;
      const inverse = inverseFrequency(statistics, texts);
      for (let i = 0; i < found.count; i++) {
        const offset = found.offsets[i]!;
        if (!testBit(mask, offset)) continue;
        if (scores[offset] === 0) touched.push(offset);
        scores[offset]! += termScore(statistics, inverse, found.frequencies[i]!, lengths[offset]!);
      }
    }
  }
  for (const offset of touched) if (passesBounds(scores[offset]!, bounds)) offerRow(top, part, offset, scores[offset]!);
}

function lookUpTerms(context: ReadContext, { fields, tokens }: KeywordQuery): FieldTerms[] {
  const blocks = context.partitions.flatMap(({ view }) => view.blocks);
  return fields.map((field) => {
    const indexed = blocks.map((block) => ({ block, index: tokenIndexOf(block, field) }));
    const terms = tokens.map((token, position) => {
      const byBlock = new Map<RowBlock, Occurrences>();
      let texts = 0;
      for (const { block, index } of indexed) {
        const found = occurrences(block, index, token, position === tokens.length - 1);
        if (found.count > 0) byBlock.set(block, found);
        texts += found.count;
      }
      return { texts, byBlock };
    });
    return { field, statistics: countTexts(indexed), terms };
  });
}

function countTexts(indexed: readonly { readonly block: RowBlock; readonly index: TokenIndex }[]): CorpusStatistics {
  let texts = 0;
  let tokens = 0;
  for (const { block, index } of indexed) {
    const { lengths } = index;
    for (let offset = 0; offset < block.rows; offset++) {
      if (lengths[offset] === 0 || !testBit(block.live, offset)) continue;
      texts++;
      tokens += lengths[offset]!;
    }
  }
  return roundedStatistics(texts, tokens);
}

/** Rows beyond the view's, which an index of growing rows may have, are not looked at. */
function occurrences(block: RowBlock, index: TokenIndex, token: string, asPrefix: boolean): Occurrences {
  const exact = index.postings(token);
  const terms = asPrefix ? index.termsWithPrefix(token) : exact === undefined ? [] : [token];
  if (terms.length === 0) return NO_OCCURRENCES;
  if (terms.length === 1 && terms[0] === token) return liveOccurrences(block, exact!.offsets, (i) => exact!.counts[i]!);
  const weighted = new Float64Array(block.rows);
  const offsets: number[] = [];
  for (const term of terms) {
    const weight = term === token ? 1 : PREFIX_WEIGHT;
    const postings = index.postings(term)!;
    for (let i = 0; i < postings.offsets.length; i++) {
      const offset = postings.offsets[i]!;
      if (offset >= block.rows) break;
      if (weighted[offset] === 0) offsets.push(offset);
      weighted[offset]! += weight * postings.counts[i]!;
    }
  }
  const sorted = Uint32Array.from(offsets).sort();
  return liveOccurrences(block, sorted, (i) => weighted[sorted[i]!]!);
}

const NO_OCCURRENCES: Occurrences = { offsets: new Uint32Array(0), frequencies: new Float64Array(0), count: 0 };

function liveOccurrences(block: RowBlock, candidates: Uint32Array, frequencyAt: (i: number) => number): Occurrences {
  const offsets = new Uint32Array(candidates.length);
  const frequencies = new Float64Array(candidates.length);
  let count = 0;
  for (let i = 0; i < candidates.length; i++) {
    const offset = candidates[i]!;
    if (offset >= block.rows) break;
    if (!testBit(block.live, offset)) continue;
    offsets[count] = offset;
    frequencies[count++] = frequencyAt(i);
  }
  return { offsets, frequencies, count };
}
