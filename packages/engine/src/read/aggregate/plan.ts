import {
  type CollectionDefinition,
  type FieldDefinition,
  type Kind,
  keyFieldOf,
  MAX_AGGREGATE_FIELDS,
  MAX_AGGREGATE_GROUPS,
  MAX_AGGREGATES,
  MAX_NAME_LENGTH,
} from '@terndb/core';
import { invalidOption, isRecord, mustGetField } from '../request.ts';
import type { AggregateRequest } from './types.ts';

export type AggregateKind = 'count' | 'sum' | 'avg' | 'min' | 'max';

export interface AggregateTerm {
  readonly name: string;
  readonly kind: AggregateKind;
  /** Undefined: rows are counted, whatever they hold. */
  readonly field: FieldDefinition | undefined;
}

/** A checked request. */
export interface AggregatePlan {
  readonly collection: string;
  readonly groupBy: readonly FieldDefinition[];
  readonly terms: readonly AggregateTerm[];
  /** `at`: of the fields of `groupBy` and then the terms, by number. */
  readonly order: readonly { readonly at: number; readonly descending: boolean }[];
  readonly limit: number;
  readonly isPartial: boolean;
}

const COMPARABLE: readonly Kind[] = ['primaryKey', 'keyword', 'text', 'int64', 'number', 'boolean', 'date'];
const SUMMABLE: readonly Kind[] = ['int64', 'number'];
/** What each takes; counts take fields of any kind. */
const KINDS: Readonly<Record<AggregateKind, readonly Kind[] | undefined>> = {
  count: undefined,
  sum: SUMMABLE,
  avg: SUMMABLE,
  min: COMPARABLE,
  max: COMPARABLE,
};
const SHAPES = `'count' or one of { count | sum | avg | min | max: field }`;

/** QUERY_INVALID, FIELD_UNKNOWN. */
export function planAggregate(definition: CollectionDefinition, collection: string, request: AggregateRequest): AggregatePlan {
  const groupBy = readGroupBy(definition, collection, request.groupBy);
  const terms = readTerms(definition, collection, request.aggregates);
  if (groupBy.length + terms.length === 0) throw invalidOption(collection, 'aggregates', 'at least one, or a field to group by', undefined);
  const names = [...groupBy, ...terms].map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalidOption(collection, 'aggregates', 'names that are apart from each other and from groupBy', twice);
  return {
    collection,
    groupBy,
    terms,
    order: readOrder(collection, names, request.orderBy),
    limit: readLimit(collection, request.limit),
    isPartial: request.partial === true,
  };
}

function readGroupBy(definition: CollectionDefinition, collection: string, groupBy: unknown): readonly FieldDefinition[] {
  if (groupBy === undefined || groupBy === null) return [];
  const names: readonly unknown[] = Array.isArray(groupBy) ? groupBy : [groupBy];
  if (names.length > MAX_AGGREGATE_FIELDS)
    throw invalidOption(collection, 'groupBy', `at most ${MAX_AGGREGATE_FIELDS} fields`, names.length);
  return names.map((name) => fieldFor(definition, collection, name, 'groupBy', COMPARABLE));
}

function readTerms(definition: CollectionDefinition, collection: string, aggregates: unknown): readonly AggregateTerm[] {
  if (aggregates === undefined || aggregates === null) return [];
  if (!isRecord(aggregates)) throw invalidOption(collection, 'aggregates', `an object of ${SHAPES}`, aggregates);
  const entries = Object.entries(aggregates);
  if (entries.length > MAX_AGGREGATES) throw invalidOption(collection, 'aggregates', `at most ${MAX_AGGREGATES}`, entries.length);
  return entries.map(([name, what]) => {
    if (name === '' || name.length > MAX_NAME_LENGTH)
      throw invalidOption(collection, 'aggregates', `names of 1 to ${MAX_NAME_LENGTH} characters`, name);
    return readTerm(definition, collection, name, what);
  });
}

function readTerm(definition: CollectionDefinition, collection: string, name: string, what: unknown): AggregateTerm {
  if (what === 'count') return { name, kind: 'count', field: undefined };
  const [given, ...more] = isRecord(what) ? Object.entries(what) : [];
  if (given === undefined || more.length > 0 || !Object.hasOwn(KINDS, given[0]))
    throw invalidOption(collection, `aggregates.${name}`, SHAPES, given?.[0] ?? what);
  const kind = given[0] as AggregateKind;
  return { name, kind, field: fieldFor(definition, collection, given[1], `aggregates.${name}.${kind}`, KINDS[kind]) };
}

function fieldFor(
  definition: CollectionDefinition,
  collection: string,
  name: unknown,
  option: string,
  kinds: readonly Kind[] | undefined,
): FieldDefinition {
  if (typeof name !== 'string') throw invalidOption(collection, option, 'the name of a field', name);
  const key = keyFieldOf(definition);
  const field = name === key.name ? key : mustGetField(definition, collection, name, option);
  if (kinds === undefined || kinds.includes(field.type)) return field;
  throw invalidOption(collection, `${option} ${name}`, `a field of kind ${kinds.join(', ')}`, field.type);
}

function readOrder(collection: string, names: readonly string[], orderBy: unknown): AggregatePlan['order'] {
  if (orderBy === undefined || orderBy === null) return [];
  const terms: readonly unknown[] = Array.isArray(orderBy) ? orderBy : [orderBy];
  if (terms.length > names.length) throw invalidOption(collection, 'orderBy', `at most ${names.length} terms`, terms.length);
  return terms.map((term) => {
    if (!isRecord(term)) throw invalidOption(collection, 'orderBy', '{ field, order? }', term);
    const { field, order = 'asc' } = term;
    const at = names.indexOf(field as string);
    if (at < 0) throw invalidOption(collection, 'orderBy.field', `one of ${names.join(', ')}`, field);
    if (order !== 'asc' && order !== 'desc') throw invalidOption(collection, 'orderBy.order', `'asc' or 'desc'`, order);
    return { at, descending: order === 'desc' };
  });
}

function readLimit(collection: string, limit: unknown): number {
  if (limit === undefined || limit === null) return MAX_AGGREGATE_GROUPS;
  if (typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 1 && limit <= MAX_AGGREGATE_GROUPS) return limit;
  throw invalidOption(collection, 'limit', `an integer from 1 to ${MAX_AGGREGATE_GROUPS}`, limit);
}
