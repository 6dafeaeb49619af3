import { describe, expect, test } from 'vitest';
import { MAX_FILTER_LENGTH, MAX_FILTER_NESTING } from '../../limits.ts';
import { defineSchema } from '../../schema/define-schema.ts';
import { f } from '../../schema/fields.ts';
import { errorOf } from '../../testing/errors.ts';
import type { StoredValue } from '../../value/value.ts';
import type { FilterNode } from '../ast.ts';
import { evaluateFilter, type Truth } from '../evaluate.ts';
import { parseFilter } from './parse-filter.ts';

const { notes } = defineSchema({
  notes: {
    title: f.text({ search: true }),
    color: f.keyword(['red', 'green']).nullable(),
    word: f.keyword(),
    stars: f.number(),
    big: f.int64().nullable(),
    done: f.boolean(),
    at: f.date(),
    extra: f.json().nullable(),
    sizes: f.array(f.int64()),
    like: f.keyword(),
  },
}).definition.collections;

const parse = (text: string, params?: unknown): FilterNode => parseFilter(notes, 'notes', text, params);
const compare = (field: string, operator: string, value: unknown) => ({ type: 'compare', field, operator, value });
const ask = (text: string, row: Readonly<Record<string, StoredValue>>): Truth => evaluateFilter(parse(text), (field) => row[field] ?? null);
const json = (text: string, value: unknown): Truth => ask(text, { extra: JSON.stringify(value) });

describe('a filter reads as', () => {
  test.each<[string, unknown]>([
    ['', { type: 'true' }],
    [' \n\t', { type: 'true' }],
    ['1 == 1', { type: 'true' }],
    ['!false', { type: 'true' }],
    ['true AND true', { type: 'true' }],
    ['1 == 2', { type: 'not', node: { type: 'true' } }],
    ['3 == 3.0 and "a" < "b"', { type: 'true' }],
    ['stars > 1 and 1 == 1', compare('stars', 'gt', 1)],
    ['stars > 1 or 1 == 1', { type: 'true' }],
    ['5 < stars', compare('stars', 'gt', 5)],
    ['stars == 0x10', compare('stars', 'eq', 16)],
    ['stars == 010', compare('stars', 'eq', 8)],
    ['stars == 0b101', compare('stars', 'eq', 5)],
    ['stars == 0x1.8p3', compare('stars', 'eq', 12)],
    ['stars == .5e1', compare('stars', 'eq', 5)],
    ['stars == -2 ** 2', compare('stars', 'eq', -4)],
    ['stars == 2 ** -1', compare('stars', 'eq', 0.5)],
    ['stars == 7 / 2', compare('stars', 'eq', 3)],
    ['stars == -7 % 3', compare('stars', 'eq', -1)],
    ['big == -9223372036854775808', compare('big', 'eq', -(2n ** 63n))],
    ['big == 9007199254740993', compare('big', 'eq', 9_007_199_254_740_993n)],
    ['word == "\\x41\\u00e9\\101\\n"', compare('word', 'eq', 'AéA\n')],
    ["word == r'\\n'", compare('word', 'eq', '\\n')],
    ['id != ""', compare('id', 'ne', '')],
    ["at >= ISO '2025-01-01T00:00:00+08:00'", compare('at', 'gte', Date.UTC(2024, 11, 31, 16))],
    ["at < '2025-01-02'", compare('at', 'lt', Date.UTC(2025, 0, 2))],
    ["at + INTERVAL 'P1DT2H' > iso '2025-01-02T02:00:00Z'", compare('at', 'gt', Date.UTC(2025, 0, 1))],
    ['not color == "green"', { type: 'not', node: compare('color', 'eq', 'green') }],
    ['NOT stars + 1 > 2 and done == true', { type: 'and', nodes: [expect.objectContaining({ type: 'not' }), compare('done', 'eq', true)] }],
    ['not word in ["a"]', { type: 'not', node: { type: 'in', field: 'word', values: ['a'], negated: false } }],
    ['like like "a%"', { type: 'like', field: 'like', pattern: 'a%' }],
    ['starts_with(word, "5%")', { type: 'like', field: 'word', pattern: '5\\%%' }],
    ['exists extra["a"][0]', { type: 'isNull', field: 'extra', path: ['a', 0], negated: true }],
    ['extra["a"]["b"] is null', { type: 'isNull', field: 'extra', path: ['a', 'b'], negated: false }],
    ['text_match(title, "a b", minimum_should_match=2)', { type: 'match', field: 'title', mode: 'any', text: 'a b', minimum: 2 }],
    ['phrase_match(title, "a b", 0)', { type: 'match', field: 'title', mode: 'phrase', text: 'a b' }],
    [
      'stars == 1 or stars == 2 and stars == 3',
      { type: 'or', nodes: [compare('stars', 'eq', 1), { type: 'and', nodes: [compare('stars', 'eq', 2), compare('stars', 'eq', 3)] }] },
    ],
    ['10 > stars >= 1', { type: 'and', nodes: [compare('stars', 'lt', 10), compare('stars', 'gte', 1)] }],
  ])('%s', (text, node) => {
    expect(parse(text)).toEqual(node);
  });

  test('templates stand for constants, lists and patterns; those not named are not looked at', () => {
    expect(parse('stars > {n}', { n: 2, unused: null })).toEqual(compare('stars', 'gt', 2));
    expect(parse('big in {ids}', { ids: [1, 2n ** 60n] })).toMatchObject({ values: [1, 2n ** 60n] });
    expect(parse('word in {none}', { none: [] })).toMatchObject({ values: [] });
    expect(parse('word like {p}', { p: 'a%' })).toMatchObject({ pattern: 'a%' });
    expect(parse('{a} < stars < {b}', { a: 1, b: 2.5 })).toMatchObject({ type: 'and' });
    expect(parse('word == {x}', { x: '" or 1 == 1' })).toEqual(compare('word', 'eq', '" or 1 == 1'));
  });
});

describe('FILTER_INVALID gives the offset:', () => {
  test.each<[string, unknown, string]>([
    ['stars >', {}, 'filter at 7: value expected, got the end'],
    ['(stars > 1', {}, "filter at 10: ')' expected, got the end"],
    ['stars > 1 And done == true', {}, "filter at 10: operator or the end expected, got 'And'"],
    ['nope > 1', {}, "got 'nope'"],
    ['word == "a', {}, 'filter at 8: string closed by " expected, got the end'],
    ['word == "a\nb"', {}, 'got a line break'],
    ['word == "\\ud800"', {}, 'well-formed string expected, got a lone surrogate'],
    ['stars > 1 § 2', {}, "token of the filter language expected, got '§'"],
    ['stars > 1abc', {}, 'number expected'],
    ['stars > 1e999', {}, 'finite number expected'],
    ['stars == 2 ** 1000000000', {}, 'number of 64 bits expected'],
    ['color == "blue"', {}, `'red' or 'green' expected, got string "blue"`],
    ["at > '2025-02-30'", {}, "ISO '…' or an ISO 8601 string for at (date) expected"],
    ['at > 5', {}, 'for at (date) expected, got integer 5'],
    ["at > ISO 'soon'", {}, 'ISO 8601 date and time expected'],
    ['json_Contains(extra, 1)', {}, "got 'json_Contains'"],
    ['__proto__(1)', {}, "got '__proto__'"],
    ['stars > {n}', {}, 'filter at 8: value of {n} in filterParams expected, got none'],
    ['stars > {toString}', {}, 'value of {toString} in filterParams expected, got none'],
    ['stars > {n}', { n: null }, 'string, finite number, boolean or array of those as {n} expected, got null'],
    ['stars in {n}', { n: 1 }, 'list behind in expected, got {n}, integer 1'],
    ['word like {n}', { n: 1 }, 'string expected, got {n}, integer 1'],
    ['1 == {n}', { n: 1 }, 'field on one side of a template variable expected, got two constants'],
    [`${'('.repeat(500)}1 == 1`, {}, `at most ${MAX_FILTER_NESTING} levels`],
    [`${'not '.repeat(100_000)}(1 == 1)`, {}, 'levels'],
    [`${' '.repeat(MAX_FILTER_LENGTH + 1)}`, {}, `filter of at most ${MAX_FILTER_LENGTH} characters`],
    [`stars in [${'1,'.repeat(16_385)}]`, {}, 'at most 16384 values'],
    [`stars > 0${' or stars > 0'.repeat(5_000)}`, {}, 'at most 4096 conditions'],
    [`${'not ('.repeat(33)}stars > 0${')'.repeat(33)}`, {}, 'at most 32 levels of and, or and not'],
  ])('%.60s', (text, params, message) => {
    const error = errorOf(() => parse(text, params));
    expect(error.code).toBe('FILTER_INVALID');
    expect(error.message).toContain(message);
    expect(error.details['offset']).toEqual(expect.any(Number));
  });
});

describe('a row', () => {
  test('that lacks a JSON key, or has null there, satisfies neither a comparison nor its negation', () => {
    for (const value of [{}, { a: null }, 5, [], null]) {
      expect(json('extra["a"] == 1', value)).toBe(null);
      expect(json('not (extra["a"] == 1)', value)).toBe(null);
      expect(json('extra["a"] not in [1]', value)).toBe(null);
      expect(json('exists extra["a"]', value)).toBe(false);
      expect(json('extra["a"] is null', value)).toBe(true);
    }
    expect(ask('extra["a"] != 1', {})).toBe(null);
  });

  test('with a JSON value of another kind does not match', () => {
    expect(json('extra["a"] == 1', { a: '1' })).toBe(false);
    expect(json('extra["a"] != 1', { a: '1' })).toBe(false);
    expect(json('extra["a"] like "1%"', { a: 1 })).toBe(false);
    expect(json('extra["a"] % 2 == 0', { a: 1.5 })).toBe(false);
  });

  test('is found through JSON paths, lists and indexes', () => {
    const value = { color: 'red', list: [1, [2, 3], 'x'], deep: { '0': 'zero', __proto__x: 1 } };
    expect(json('extra["color"] == "red"', value)).toBe(true);
    expect(json('extra["list"][1] == [2, 3]', value)).toBe(true);
    expect(json('json_contains(extra["list"], [2, 3])', value)).toBe(true);
    expect(json('json_contains_all(extra["list"], [1, "x"])', value)).toBe(true);
    expect(json('array_length(extra["list"]) == 3', value)).toBe(true);
    expect(json('extra["list"]["0"] == 1 and extra["deep"][0] == "zero"', value)).toBe(true);
    expect(json('exists extra["constructor"]', value)).toBe(false);
  });

  test('is compared with exact integers, cut towards zero and without wrapping', () => {
    expect(ask('big + 1 == 9007199254740993', { big: 2n ** 53n })).toBe(true);
    expect(ask('big / 2 == -3', { big: -7 })).toBe(true);
    expect(ask('big % 3 == -1', { big: -7 })).toBe(true);
    expect(ask('big * 2 > 0', { big: 2n ** 63n - 1n })).toBe(true);
    expect(ask('big == stars', { big: 2n ** 53n + 1n, stars: 2 ** 53 })).toBe(false);
    expect(ask('sizes[1] > 1', { sizes: [1] })).toBe(null);
  });
});
