import { analyze, analyzerOf, DbError } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withFlippedBit, withSplice } from '../../bytes/testing/damage-bytes.ts';
import { PostingCursor, type PostingList } from '../postings.ts';
import { openFile, textIndexFile } from '../testing/file-index.ts';
import { compareCodePoints } from './collect-terms.ts';
import { openTextIndex } from './open-text-index.ts';

const words = fc.constantFrom('a', 'ab', 'abc', 'tern', 'terns', 'été', '燕鸥', '\u{20000}', 'ﬀ', 'x'.repeat(70));
const texts = fc.array(
  fc.oneof(
    fc.constant(null),
    fc.array(words, { maxLength: 6 }).map((list) => list.join(' ')),
  ),
  { maxLength: 30 },
);

/** Row → positions, by term. */
function naive(all: readonly (string | null)[]): Map<string, Map<number, number[]>> {
  const terms = new Map<string, Map<number, number[]>>();
  all.forEach((text, row) => {
    for (const { term, position } of analyze(text ?? '')) {
      const rows = terms.get(term) ?? new Map<number, number[]>();
      terms.set(term, rows);
      rows.set(row, [...(rows.get(row) ?? []), position]);
    }
  });
  return terms;
}

function read(list: PostingList | undefined): Map<number, number[]> | undefined {
  if (list === undefined) return undefined;
  const rows = new Map<number, number[]>();
  for (const cursor = new PostingCursor(list); cursor.offset !== 0xffff_ffff; cursor.next())
    rows.set(cursor.offset, Array.from(cursor.positions()!));
  expect(list.count).toBe(rows.size);
  return rows;
}

test('an index file gives back every term with its rows and positions, by itself and by prefix', async () => {
  let terms = 0;
  await fc.assert(
    fc.asyncProperty(texts, async (all) => {
      const index = openFile(await textIndexFile(all), all.length);
      const expected = naive(all);
      terms += expected.size;
      expect(index.terms).toBe(expected.size);
      expect(Array.from(index.lengths)).toEqual(all.map((text) => analyze(text ?? '').length));
      for (const [term, rows] of expected) expect(read(index.list(term))).toEqual(rows);
      expect(index.list('absent')).toBeUndefined();
      for (const prefix of ['', 'a', 'ab', 'te', '燕', '\u{20000}', 'z']) {
        const found: number[] = [];
        index.withPrefix(prefix, all.length, (list, isWhole) => found.push(isWhole ? -list.count : list.count));
        const wanted = [...expected]
          .filter(([term]) => term.startsWith(prefix))
          .sort(([a], [b]) => compareCodePoints(a, b))
          .map(([term, rows]) => (term === prefix ? -rows.size : rows.size));
        expect(found).toEqual(wanted);
      }
    }),
    propertyOptions(300),
  );
  expect(terms).toBeGreaterThan(0);
});

test('long lists are walked in blocks, forward from anywhere, with bounds that hold', async () => {
  const all = Array.from({ length: 3000 }, (_, row) => `${'tern '.repeat(row % 3)}${row % 7 === 0 ? 'sea ' : ''}${'x '.repeat(row % 300)}`);
  const index = openFile(await textIndexFile(all), all.length);
  for (const [term, rows] of naive(all)) {
    const list = index.list(term)!;
    const cursor = new PostingCursor(list);
    const offsets = [...rows.keys()];
    for (const step of [1, 7, 100, 513, 2999]) {
      const walk = new PostingCursor(list);
      for (let target = step; target < 3000; target += step) {
        walk.advance(target);
        const wanted = offsets.find((offset) => offset >= target);
        expect(walk.offset).toBe(wanted ?? 0xffff_ffff);
        if (wanted !== undefined) expect(Array.from(walk.positions()!)).toEqual(rows.get(wanted));
      }
    }
    for (; cursor.offset !== 0xffff_ffff; cursor.next()) {
      expect(cursor.frequency).toBeLessThanOrEqual(list.maxFrequencyOf(cursor.block));
      expect(index.lengths[cursor.offset]).toBeGreaterThanOrEqual(list.minLengthOf(cursor.block));
    }
  }
});

test('equal texts give equal bytes', async () => {
  const all = ['the tern', 'sea tern', null];
  expect(await textIndexFile(all)).toEqual(await textIndexFile(all));
});

test('terms of another analyzer, or another number of rows, are refused', async () => {
  const file = await textIndexFile(['terns'], 'english');
  const open = (analyzer: 'english' | 'standard', rows: number) => () =>
    openTextIndex(file, { what: 'i', analyzerId: analyzerOf(analyzer).id, rows });
  expect(open('english', 1)().terms).toBe(1);
  expect(open('standard', 1)).toThrow(expect.objectContaining({ code: 'FORMAT_VERSION_UNSUPPORTED' }) as Error);
  expect(open('english', 2)).toThrow(expect.objectContaining({ code: 'INDEX_CORRUPT' }) as Error);
});

test('damaged bytes are refused, whatever the damage', async () => {
  const file = await textIndexFile(Array.from({ length: 300 }, (_, i) => `tern ${i} sea`));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.nat(file.length * 8 - 1).map((bit) => withFlippedBit(file, bit)),
        fc.nat(file.length - 1).map((length) => file.slice(0, length)),
        fc
          .record({ from: fc.nat(file.length - 1), to: fc.nat(file.length - 1), length: fc.integer({ min: 1, max: 64 }) })
          .map((splice) => withSplice(file, splice)),
      ),
      (damaged) => {
        fc.pre(damaged.length !== file.length || damaged.some((byte, i) => byte !== file[i]));
        let code = '';
        try {
          openFile(damaged, 300);
        } catch (error) {
          code = error instanceof DbError ? error.code : String(error);
        }
        expect(['INDEX_CORRUPT', 'FORMAT_VERSION_UNSUPPORTED']).toContain(code);
      },
    ),
    propertyOptions(1000),
  );
});
