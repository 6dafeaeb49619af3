import { type FieldDefinition, keyFieldOf } from '@terndb/core';
import { setOffsets } from '../../bitmap/bitmap.ts';
import type { ReadContext } from '../context.ts';
import type { BlockMask } from '../filter/evaluate.ts';
import { compareSortValues, type SortValue } from '../sort-values.ts';
import { type Accumulator, accumulatorOf, MAX_ROWS_AT_ONCE } from './accumulators.ts';
import { Groups, plainValue } from './groups.ts';
import { type AggregatePlan, planAggregate } from './plan.ts';
import type { AggregateGroup, AggregateRequest, AggregateResult } from './types.ts';

export interface AggregateSources {
  /** The rows of a request, block by block: not a part of this file, which browsers load apart (`load.ts`). */
  readonly matched: (context: ReadContext, request: AggregateRequest) => readonly BlockMask[];
  /** Groups of other readers of the same request, `partial`: what they have is added. */
  readonly others?: readonly AggregateGroup[] | undefined;
}

/**
 * Counts, sums, averages, smallest and largest values of what passes the filter, in groups of equal values. As in SQL: nulls are left out, of no value
 * everything but a count is null, nulls of a group field are one group. Sums of int64 are exact. Groups come as `orderBy` says, nulls last; ties and
 * the default by the group fields. QUERY_INVALID, FIELD_UNKNOWN, FILTER_INVALID, NOT_CONNECTED. Cost: O(rows that pass), per aggregate and group field.
 */
export function runAggregate(context: ReadContext, request: AggregateRequest, { matched, others }: AggregateSources): AggregateResult {
  const { definition, collection } = context;
  const plan = planAggregate(definition, collection, request);
  const keyField = keyFieldOf(definition).name;
  const groups = new Groups(collection, plan.groupBy, keyField);
  const accumulators = plan.terms.map((term) => accumulatorOf(term, collection, keyField));
  for (const { block, mask } of matched(context, request)) {
    const offsets = setOffsets(mask);
    for (let from = 0; from < offsets.length; from += MAX_ROWS_AT_ONCE) {
      const some = offsets.subarray(from, from + MAX_ROWS_AT_ONCE);
      const rows = { block, offsets: some, groups: groups.read(block, some) };
      for (const accumulator of accumulators) accumulator.add(rows, groups.count);
    }
  }
  for (const other of others ?? []) mergeGroup(plan, groups, accumulators, other);
  return { ...context.info, groups: answer(plan, groups, accumulators) };
}

function mergeGroup({ groupBy, terms }: AggregatePlan, groups: Groups, accumulators: readonly Accumulator[], other: AggregateGroup): void {
  const group = groups.numberOf(groupBy.map((field) => storedValue(field, other[field.name])));
  terms.forEach(({ name }, index) => {
    accumulators[index]!.merge(group, other[name], groups.count);
  });
}

function storedValue(field: FieldDefinition, value: unknown): SortValue {
  return plainValue(field, (value instanceof Date ? value.getTime() : (value ?? null)) as SortValue);
}

function answer(plan: AggregatePlan, groups: Groups, accumulators: readonly Accumulator[]): AggregateGroup[] {
  const { groupBy, terms, isPartial } = plan;
  const fields = [...groupBy, ...terms.map(({ kind, field }) => (kind === 'min' || kind === 'max' ? field : undefined))];
  const names = [...groupBy, ...terms].map(({ name }) => name);
  const toPublic = (value: unknown, at: number): unknown =>
    fields[at]?.type === 'date' && typeof value === 'number' ? new Date(value) : value;
  const shown = (values: readonly unknown[]): AggregateGroup =>
    Object.fromEntries(names.map((name, at) => [name, toPublic(values[at], at)]));
  const numbers = Array.from({ length: groups.count }, (_, group) => group);
  if (isPartial)
    return numbers.map((group) => shown([...groups.valuesOf(group), ...accumulators.map((accumulator) => accumulator.partialOf(group))]));
  const rows = numbers.map((group) => [...groups.valuesOf(group), ...accumulators.map((accumulator) => accumulator.valueOf(group))]);
  const order = [...plan.order, ...groupBy.map((_, at) => ({ at, descending: false }))];
  return rows
    .sort((a, b) => compareRows(a, b, order))
    .slice(0, plan.limit)
    .map(shown);
}

function compareRows(a: readonly SortValue[], b: readonly SortValue[], order: AggregatePlan['order']): number {
  for (const { at, descending } of order) {
    const difference = compareSortValues(a[at]!, b[at]!, descending);
    if (difference !== 0) return difference;
  }
  return 0;
}
