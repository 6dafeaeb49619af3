import { describe, expect, test } from 'vitest';
import { defineSchema } from '../schema/define-schema.ts';
import { f } from '../schema/fields.ts';
import { errorOf } from '../testing/errors.ts';
import type { FilterNode } from './ast.ts';
import { compileWhere } from './compile-where.ts';

const { notes, items } = defineSchema({
  notes: {
    title: f.text({ search: true }),
    body: f.collabText({ search: true }),
    plain: f.text().nullable(),
    stored: f.text(),
    tag: f.keyword(['work', 'home']),
    word: f.keyword().nullable(),
    stars: f.number(),
    big: f.int64(),
    done: f.boolean().nullable(),
    at: f.date(),
    data: f.json().nullable(),
    raw: f.json(),
    doc: f.collab(),
    labels: f.array(f.keyword(['new', 'sale'])).nullable(),
    ints: f.array(f.int64()),
    vec: f.vector(3).nullable(),
    must: f.vector(3),
  },
  items: { sku: f.primaryKey('int64'), name: f.text() },
}).definition.collections;

const compile = (where: unknown): FilterNode => compileWhere(notes, 'notes', where);
const compare = (field: string, operator: string, value: unknown) => ({ type: 'compare', field, operator, value });
const nested = (levels: number): unknown => (levels === 0 ? {} : { not: nested(levels - 1) });

describe('a where compiles', () => {
  test.each<[string, unknown, unknown]>([
    ['nothing', undefined, { type: 'true' }],
    ['an empty object', {}, { type: 'true' }],
    ['a value as equality', { tag: 'work' }, compare('tag', 'eq', 'work')],
    [
      'a falsy value as equality',
      { stars: 0, done: false, word: '' },
      { type: 'and', nodes: [compare('stars', 'eq', 0), compare('done', 'eq', false), compare('word', 'eq', '')] },
    ],
    ['the implicit key', { id: 'x' }, compare('id', 'eq', 'x')],
    [
      'several operators of one field',
      { stars: { gt: 1, lte: 5 } },
      { type: 'and', nodes: [compare('stars', 'gt', 1), compare('stars', 'lte', 5)] },
    ],
    ['every comparison', { word: { eq: 'a' } }, compare('word', 'eq', 'a')],
    ['ne', { word: { ne: 'a' } }, compare('word', 'ne', 'a')],
    ['lt', { word: { lt: 'a' } }, compare('word', 'lt', 'a')],
    ['gte', { word: { gte: 'a' } }, compare('word', 'gte', 'a')],
    ['like', { tag: { like: 'w%' } }, { type: 'like', field: 'tag', pattern: 'w%' }],
    ['in', { tag: { in: ['work', 'home'] } }, { type: 'in', field: 'tag', values: ['work', 'home'], negated: false }],
    ['notIn', { stars: { notIn: [1] } }, { type: 'in', field: 'stars', values: [1], negated: true }],
    ['an int64 as its one form', { big: { in: [1n, 2n ** 60n] } }, { type: 'in', field: 'big', values: [1, 2n ** 60n], negated: false }],
    ['a date as milliseconds', { at: new Date(5) }, compare('at', 'eq', 5)],
    ['a date in an operator', { at: { lt: new Date(5) } }, compare('at', 'lt', 5)],
    ['isNull', { word: { isNull: true } }, { type: 'isNull', field: 'word', negated: false }],
    ['isNull: false', { done: { isNull: false } }, { type: 'isNull', field: 'done', negated: true }],
    ['isNull of what is only stored', { plain: { isNull: true } }, { type: 'isNull', field: 'plain', negated: false }],
    ['isNull of json', { data: { isNull: true } }, { type: 'isNull', field: 'data', negated: false }],
    ['isNull of a vector', { vec: { isNull: true } }, { type: 'isNull', field: 'vec', negated: false }],
    ['contains', { labels: { contains: 'new' } }, { type: 'contains', field: 'labels', mode: 'any', values: ['new'] }],
    ['containsAny', { ints: { containsAny: [1n, 2] } }, { type: 'contains', field: 'ints', mode: 'any', values: [1, 2] }],
    ['containsAll', { ints: { containsAll: [] } }, { type: 'contains', field: 'ints', mode: 'all', values: [] }],
    ['a length', { labels: { length: 2 } }, { type: 'arrayLength', field: 'labels', operator: 'eq', value: 2 }],
    ['a length by operator', { labels: { length: { gte: 2 } } }, { type: 'arrayLength', field: 'labels', operator: 'gte', value: 2 }],
    [
      'a length in a list',
      { ints: { length: { in: [1, 2] } } },
      {
        type: 'or',
        nodes: [
          { type: 'arrayLength', field: 'ints', operator: 'eq', value: 1 },
          { type: 'arrayLength', field: 'ints', operator: 'eq', value: 2 },
        ],
      },
    ],
    [
      'a length in no list, unknown for null',
      { ints: { length: { in: [] } } },
      { type: 'arrayLength', field: 'ints', operator: 'lt', value: 0 },
    ],
    [
      'a length outside of no list, unknown for null',
      { ints: { length: { notIn: [] } } },
      { type: 'arrayLength', field: 'ints', operator: 'gte', value: 0 },
    ],
    ['match', { title: { match: 'plan' } }, { type: 'match', field: 'title', mode: 'any', text: 'plan' }],
    ['phrase', { body: { phrase: 'a b' } }, { type: 'match', field: 'body', mode: 'phrase', text: 'a b' }],
    ['and', { and: [{ tag: 'work' }, { stars: 1 }] }, { type: 'and', nodes: [compare('tag', 'eq', 'work'), compare('stars', 'eq', 1)] }],
    ['or', { or: [{ tag: 'work' }, { stars: 1 }] }, { type: 'or', nodes: [compare('tag', 'eq', 'work'), compare('stars', 'eq', 1)] }],
    ['an empty or, which nothing satisfies', { or: [] }, { type: 'or', nodes: [] }],
    ['not', { not: { tag: 'work' } }, { type: 'not', node: compare('tag', 'eq', 'work') }],
    ['an object without prototype', Object.assign(Object.create(null) as object, { stars: 1 }), compare('stars', 'eq', 1)],
    ['32 levels', nested(32), expect.objectContaining({ type: 'not' })],
  ])('%s', (_, where, node) => {
    expect(compile(where)).toEqual(node);
  });

  test('a declared key by its name', () => {
    expect(compileWhere(items, 'items', { sku: { in: [1, 2n] } })).toEqual({ type: 'in', field: 'sku', values: [1, 2], negated: false });
  });

  test('into a copy', () => {
    const values = ['work'];
    const node = compile({ tag: { in: values } });
    values.push('home');
    expect(node).toMatchObject({ values: ['work'] });
  });
});

describe('FILTER_INVALID names the path:', () => {
  test.each<[unknown, string]>([
    [null, 'where: object of conditions expected, got null'],
    ['stars > 1', 'where: object of conditions expected, got string "stars > 1"'],
    [[], 'where: object of conditions expected, got array of 0'],
    [{ or: [{ tag: 'work' }, { stars: { gt: 'x' } }] }, 'where.or[1].stars.gt: finite number expected, got string "x"'],
    [{ not: { and: [{ at: { lt: 5 } }] } }, 'where.not.and[0].at.lt: Date expected, got number 5'],
    [{ or: { tag: 'work' } }, 'where.or: array of filters expected, got Object'],
    [{ or: [null] }, 'where.or[0]: object of conditions expected, got null'],
    [{ and: undefined }, 'where.and: condition (leave the key out for none) expected, got undefined'],
    [
      { nope: 1 },
      `where.nope: field of notes (id, at, big, body, data, doc, done, ints, labels, must, plain, raw, stars, stored, tag, title, vec, word) expected, got 'nope'`,
    ],
    [JSON.parse('{"__proto__":1}'), "expected, got '__proto__'"],
    [{ tag: undefined }, 'where.tag: condition (leave the key out for none) expected, got undefined'],
    [{ stars: { gt: undefined } }, 'where.stars.gt: operand (leave the key out for none) expected, got undefined'],
    [{ stars: {} }, 'where.stars: object with eq, ne, in, notIn, gt, gte, lt, lte expected, got no condition'],
    [{ stars: [1] }, 'where.stars: number or object with eq, ne, in, notIn, gt, gte, lt, lte expected, got array of 1'],
    [{ stars: null }, 'where.stars: condition expected, got null'],
    [{ word: null }, 'where.word: condition ({ isNull: true } for null) expected, got null'],
    [{ word: { eq: null } }, 'where.word.eq: string expected, got null'],
    [{ stars: Number.NaN }, 'where.stars: finite number expected, got number NaN'],
    [{ stars: { like: '1%' } }, `where.stars.like: one of eq, ne, in, notIn, gt, gte, lt, lte expected, got 'like'`],
    [{ stars: { $gt: 1 } }, "where.stars.$gt: one of eq, ne, in, notIn, gt, gte, lt, lte expected, got '$gt'"],
    [
      { stars: { isNull: true } },
      "where.stars.isNull: one of eq, ne, in, notIn, gt, gte, lt, lte (the field is never null) expected, got 'isNull'",
    ],
    [{ word: { isNull: 1 } }, 'where.word.isNull: boolean expected, got number 1'],
    [{ word: { like: 1 } }, 'where.word.like: string expected, got number 1'],
    [{ word: { like: '\ud800' } }, 'where.word.like: well-formed string expected, got a lone surrogate'],
    [{ word: { like: 'x'.repeat(4097) } }, 'where.word.like: string of at most 4096 UTF-8 bytes expected'],
    [{ done: { gt: false } }, "where.done.gt: one of eq, ne, in, notIn, isNull expected, got 'gt'"],
    [{ done: 1 }, 'where.done: boolean expected, got number 1'],
    [{ tag: 'play' }, `where.tag: 'work' or 'home' expected, got string "play"`],
    [{ tag: { in: 'work' } }, 'where.tag.in: array of keyword expected, got string "work"'],
    [{ tag: { in: ['work', 1] } }, 'where.tag.in[1]: string expected, got number 1'],
    [{ big: 2 ** 53 }, 'where.big: safe integer (or a bigint) expected, got number 9007199254740992'],
    [{ at: '2020' }, 'where.at: Date expected, got string "2020"'],
    [{ labels: 'new' }, 'where.labels: object with contains, containsAll, containsAny, length, isNull expected, got string "new"'],
    [{ labels: { contains: 'old' } }, `where.labels.contains: 'new' or 'sale' expected, got string "old"`],
    [{ labels: { containsAll: 'new' } }, 'where.labels.containsAll: array of keyword expected, got string "new"'],
    [{ labels: { length: 'x' } }, 'where.labels.length: finite number expected, got string "x"'],
    [{ labels: { length: { like: 1 } } }, `where.labels.length.like: one of eq, ne, in, notIn, gt, gte, lt, lte expected, got 'like'`],
    [
      { labels: { length: {} } },
      'where.labels.length: number or object with eq, ne, in, notIn, gt, gte, lt, lte expected, got no condition',
    ],
    [{ title: 'x' }, 'where.title: object with match, phrase expected, got string "x"'],
    [{ title: { eq: 'x' } }, "where.title.eq: one of match, phrase expected, got 'eq'"],
    [{ title: { match: 1 } }, 'where.title.match: string expected, got number 1'],
    [
      { stored: { match: 'x' } },
      'where.stored: field that `where` can ask (text needs { search: true } to be matched; f.keyword is compared) expected, got text',
    ],
    [{ plain: { match: 'x' } }, "where.plain.match: one of isNull expected, got 'match'"],
    [{ raw: { x: 1 } }, 'where.raw: field that `where` can ask (json is reached by `filter`) expected, got json'],
    [{ doc: {} }, 'where.doc: field that `where` can ask (collab documents are opaque) expected, got collab'],
    [{ must: { isNull: true } }, 'where.must: field that `where` can ask (vectors are searched) expected, got vector'],
    [nested(33), 'at most 32 levels expected, got more'],
    [
      { stars: { in: Array.from({ length: 16_385 }, (_, i) => i) } },
      'where.stars.in: at most 16384 values in a filter expected, got 16385',
    ],
    [{ or: Array.from({ length: 4_097 }, () => ({})) }, 'where: at most 4096 conditions expected, got more'],
  ])('%j', (where, message) => {
    const error = errorOf(() => compile(where));
    expect(error.code).toBe('FILTER_INVALID');
    expect(error.message).toContain(message);
    expect(error.details).toMatchObject({
      collection: 'notes',
      path: error.message.split(': ')[0],
      expected: expect.any(String),
      got: expect.any(String),
    });
  });
});
