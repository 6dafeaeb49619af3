import type { FilterNode, ScalarValue } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReadContext } from '../context.ts';
import { type BlockMask, filterView } from '../filter/evaluate.ts';
import { filtersOf, NAMED, viewsOf } from '../testing/arbitraries.ts';
import { memoryContext } from '../testing/memory-view.ts';
import { type OracleRow, oracleRows } from '../testing/oracle.ts';
import { runAggregate } from './aggregates.ts';

const runs = propertyOptions(1000);
/** Without dates: the arbitrary ones are any numbers. */
const GROUPABLE = ['tag', 'title', 'big', 'price', 'sold', 'stars', 'id'];
const groupings = fc.uniqueArray(fc.constantFrom(...GROUPABLE), { maxLength: 3 });
const fieldsOf = { count: [...GROUPABLE, 'labels', 'cosine', 'extra'], sum: ['big', 'price', 'stars'], min: GROUPABLE };
const terms = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('count' as const), field: fc.option(fc.constantFrom(...fieldsOf.count)) }),
    fc.record({ kind: fc.constantFrom('sum' as const, 'avg' as const), field: fc.constantFrom(...fieldsOf.sum) }),
    fc.record({ kind: fc.constantFrom('min' as const, 'max' as const), field: fc.constantFrom(...fieldsOf.min) }),
  ),
  { minLength: 1, maxLength: 4 },
);
type Term = { readonly kind: 'count' | 'sum' | 'avg' | 'min' | 'max'; readonly field: string | null };

const matching =
  (node: FilterNode) =>
  ({ definition, partitions }: ReadContext): BlockMask[] =>
    partitions.flatMap(({ view }) => filterView(view, node, definition));

/** One aggregate of some rows, as slowly as can be. */
function naive({ kind, field }: Term, rows: readonly OracleRow[]): unknown {
  if (field === null) return rows.length;
  const values = rows.map((row) => row.read(field)).filter((value) => value !== null);
  if (kind === 'count') return values.length;
  const [first, ...rest] = values as readonly ScalarValue[];
  if (first === undefined) return null;
  if (kind === 'min' || kind === 'max') {
    return rest.reduce((a, b) => ((kind === 'min' ? b < a : b > a) ? b : a), first);
  }
  const exact =
    field === 'big' ? (values as readonly (number | bigint)[]).reduce((sum: bigint, value) => sum + BigInt(value), 0n) : undefined;
  const sum = exact ?? (values as readonly number[]).reduce((a, b) => a + b, 0);
  if (kind === 'avg') return Number(sum) / values.length;
  return Number.isSafeInteger(Number(sum)) || typeof sum === 'number' ? Number(sum) : sum;
}

function compare(a: unknown, b: unknown): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

function oracle(rows: readonly OracleRow[], groupBy: readonly string[], wanted: readonly Term[]): unknown[][] {
  const groups: { readonly values: readonly unknown[]; readonly rows: OracleRow[] }[] =
    groupBy.length === 0 ? [{ values: [], rows: [] }] : [];
  for (const row of rows) {
    const values = groupBy.map((field) => row.read(field));
    const known = groups.find((group) => group.values.every((value, at) => compare(value, values[at]) === 0));
    if (known === undefined) groups.push({ values, rows: [row] });
    else known.rows.push(row);
  }
  return groups
    .map((group) => [...group.values, ...wanted.map((term) => naive(term, group.rows))])
    .sort((a, b) => groupBy.reduce((order, _, at) => order || compare(a[at], b[at]), 0));
}

const requestOf = (groupBy: readonly string[], wanted: readonly Term[]) => ({
  collection: 'items',
  groupBy,
  aggregates: Object.fromEntries(wanted.map(({ kind, field }, at) => [`a${at}`, field === null ? 'count' : { [kind]: field }])),
});

test('groups and their aggregates are those of a naive reader, over segments, growing rows and partitions', () => {
  let groups = 0;
  fc.assert(
    fc.property(fc.array(viewsOf(NAMED), { maxLength: 3 }), filtersOf(NAMED), groupings, terms, (views, node, groupBy, wanted) => {
      const context = memoryContext(
        NAMED,
        views.map(({ view }) => view),
      );
      const result = runAggregate(context, requestOf(groupBy, wanted), { matched: matching(node) });
      const expected = oracle(oracleRows(context, node), groupBy, wanted);
      expect(result.groups.map((group) => Object.values(group))).toEqual(expected);
      groups += expected.length;
    }),
    runs,
  );
  expect(groups).toBeGreaterThan(0);
});

test('what several readers found in part adds up to what one reader of everything finds', () => {
  fc.assert(
    fc.property(
      fc.array(viewsOf(NAMED), { minLength: 2, maxLength: 3 }),
      filtersOf(NAMED),
      groupings,
      terms,
      (views, node, groupBy, wanted) => {
        const request = requestOf(groupBy, wanted);
        const matched = matching(node);
        const [own, ...others] = views.map(({ view }) => memoryContext(NAMED, [view]));
        const parts = others.flatMap((context) => runAggregate(context, { ...request, partial: true }, { matched }).groups);
        const whole = memoryContext(
          NAMED,
          views.map(({ view }) => view),
        );
        expect(runAggregate(own!, request, { matched, others: parts }).groups).toEqual(runAggregate(whole, request, { matched }).groups);
      },
    ),
    runs,
  );
});

test('groups come as they are ordered, and no more than the limit', () => {
  fc.assert(
    fc.property(viewsOf(NAMED), fc.boolean(), fc.integer({ min: 1, max: 4 }), ({ view }, descending, limit) => {
      const context = memoryContext(NAMED, [view]);
      const matched = matching({ type: 'true' });
      const request = { collection: 'items', groupBy: 'tag', aggregates: { n: 'count', top: { max: 'price' } } };
      const all = runAggregate(context, request, { matched }).groups;
      const order = descending ? 'desc' : 'asc';
      const page = runAggregate(context, { ...request, limit, orderBy: [{ field: 'top', order }, { field: 'n' }] }, { matched }).groups;
      const sorted = all.toSorted((a, b) => {
        const [x, y] = [a['top'], b['top']];
        const byTop = x === null || y === null ? compare(x, y) : compare(x, y) * (descending ? -1 : 1);
        return byTop || compare(a['n'], b['n']);
      });
      expect(page).toEqual(sorted.slice(0, limit));
    }),
    runs,
  );
});
