import {
  type CollectionDefinition,
  type CompareOperator,
  defineSchema,
  type FieldDefinition,
  type FilterNode,
  type FilterPath,
  f,
  type PrimaryKey,
  type ScalarValue,
  type SparseValue,
  type StoredValue,
  valueFieldsOf,
} from '@terndb/core';
import fc from 'fast-check';
import type { View } from '../../view/view.ts';
import { type MemoryRow, memoryBlock, memoryView } from './memory-view.ts';

/** What reads are tested on: one field of every kind, each nullable, few distinct values, so that ties, duplicates and nulls are common. */
const fields = {
  tag: f.keyword().nullable(),
  body: f.text({ search: true }).nullable(),
  title: f.text({ search: true }).nullable(),
  big: f.int64().nullable(),
  price: f.number().nullable(),
  stars: f.number().default(1),
  at: f.date().nullable(),
  sold: f.boolean().nullable(),
  labels: f.array(f.keyword()).nullable(),
  sizes: f.array(f.int64()).nullable(),
  ratios: f.array(f.number()).nullable(),
  flags: f.array(f.boolean()).nullable(),
  extra: f.json().nullable(),
  cosine: f.vector(3, { metric: 'COSINE' }).nullable(),
  inner: f.vector(3, { metric: 'IP' }).nullable(),
  squared: f.vector(3, { metric: 'L2' }).nullable(),
  terms: f.sparseVector().nullable(),
  hamming: f.binaryVector(16, { metric: 'HAMMING' }).nullable(),
  jaccard: f.binaryVector(16, { metric: 'JACCARD' }).nullable(),
};
const schema = defineSchema({ named: { id: f.primaryKey('varchar'), ...fields }, numbered: { id: f.primaryKey('int64'), ...fields } });
export const NAMED: CollectionDefinition = schema.definition.collections.named;
export const NUMBERED: CollectionDefinition = schema.definition.collections.numbered;

export const WORDS: readonly string[] = ['tern', 'terns', 'sea', 'seal', 'wind', 'a'];
const KEYWORDS = ['', 'a', 'ab', 'b', 'é', '\u{1f426}', '\uffee', 'A%b'];
const INTEGERS = [-(2n ** 63n), -1, 0, 1, 2, 2 ** 53 - 1, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n];
const NUMBERS = [-1.5, 0, 0.5, 1, 2, 1e300];

const JSON_TEXTS = ['{}', '1', 'null', '"a"', '[0,2,[1]]', '{"a":1,"b":{"0":"ab"}}', '{"a":"ab","b":["a",0.5,true]}', '{"a":null,"b":[]}'];
const JSON_PATHS: readonly FilterPath[] = [[], ['a'], ['b'], ['b', 0], ['b', '0'], ['c'], [0], [2], ['a', 'b']];
const JSON_SCALARS: readonly ScalarValue[] = [1, 0, 0.5, 2, 'a', 'ab', true, 2n ** 53n + 1n];

const coordinate = fc.constantFrom(-1, 0, 0.5, 1, 2);
export const denseVectors: fc.Arbitrary<Float32Array> = fc
  .array(coordinate, { minLength: 3, maxLength: 3 })
  .map((values) => Float32Array.from(values));
export const sparseVectors: fc.Arbitrary<SparseValue> = fc
  .uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 4 })
  .chain((indices) =>
    fc
      .array(coordinate, { minLength: indices.length, maxLength: indices.length })
      .map((values) => [indices.sort((a, b) => a - b), values] as const),
  )
  .map(([indices, values]) => ({ indices: Uint32Array.from(indices), values: Float32Array.from(values) }));
export const binaryVectors: fc.Arbitrary<Uint8Array> = fc
  .array(fc.constantFrom(0, 1, 3, 255), { minLength: 2, maxLength: 2 })
  .map((bytes) => Uint8Array.from(bytes));

function scalarsOf(field: FieldDefinition): fc.Arbitrary<ScalarValue> {
  switch (field.type) {
    case 'keyword':
      return fc.constantFrom(...KEYWORDS);
    case 'int64':
      return fc.constantFrom(...INTEGERS);
    case 'boolean':
      return fc.boolean();
    case 'primaryKey':
      return keysOf(field.params.keyType);
    default:
      return fc.constantFrom(...NUMBERS);
  }
}

export function keysOf(keyType: 'varchar' | 'int64'): fc.Arbitrary<PrimaryKey> {
  return keyType === 'varchar'
    ? fc.constantFrom('a', 'b', 'ba', 'c', 'd', 'é', '\u{1f426}', '\uffee', 'e', 'f', 'g', 'h')
    : fc.constantFrom(-3, 0, 1, 2, 3, 10, 11, 12, 2n ** 60n, -(2n ** 60n));
}

const texts: fc.Arbitrary<string> = fc.array(fc.constantFrom(...WORDS), { maxLength: 6 }).map((words) => words.join(' '));

function valuesOf(field: FieldDefinition): fc.Arbitrary<StoredValue> {
  switch (field.type) {
    case 'text':
      return texts;
    case 'json':
      return fc.constantFrom(...JSON_TEXTS);
    case 'array':
      return fc.array(scalarsOf(field.params.of), { maxLength: 3 });
    case 'vector':
      return denseVectors;
    case 'sparseVector':
      return sparseVectors;
    case 'binaryVector':
      return binaryVectors;
    default:
      return scalarsOf(field);
  }
}

export function rowsOf(definition: CollectionDefinition, keys: fc.Arbitrary<PrimaryKey>): fc.Arbitrary<MemoryRow> {
  const model: Record<string, fc.Arbitrary<StoredValue>> = {};
  for (const field of valueFieldsOf(definition)) model[field.name] = fc.option(valuesOf(field), { freq: 4 });
  return fc.record(
    { key: keys, fields: fc.record(model, { noNullPrototype: true }), live: fc.boolean(), version: fc.nat(1000) },
    { noNullPrototype: true },
  );
}

/** A view of a segment and growing rows; a key is live at most once, and one field may be younger than the segment. */
export function viewsOf(definition: CollectionDefinition): fc.Arbitrary<{ readonly view: View; readonly live: readonly MemoryRow[] }> {
  const key = definition.fields[0]!;
  const keyType = key.type === 'primaryKey' ? key.params.keyType : 'varchar';
  const rows = rowsOf(definition, keysOf(keyType));
  return fc
    .record({
      sealed: fc.uniqueArray(rows, { selector: (row) => row.key, maxLength: 12 }),
      growing: fc.array(rows, { maxLength: 12 }),
      cached: fc.boolean(),
      plainKeywords: fc.boolean(),
      young: fc.option(fc.constantFrom(...valueFieldsOf(definition).map((field) => field.name))),
    })
    .map(({ sealed, growing, young, cached, plainKeywords }) => {
      const without = new Set(young === null ? [] : [young]);
      const stored = sealed.map((row) => ({
        ...row,
        fields: Object.fromEntries(Object.entries(row.fields).filter(([name]) => !without.has(name))),
      }));
      const masked = oneLivePerKey([...stored, ...growing]);
      const blocks = [
        memoryBlock({
          definition,
          rows: masked.slice(0, stored.length),
          form: 'typed',
          without,
          plainKeywords,
          cacheKey: cached ? {} : undefined,
        }),
        memoryBlock({ definition, rows: masked.slice(stored.length), form: 'values', cacheKey: cached ? {} : undefined }),
      ];
      return { view: memoryView(definition, blocks), live: masked.filter((row) => row.live !== false) };
    });
}

function oneLivePerKey(rows: readonly MemoryRow[]): MemoryRow[] {
  const seen = new Set<PrimaryKey>();
  return rows.map((row) => {
    const live = row.live !== false && !seen.has(row.key);
    if (live) seen.add(row.key);
    return { ...row, live };
  });
}

const OPERATORS: readonly CompareOperator[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte'];

/** Filters over every field and operator that `where` and the filter language can express. */
export function filtersOf(definition: CollectionDefinition): fc.Arbitrary<FilterNode> {
  const leaves = [
    ...definition.fields.flatMap((field) => [...leavesOf(field), ...pathLeavesOf(field), ...arithmeticOf(field)]),
    pairsOf(definition),
  ];
  const { node } = fc.letrec<{ node: FilterNode }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 5, arbitrary: fc.oneof(...leaves) },
      { weight: 1, arbitrary: fc.constant<FilterNode>({ type: 'true' }) },
      {
        weight: 2,
        arbitrary: fc.record({ type: fc.constantFrom('and' as const, 'or' as const), nodes: fc.array(tie('node'), { maxLength: 4 }) }),
      },
      { weight: 2, arbitrary: fc.record({ type: fc.constant('not' as const), node: tie('node') }) },
    ),
  }));
  return node;
}

function leavesOf(field: FieldDefinition): fc.Arbitrary<FilterNode>[] {
  const name = fc.constant(field.name);
  const operator = fc.constantFrom(...OPERATORS);
  const leaves: fc.Arbitrary<FilterNode>[] = [];
  if (field.nullable) leaves.push(fc.record({ type: fc.constant('isNull' as const), field: name, negated: fc.boolean() }));
  if (field.type === 'array') {
    const values = fc.array(scalarsOf(field.params.of), { maxLength: 2 });
    leaves.push(
      fc.record({ type: fc.constant('contains' as const), field: name, mode: fc.constantFrom('any' as const, 'all' as const), values }),
    );
    leaves.push(fc.record({ type: fc.constant('arrayLength' as const), field: name, operator, value: fc.integer({ min: 0, max: 3 }) }));
  } else if (field.type === 'text') {
    leaves.push(
      fc.record({
        type: fc.constant('match' as const),
        field: name,
        mode: fc.constantFrom('any' as const, 'phrase' as const),
        text: texts,
      }),
    );
    leaves.push(
      fc.record({ type: fc.constant('match' as const), field: name, mode: fc.constant('any' as const), text: texts, minimum: fc.nat(3) }),
    );
    leaves.push(fc.record({ type: fc.constant('compare' as const), field: name, operator, value: texts }));
  } else if (['primaryKey', 'keyword', 'int64', 'number', 'date', 'boolean'].includes(field.type)) {
    leaves.push(fc.record({ type: fc.constant('compare' as const), field: name, operator, value: scalarsOf(field) }));
    leaves.push(
      fc.record({
        type: fc.constant('in' as const),
        field: name,
        values: fc.array(scalarsOf(field), { maxLength: 3 }),
        negated: fc.boolean(),
      }),
    );
    if (field.type === 'keyword')
      leaves.push(
        fc.record({ type: fc.constant('like' as const), field: name, pattern: fc.constantFrom('%', 'a%', '_', '%b', 'A\\%b', '') }),
      );
  }
  return leaves;
}

/** Leaves with a path: into JSON, or to one element of an array. */
function pathLeavesOf(field: FieldDefinition): fc.Arbitrary<FilterNode>[] {
  if (field.type !== 'json' && field.type !== 'array') return [];
  const isJson = field.type === 'json';
  const at = {
    field: fc.constant(field.name),
    path: isJson ? fc.constantFrom(...JSON_PATHS) : fc.nat(3).map((index): FilterPath => [index]),
  };
  const scalar = isJson ? fc.constantFrom(...JSON_SCALARS) : scalarsOf(field.params.of);
  const operator = fc.constantFrom(...OPERATORS);
  const leaves: fc.Arbitrary<FilterNode>[] = [
    fc.record({ type: fc.constant('compare' as const), ...at, operator, value: scalar }),
    fc.record({ type: fc.constant('in' as const), ...at, values: fc.array(scalar, { maxLength: 3 }), negated: fc.boolean() }),
  ];
  const values = fc.array(isJson ? fc.oneof(scalar, fc.constant([1])) : scalar, { maxLength: 2 });
  const list = isJson ? at : { field: at.field };
  const equality = fc.constantFrom('eq' as const, 'ne' as const);
  leaves.push(fc.record({ type: fc.constant('compareList' as const), ...list, operator: equality, values }));
  if (!isJson) return leaves;
  const mode = fc.constantFrom('any' as const, 'all' as const);
  leaves.push(
    fc.record({ type: fc.constant('isNull' as const), ...at, negated: fc.boolean() }),
    fc.record({ type: fc.constant('like' as const), ...at, pattern: fc.constantFrom('a%', '%b', '') }),
    fc.record({ type: fc.constant('contains' as const), ...at, mode, values }),
    fc.record({ type: fc.constant('arrayLength' as const), ...at, operator, value: fc.nat(3) }),
  );
  return leaves;
}

function arithmeticOf(field: FieldDefinition): fc.Arbitrary<FilterNode>[] {
  if (field.type !== 'int64' && field.type !== 'number' && field.type !== 'json') return [];
  const integer = field.type === 'int64';
  const arithmetic =
    integer || field.type === 'json' ? (['add', 'sub', 'mul', 'div', 'mod'] as const) : (['add', 'sub', 'mul', 'div'] as const);
  const place = { field: fc.constant(field.name), ...(field.type === 'json' ? { path: fc.constantFrom(...JSON_PATHS) } : {}) };
  return [
    fc.record({
      type: fc.constant('arithmetic' as const),
      ...place,
      arithmetic: fc.constantFrom(...arithmetic),
      operand: fc.constantFrom<number | bigint>(...(integer ? [1, 3, -2, 2n ** 62n] : [1, 2, -3])),
      operator: fc.constantFrom(...OPERATORS),
      value: fc.constantFrom<number | bigint>(...(integer ? [0, 1, 2, -1, 2n ** 53n, 2n ** 63n - 1n] : [0, 1, 2, 3])),
      integer: fc.constant(integer),
    }),
  ];
}

/** Two fields of one kind, the key among them. */
function pairsOf(definition: CollectionDefinition): fc.Arbitrary<FilterNode> {
  const numbers = ['big', 'price', 'stars'];
  const groups = [['tag', 'body', 'title'], numbers, ['sold', 'sold'], ['at', 'at']];
  const key = definition.fields[0]!;
  if (key.type === 'primaryKey') groups[key.params.keyType === 'int64' ? 1 : 0]!.push(key.name);
  return fc.constantFrom(...groups).chain((group) =>
    fc.record({
      type: fc.constant('compareFields' as const),
      left: fc.constantFrom(...group),
      operator: fc.constantFrom(...OPERATORS),
      right: fc.constantFrom(...group),
    }),
  );
}
