import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DbError } from '../../errors/db-error.ts';
import { defineSchema } from '../../schema/define-schema.ts';
import { f } from '../../schema/fields.ts';
import { propertyOptions } from '../../testing/property-options.ts';
import type { FilterNode } from '../ast.ts';
import { printFilter } from '../print.ts';
import { parseCounted, parseFilter } from './parse-filter.ts';

const { notes } = defineSchema({
  notes: {
    word: f.keyword(),
    stars: f.number(),
    big: f.int64(),
    at: f.date(),
    done: f.boolean(),
    extra: f.json(),
    sizes: f.array(f.int64()),
    body: f.text({ search: true }),
  },
}).definition.collections;

const operator = fc.constantFrom('eq' as const, 'ne' as const, 'lt' as const, 'lte' as const, 'gt' as const, 'gte' as const);
const text = fc.string({ unit: 'binary', maxLength: 8 });
const float = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));
const moment = fc.date({ noInvalidDate: true }).map((date) => date.getTime());
const step = fc.oneof(
  text.filter((key) => key !== ''),
  fc.nat(5),
);
const scalars = { word: text, stars: float, big: int64, at: moment, done: fc.boolean(), id: text };
const is = <T extends string>(type: T): fc.Arbitrary<T> => fc.constant(type);
const leaves: fc.Arbitrary<FilterNode>[] = Object.entries(scalars).flatMap(([name, value]) => [
  fc.record({ type: is('compare'), field: is(name), operator, value }),
  fc.record({
    type: is('in'),
    field: is(name),
    values: fc.array<string | number | bigint | boolean>(value, { maxLength: 3 }),
    negated: fc.boolean(),
  }),
  fc.record({ type: is('isNull'), field: is(name), negated: fc.boolean() }),
]);
const json = { field: is('extra'), path: fc.array(step, { maxLength: 3 }) };
const element = fc.oneof(text, float, fc.boolean());
leaves.push(
  fc.record({ type: is('compare'), ...json, operator, value: element }),
  fc.record({
    type: is('compareList'),
    ...json,
    operator: fc.constantFrom('eq' as const, 'ne' as const),
    values: fc.array(fc.oneof(element, fc.array(element)), { maxLength: 3 }),
  }),
  fc.record({
    type: is('contains'),
    ...json,
    mode: fc.constantFrom('any' as const, 'all' as const),
    values: fc.array(element, { maxLength: 3 }),
  }),
  fc.record({ type: is('arrayLength'), ...json, operator, value: fc.nat() }),
  fc.record({ type: is('isNull'), ...json, negated: fc.boolean() }),
  fc.record({ type: is('like'), field: is('word'), pattern: text }),
  fc.record({ type: is('match'), field: is('body'), mode: fc.constantFrom('any' as const, 'phrase' as const), text }),
  fc.record({ type: is('compare'), field: is('sizes'), path: fc.nat(9).map((index) => [index]), operator, value: int64 }),
  fc.record({ type: is('compareFields'), left: is('big'), operator, right: is('stars') }),
  fc.record({
    type: is('arithmetic'),
    field: is('big'),
    arithmetic: fc.constantFrom('add' as const, 'sub' as const, 'mul' as const),
    operand: int64,
    operator,
    value: int64,
    integer: fc.constant(true),
  }),
);
const { node: filters } = fc.letrec<{ node: FilterNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(...leaves),
    tie('node').map((node): FilterNode => ({ type: 'not', node })),
    fc.record({ type: fc.constantFrom('and' as const, 'or' as const), nodes: fc.array(tie('node'), { minLength: 2, maxLength: 3 }) }),
  ),
}));

test('what is printed reads back as the same tree', () => {
  fc.assert(
    fc.property(filters, (node) => {
      expect(parseFilter(notes, 'notes', printFilter(node, notes))).toEqual(node);
    }),
    propertyOptions(1500),
  );
});

const word = fc.constantFrom(
  ...'word stars big extra sizes body done and or not in like exists is null true 1 2.5 "a" \'b\' [ ] ( ) { } , == != < <= > + - * / % ** ! ISO array_length json_contains text_match = ~ & $meta'.split(
    ' ',
  ),
);
const garbage = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
);

test('any text is a filter or FILTER_INVALID at an offset inside it', () => {
  let read = 0;
  fc.assert(
    fc.property(garbage, (given) => {
      try {
        parseFilter(notes, 'notes', given, { a: 1 });
        read++;
      } catch (error) {
        expect(error).toBeInstanceOf(DbError);
        expect((error as DbError).code).toBe('FILTER_INVALID');
        const { offset } = (error as DbError).details;
        expect(offset).toBeGreaterThanOrEqual(0);
        expect(offset).toBeLessThanOrEqual(given.length);
      }
    }),
    propertyOptions(5000),
  );
  expect(read).toBeGreaterThan(0);
});

test('reading takes at most two steps per character, however a filter is built', () => {
  const shapes: readonly ((n: number) => string)[] = [
    (n) => `stars > 0${' + 1'.repeat(n)}`,
    (n) => `stars in [${'1,'.repeat(n)}]`,
    (n) => `word == "${'\\n'.repeat(n)}"`,
    (n) => `extra${'["a"]'.repeat(n)} == 1`,
    (n) => `stars > 1${' and stars > 1'.repeat(Math.min(n, 2000))}`,
    (n) => `${' '.repeat(n)}stars > 1`,
  ];
  for (const shape of shapes) {
    for (const n of [10, 100, 1000, 10_000]) {
      const given = shape(n);
      expect(parseCounted(notes, 'notes', given).steps).toBeLessThanOrEqual(2 * given.length + 2);
    }
  }
});
