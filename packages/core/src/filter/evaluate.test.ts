import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyOptions } from '../testing/property-options.ts';
import type { ScalarValue, StoredValue } from '../value/value.ts';
import type { CompareOperator, FilterNode } from './ast.ts';
import { evaluateFilter, type Truth } from './evaluate.ts';
import { printFilter } from './print.ts';

const OPERATORS: readonly CompareOperator[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte'];
type Row = Readonly<Record<string, StoredValue>>;
const ask = (node: FilterNode, row: Row): Truth => evaluateFilter(node, (field) => row[field] ?? null);
const compare = (operator: CompareOperator, value: ScalarValue): FilterNode => ({ type: 'compare', field: 'n', operator, value });
const not = (node: FilterNode): FilterNode => ({ type: 'not', node });

const rows: fc.Arbitrary<Row> = fc.record(
  {
    n: fc.option(fc.integer({ min: 0, max: 3 })),
    s: fc.option(fc.constantFrom('', 'a', 'ab', 'the tern', 'tern the')),
    l: fc.option(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 })),
  },
  { noNullPrototype: true },
);
const leaves: fc.Arbitrary<FilterNode> = fc.oneof(
  fc.constant<FilterNode>({ type: 'true' }),
  fc.record({
    type: fc.constant('compare' as const),
    field: fc.constant('n'),
    operator: fc.constantFrom(...OPERATORS),
    value: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({
    type: fc.constant('in' as const),
    field: fc.constant('n'),
    values: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    negated: fc.boolean(),
  }),
  fc.record({ type: fc.constant('like' as const), field: fc.constant('s'), pattern: fc.constantFrom('%', 'a%', '_', 'tern%', '') }),
  fc.record({ type: fc.constant('isNull' as const), field: fc.constantFrom('n', 's', 'l'), negated: fc.boolean() }),
  fc.record({
    type: fc.constant('contains' as const),
    field: fc.constant('l'),
    mode: fc.constantFrom('any' as const, 'all' as const),
    values: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
  }),
  fc.record({
    type: fc.constant('arrayLength' as const),
    field: fc.constant('l'),
    operator: fc.constantFrom(...OPERATORS),
    value: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({
    type: fc.constant('match' as const),
    field: fc.constant('s'),
    mode: fc.constantFrom('any' as const, 'phrase' as const),
    text: fc.constantFrom('tern', 'the tern', '!'),
  }),
);
const { node: nodes } = fc.letrec<{ node: FilterNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaves,
    tie('node').map((node): FilterNode => ({ type: 'not', node })),
    fc.record({ type: fc.constantFrom('and' as const, 'or' as const), nodes: fc.array(tie('node'), { maxLength: 3 }) }),
  ),
}));

describe('evaluateFilter', () => {
  it('follows Kleene: the tables of and, or and not', () => {
    const truths: readonly [Truth, FilterNode][] = [
      [true, { type: 'true' }],
      [false, not({ type: 'true' })],
      [null, compare('eq', 1)],
    ];
    const least = (a: Truth, b: Truth): Truth => (a === false || b === false ? false : a === null || b === null ? null : true);
    const most = (a: Truth, b: Truth): Truth => (a === true || b === true ? true : a === null || b === null ? null : false);
    for (const [a, left] of truths) {
      expect(ask(left, {})).toBe(a);
      expect(ask(not(left), {})).toBe(a === null ? null : !a);
      for (const [b, right] of truths) {
        expect(ask({ type: 'and', nodes: [left, right] }, {})).toBe(least(a, b));
        expect(ask({ type: 'or', nodes: [left, right] }, {})).toBe(most(a, b));
      }
    }
    expect(ask({ type: 'and', nodes: [] }, {})).toBe(true);
    expect(ask({ type: 'or', nodes: [] }, {})).toBe(false);
  });

  it("obeys De Morgan's laws, and not-not, on any filter and row", () => {
    fc.assert(
      fc.property(fc.array(nodes, { maxLength: 3 }), rows, (parts, row) => {
        const negated = parts.map(not);
        expect(ask(not({ type: 'and', nodes: parts }), row)).toBe(ask({ type: 'or', nodes: negated }, row));
        expect(ask(not({ type: 'or', nodes: parts }), row)).toBe(ask({ type: 'and', nodes: negated }, row));
        for (const part of parts) expect(ask(not(not(part)), row)).toBe(ask(part, row));
      }),
      propertyOptions(500),
    );
  });

  it('is unknown on every leaf of a null field but isNull', () => {
    fc.assert(
      fc.property(leaves, (leaf) => {
        const truth = ask(leaf, {});
        if (leaf.type === 'true') expect(truth).toBe(true);
        else if (leaf.type === 'isNull') expect(truth).toBe(!leaf.negated);
        else expect([truth, ask(not(leaf), {})]).toEqual([null, null]);
      }),
      propertyOptions(200),
    );
  });

  it('gives every comparison its meaning: exactly one of less, equal, greater', () => {
    const scalars: readonly (readonly ScalarValue[])[] = [
      [-1, 0, 0.5, 2 ** 53, 2n ** 53n + 1n, 2n ** 62n],
      ['', 'A', 'a', 'aa', 'é', '\u{1f426}', '\uffff'],
      [false, true],
    ];
    for (const kind of scalars) {
      for (const [i, value] of kind.entries()) {
        for (const [j, constant] of kind.entries()) {
          const passed = OPERATORS.filter((operator) => ask(compare(operator, constant), { n: value }) === true);
          const expected = i < j ? ['ne', 'lt', 'lte'] : i > j ? ['ne', 'gt', 'gte'] : ['eq', 'lte', 'gte'];
          expect(passed).toEqual(expected);
        }
      }
    }
  });

  it('finds nothing where kinds cannot be compared', () => {
    for (const operator of OPERATORS) {
      expect(ask(compare(operator, 1), { n: '1' })).toBe(false);
      expect(ask(compare(operator, 1), { n: [1] })).toBe(false);
    }
    expect(ask({ type: 'like', field: 'n', pattern: '%' }, { n: 1 })).toBe(false);
    expect(ask({ type: 'contains', field: 'n', mode: 'all', values: [] }, { n: 1 })).toBe(false);
  });

  it('looks into lists', () => {
    const contains = (mode: 'any' | 'all', values: readonly number[]): Truth =>
      ask({ type: 'contains', field: 'l', mode, values }, { l: [1, 2, 2] });
    expect(contains('any', [3, 2])).toBe(true);
    expect(contains('any', [3])).toBe(false);
    expect(contains('any', [])).toBe(false);
    expect(contains('all', [2, 1])).toBe(true);
    expect(contains('all', [1, 3])).toBe(false);
    expect(contains('all', [])).toBe(true);
    expect(ask({ type: 'arrayLength', field: 'l', operator: 'eq', value: 3 }, { l: [1, 2, 2] })).toBe(true);
  });

  it('matches tokens and phrases, not substrings', () => {
    const row = { s: 'The Arctic tern; the common tern.' };
    const match = (mode: 'any' | 'phrase', text: string): Truth => ask({ type: 'match', field: 's', mode, text }, row);
    expect(match('any', 'gull TERN')).toBe(true);
    expect(match('any', 'ter')).toBe(false);
    expect(match('any', '...')).toBe(false);
    expect(match('phrase', 'the common')).toBe(true);
    expect(match('phrase', 'the tern')).toBe(false);
    expect(match('phrase', 'tern arctic')).toBe(false);
    expect(match('phrase', 'common tern tern')).toBe(false);
  });
});

describe('printFilter', () => {
  it('shows every kind of node', () => {
    const node: FilterNode = {
      type: 'and',
      nodes: [
        { type: 'true' },
        not({ type: 'or', nodes: [compare('gte', 2n ** 60n), { type: 'in', field: 'k', values: ['a', true], negated: true }] }),
        { type: 'like', field: 's', pattern: 'a"%' },
        { type: 'isNull', field: 's', negated: true },
        { type: 'contains', field: 'l', mode: 'any', values: [1] },
        { type: 'arrayLength', field: 'l', operator: 'lt', value: 2 },
        { type: 'match', field: 't', mode: 'phrase', text: 'a b' },
      ],
    };
    expect(printFilter(node)).toBe(
      '(1 == 1) and not (n >= 1152921504606846976 or k not in ["a", true]) and s like "a\\"%" and s is not null and array_contains_any(l, [1]) and array_length(l) < 2 and phrase_match(t, "a b")',
    );
  });
});
