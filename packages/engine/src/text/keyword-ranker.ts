import type { ReadContext } from '../read/context.ts';
import { settled } from '../read/search/jobs.ts';
import { offerRow, passesBounds, type Ranker, type ScoreBounds, scoredTop } from '../read/search/ranking.ts';
import type { RowBlock } from '../view/view.ts';
import { type CorpusStatistics, inverseFrequency, PREFIX_WEIGHT, roundedStatistics, termScore } from './bm25.ts';
import { coverageOf } from './coverage.ts';
import { textIndexOf } from './index-cache.ts';
import type { KeywordQuery } from './keyword-query.ts';
import { liveCount, liveTotals } from './live-rows.ts';
import { offerScored, type ScoredCursor } from './max-score.ts';
import { PostingCursor, type PostingList, type TextIndex } from './postings.ts';
import { prefixPostings } from './prefix-postings.ts';

/** One word in one field, over all blocks of the context; or all longer words that start with it. */
export interface Term {
  readonly term: string;
  readonly isPrefix: boolean;
  /** Live texts that hold it. */
  readonly texts: number;
  /** Of one occurrence: words that only start with this one count less. */
  readonly weight: number;
  readonly lists: ReadonlyMap<RowBlock, PostingList>;
}

/** The words of a query in one field, over all blocks of the context. */
export interface FieldTerms {
  readonly indexes: ReadonlyMap<RowBlock, TextIndex>;
  readonly statistics: CorpusStatistics;
  readonly terms: readonly Term[];
}

/**
 * Rows that hold at least one word of the query, by the sum of their fields' BM25. The filter narrows hits, not the statistics.
 * @param options.withCoverage Say of each hit how much of the query it holds.
 */
export function keywordRanker(query: KeywordQuery, bounds: ScoreBounds, options: { readonly withCoverage?: boolean } = {}): Ranker {
  return (context, matched, k) => {
    const fields = lookUpTerms(context, query);
    const top = scoredTop(k);
    for (const part of matched) {
      const { block, mask } = part;
      offerScored(cursorsOf(block, fields), {
        rows: block.rows,
        mask,
        limit: () => Math.max(top.worst?.score ?? -Infinity, bounds.atLeast),
        offer: (offset, score) => {
          if (passesBounds(score, bounds)) offerRow(top, part, offset, score);
        },
      });
    }
    const rows = top.sorted();
    return settled(options.withCoverage === true ? coverageOf(rows, fields) : rows);
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

function lookUpTerms(context: ReadContext, { fields }: KeywordQuery): FieldTerms[] {
  const blocks = context.partitions.flatMap(({ view }) => view.blocks);
  return fields.map((query) => {
    const indexes = new Map(blocks.map((block) => [block, textIndexOf(block, query.field, query.analyzer)]));
    let texts = 0;
    let tokens = 0;
    for (const [block, index] of indexes) {
      const totals = liveTotals(block, index);
      texts += totals.texts;
      tokens += totals.tokens;
    }
    const terms = query.terms.map((term) => lookUpTerm(indexes, term, false));
    // A rare word stays as rare as it is, however many longer words begin like it.
    if (query.asPrefix) terms.push(lookUpTerm(indexes, query.terms.at(-1)!, true));
    return { indexes, statistics: roundedStatistics(texts, tokens), terms };
  });
}

function lookUpTerm(indexes: ReadonlyMap<RowBlock, TextIndex>, term: string, isPrefix: boolean): Term {
  const lists = new Map<RowBlock, PostingList>();
  let texts = 0;
  for (const [block, index] of indexes) {
    const list = isPrefix ? prefixPostings(block, index, term) : index.list(term, block.rows);
    if (list === undefined) continue;
    lists.set(block, list);
    // Those of a prefix are live.
    texts += isPrefix ? list.count : liveCount(block, list);
  }
  return { term, isPrefix, texts, weight: isPrefix ? PREFIX_WEIGHT : 1, lists };
}

function cursorsOf(block: RowBlock, fields: readonly FieldTerms[]): ScoredCursor[] {
  return fields.flatMap(({ indexes, statistics, terms }) => {
    const { lengths } = indexes.get(block)!;
    return terms.flatMap(({ texts, weight, lists }) => {
      const list = lists.get(block);
      return list === undefined
        ? []
        : [new TermCursor(list, { statistics, inverse: inverseFrequency(statistics, texts), weight, lengths })];
    });
  });
}

interface TermScoring {
  readonly statistics: CorpusStatistics;
  readonly inverse: number;
  readonly weight: number;
  readonly lengths: TextIndex['lengths'];
}

class TermCursor implements ScoredCursor {
  readonly bound: number;
  readonly #cursor: PostingCursor;
  readonly #scoring: TermScoring;
  #bounded = -1;

  constructor(list: PostingList, scoring: TermScoring) {
    this.#cursor = new PostingCursor(list);
    this.#scoring = scoring;
    this.bound = this.#boundOf(list.maxFrequency, list.minLength);
  }

  get offset(): number {
    return this.#cursor.offset;
  }

  get magnitude(): number {
    return this.bound;
  }

  score(): number {
    const { statistics, inverse, weight, lengths } = this.#scoring;
    return termScore(statistics, inverse, this.#cursor.frequency * weight, lengths[this.#cursor.offset]!);
  }

  next(): void {
    this.#cursor.next();
  }

  advance(target: number): void {
    this.#cursor.advance(target);
  }

  skipBelow(least: number): void {
    const cursor = this.#cursor;
    const { list } = cursor;
    if (cursor.block === this.#bounded) return;
    let { block } = cursor;
    while (block < list.blocks && this.#boundOf(list.maxFrequencyOf(block), list.minLengthOf(block)) < least) block++;
    if (block > cursor.block) cursor.enter(block);
    this.#bounded = block;
  }

  #boundOf(frequency: number, length: number): number {
    const { statistics, inverse, weight } = this.#scoring;
    return termScore(statistics, inverse, frequency * weight, length);
  }
}
