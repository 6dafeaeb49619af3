import { analyze, comparePrimaryKeys, type FilterNode, type PrimaryKey } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReadContext } from '../read/context.ts';
import { planSearch } from '../read/search/plan.ts';
import { searchWindow } from '../read/search.ts';
import { filtersOf, NAMED, viewsOf, WORDS } from '../read/testing/arbitraries.ts';
import { memoryBlock, memoryContext, memoryView } from '../read/testing/memory-view.ts';
import { names, oracleRows } from '../read/testing/oracle.ts';
import type { RowBlock } from '../view/view.ts';
import { inverseFrequency, PREFIX_WEIGHT, roundedStatistics, termScore } from './bm25.ts';
import { withTextIndexes } from './testing/file-index.ts';

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
    const isWord =
      (word: string) =>
      (token: string): number =>
        token === word ? 1 : 0;
    const weighers = [...words, ...(last === undefined ? [] : [last])].map(isWord);
    if (last !== undefined) weighers.push((token) => (token !== last && token.startsWith(last) ? PREFIX_WEIGHT : 0));
    for (const weigh of weighers) {
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

async function withIndexFiles(context: ReadContext): Promise<ReadContext> {
  const partitions = await Promise.all(
    context.partitions.map(async ({ partition, view }) => {
      const blocks = new Map<RowBlock, RowBlock>();
      // Growing rows never have a file.
      for (const block of view.blocks) blocks.set(block, block.sortedByKey ? await withTextIndexes(block, ['body', 'title']) : block);
      const find = (key: PrimaryKey) => {
        const at = view.find(key);
        return at === undefined ? undefined : { block: blocks.get(at.block)!, offset: at.offset };
      };
      return { partition, view: { ...view, blocks: [...blocks.values()], find, release: () => undefined } };
    }),
  );
  return { ...context, partitions };
}

test('keyword hits are all passing texts by the sum of their fields BM25, wherever the rows are stored', async () => {
  let hits = 0;
  await fc.assert(
    fc.asyncProperty(
      contexts,
      filters,
      queries,
      fc.constantFrom(undefined, 'body', 'title'),
      fc.integer({ min: 1, max: 8 }),
      fc.boolean(),
      async (plain, node, text, field, limit, indexed) => {
        const context = indexed ? await withIndexFiles(plain) : plain;
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

const LEXICON = Array.from({ length: 60 }, (_, i) => `${'abcdef'[i % 6]}${i}`);
const manyTexts = fc
  .record({ seed: fc.integer({ min: 1, max: 2 ** 30 }), rows: fc.integer({ min: 200, max: 900 }), dead: fc.constantFrom(0, 0.3) })
  .map(({ seed, rows, dead }) => {
    let state = seed;
    const uniform = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    return Array.from({ length: rows }, (_, i) => ({
      key: `k${i}`,
      fields: { body: Array.from({ length: 1 + Math.floor(uniform() * 30) }, () => LEXICON[Math.floor(uniform() ** 3 * 60)]!).join(' ') },
      live: uniform() >= dead,
    }));
  });

test('rows are skipped only where they cannot be among the best', async () => {
  let skipped = 0;
  await fc.assert(
    fc.asyncProperty(
      manyTexts,
      fc.array(fc.constantFrom(...LEXICON, 'a', 'b1'), { minLength: 1, maxLength: 15 }),
      fc.integer({ min: 1, max: 30 }),
      async (rows, terms, limit) => {
        const sealed = memoryView(NAMED, [memoryBlock({ definition: NAMED, form: 'typed', rows })]);
        const context = await withIndexFiles(memoryContext(NAMED, [sealed]));
        const text = terms.join(' ');
        const scores = oracleScores(context, ['body'], text);
        const expected = [...scores].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, limit);
        const window = searchWindow(context, planSearch(NAMED, { collection: 'items', text, limit, field: 'body' })).groups.flat();
        expect(names(window).map((name, i) => [name, window[i]!.score])).toEqual(expected);
        skipped += scores.size - expected.length;
      },
    ),
    propertyOptions(60),
  );
  expect(skipped).toBeGreaterThan(0);
});
