import type { Scored } from '../read/search/ranking.ts';
import type { RowBlock } from '../view/view.ts';
import { inverseFrequency } from './bm25.ts';
import type { FieldTerms, Term } from './keyword-ranker.ts';
import { PostingCursor, type PostingList } from './postings.ts';

/**
 * Each further word, in the order of their rarity, counts this much less in what a row could hold at best: of a long text nobody expects every word,
 * of two words one is half.
 */
const LATER_WORDS = 0.7;

/** A word of the query in the fields whose analyzers make the same words of it. */
interface CoveredTerm {
  readonly weight: number;
  /** Of its fields, by block. */
  readonly lists: ReadonlyMap<RowBlock, readonly PostingList[]>;
}

/**
 * The rows with the share of the query that each holds, by the weight of its words (inverse frequency): however often and in however long a text, which
 * is what makes it comparable between queries, as BM25 is not. Fields with other analyzers are looked at apart, and the best counts.
 * Cost: a walk over each word's postings, at most to the last of the rows.
 */
export function coverageOf(rows: readonly Scored[], fields: readonly FieldTerms[]): Scored[] {
  const coverage = new Float64Array(rows.length);
  const byBlock = new Map<RowBlock, number[]>();
  rows.forEach(({ block }, i) => {
    const known = byBlock.get(block);
    if (known === undefined) byBlock.set(block, [i]);
    else known.push(i);
  });
  for (const terms of groupsOf(fields)) {
    const most = mostOf(terms);
    for (const [block, at] of byBlock) {
      const ascending = at.toSorted((a, b) => rows[a]!.offset - rows[b]!.offset);
      const held = weightsHeld(
        terms,
        block,
        ascending.map((i) => rows[i]!.offset),
      );
      ascending.forEach((i, n) => {
        coverage[i] = Math.max(coverage[i]!, most > 0 ? Math.min(1, held[n]! / most) : 0);
      });
    }
  }
  return rows.map((row, i) => ({ ...row, coverage: coverage[i]! }));
}

function groupsOf(fields: readonly FieldTerms[]): CoveredTerm[][] {
  const groups = new Map<string, FieldTerms[]>();
  for (const field of fields) {
    const name = JSON.stringify(wordsOf(field).map(({ term }) => term));
    groups.set(name, [...(groups.get(name) ?? []), field]);
  }
  return [...groups.values()].map((group) =>
    wordsOf(group[0]!).map(({ term }): CoveredTerm => {
      const lists = new Map<RowBlock, PostingList[]>();
      for (const { terms } of group)
        for (const same of terms)
          if (same.term === term) for (const [block, list] of same.lists) lists.set(block, [...(lists.get(block) ?? []), list]);
      // By the field that has it most: in the others it is rare because they are short.
      return { weight: Math.min(...group.map((field) => weightIn(field, term))), lists };
    }),
  );
}

/** The words of the query, the prefix left out: it is a way to hold the last one. */
function wordsOf({ terms }: FieldTerms): readonly Term[] {
  return terms.filter(({ isPrefix }) => !isPrefix);
}

/** A word that is only begun is as rare as what begins so. */
function weightIn({ statistics, terms }: FieldTerms, term: string): number {
  const found = terms.filter((one) => one.term === term);
  const texts = found.find((one) => one.texts > 0)?.texts ?? 0;
  return inverseFrequency(statistics, texts);
}

function mostOf(terms: readonly CoveredTerm[]): number {
  const weights = terms.map(({ weight }) => weight).sort((a, b) => b - a);
  return weights.reduce((sum, weight, i) => sum + weight * LATER_WORDS ** i, 0);
}

/** @param offsets Ascending. */
function weightsHeld(terms: readonly CoveredTerm[], block: RowBlock, offsets: readonly number[]): Float64Array {
  const held = new Float64Array(offsets.length);
  for (const { weight, lists } of terms) {
    const cursors = (lists.get(block) ?? []).map((list) => new PostingCursor(list));
    offsets.forEach((offset, n) => {
      let isHeld = false;
      for (const cursor of cursors) {
        cursor.advance(offset);
        isHeld ||= cursor.offset === offset;
      }
      if (isHeld) held[n]! += weight;
    });
  }
  return held;
}
