import { analyze, comparePrimaryKeys, type FilterNode } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReadContext } from '../read/context.ts';
import { planSearch } from '../read/search/plan.ts';
import { searchWindow } from '../read/search.ts';
import { filtersOf, NAMED, viewsOf, WORDS } from '../read/testing/arbitraries.ts';
import { memoryContext } from '../read/testing/memory-view.ts';
import { names, oracleRows } from '../read/testing/oracle.ts';
import { inverseFrequency, PREFIX_WEIGHT, roundedStatistics, termScore } from './bm25.ts';

const tokenize = (text: string): string[] => analyze(text).map(({ term }) => term);

/** The scores of all visible texts, straight from the definition: every text tokenised, every word counted. */
function oracleScores(context: ReadContext, fields: readonly string[], text: string): Map<string, number> {
  const rows = oracleRows(context, { type: 'true' });
  const query = tokenize(text);
  const last = query.pop();
  const words = [...new Set(query.filter((word) => word !== last))];
  const scores = new Map<string, number>();
  for (const field of fields) {
    const texts = rows.map((row) => ({ name: names([row])[0]!, tokens: tokenize((row.read(field) as string | null) ?? '') }));
    const statistics = roundedStatistics(
      texts.filter(({ tokens }) => tokens.length > 0).length,
      texts.reduce((sum, { tokens }) => sum + tokens.length, 0),
    );
    for (const word of [...words, ...(last === undefined ? [] : [last])]) {
      const weigh = (token: string) => (token === word ? 1 : word === last && token.startsWith(word) ? PREFIX_WEIGHT : 0);
      const found = texts
        .map(({ name, tokens }) => ({ name, length: tokens.length, frequency: tokens.reduce((sum, token) => sum + weigh(token), 0) }))
        .filter(({ frequency }) => frequency > 0);
      const inverse = inverseFrequency(statistics, found.length);
      for (const { name, frequency, length } of found)
        scores.set(name, (scores.get(name) ?? 0) + termScore(statistics, inverse, frequency, length));
    }
  }
  return scores;
}

const filters = fc.oneof({ weight: 2, arbitrary: fc.constant<FilterNode>({ type: 'true' }) }, { weight: 1, arbitrary: filtersOf(NAMED) });
const queries = fc.array(fc.constantFrom(...WORDS, 'te', 's', 'w', 'none'), { maxLength: 4 }).map((words) => words.join(' '));
const contexts = fc.array(viewsOf(NAMED), { minLength: 1, maxLength: 3 }).map((views) =>
  memoryContext(
    NAMED,
    views.map(({ view }) => view),
  ),
);

test('keyword hits are all passing texts by the sum of their fields BM25, wherever the rows are stored', () => {
  let hits = 0;
  fc.assert(
    fc.property(
      contexts,
      filters,
      queries,
      fc.constantFrom(undefined, 'body', 'title'),
      fc.integer({ min: 1, max: 8 }),
      (context, node, text, field, limit) => {
        const scores = oracleScores(context, field === undefined ? ['body', 'title'] : [field], text);
        const expected = oracleRows(context, node)
          .flatMap((row) => {
            const score = scores.get(names([row])[0]!);
            return score === undefined ? [] : [{ ...row, score }];
          })
          .sort((a, b) => b.score - a.score || comparePrimaryKeys(a.key, b.key) || a.partition - b.partition)
          .slice(0, limit);
        const plan = { ...planSearch(NAMED, { collection: 'items', text, limit, ...(field === undefined ? {} : { field }) }), node };
        const window = searchWindow(context, plan).groups.flat();
        expect(names(window)).toEqual(names(expected));
        expect(window.map((row) => row.score)).toEqual(expected.map((row) => row.score));
        hits += expected.length;
      },
    ),
    propertyOptions(500),
  );
  expect(hits).toBeGreaterThan(0);
});
