import type { FieldName, FieldType, Filter, IsDynamic, Key, KeyName, NamesOf, OutOf, Shape, Show } from '@terndb/core';
import type { ReadInfo, ReadOptions } from './reading.ts';

/** What rows are grouped by, and what has a smallest and a largest value. */
export type AggregateField<S extends Shape> =
  IsDynamic<S> extends true ? string : NamesOf<S, 'primaryKey' | 'keyword' | 'text' | 'int64' | 'number' | 'boolean' | 'date'> | KeyName<S>;
export type SumField<S extends Shape> = IsDynamic<S> extends true ? string : NamesOf<S, 'int64' | 'number'>;

/** `'count'`: rows. `count`: rows where the field is not null. The others leave nulls out, and are null where nothing is left. */
export type Aggregate<S extends Shape> =
  | 'count'
  | { readonly count: FieldName<S> }
  | { readonly sum: SumField<S> }
  | { readonly avg: SumField<S> }
  | { readonly min: AggregateField<S> }
  | { readonly max: AggregateField<S> };
/** By their names in the answer. */
export type Aggregates<S extends Shape> = Readonly<Record<string, Aggregate<S>>>;

export interface AggregateQuery<S extends Shape, G extends AggregateField<S> = never, A extends Aggregates<S> = Record<never, never>>
  extends Filter<S>,
    ReadOptions {
  /** One group per combination of values, nulls among them. Left out: all rows are one group, also where there is none. At most 65 536 groups: QUERY_INVALID. */
  groupBy?: G | readonly G[];
  aggregates?: A;
  /** Nulls last; ties and the default by the fields of `groupBy`. */
  orderBy?: AggregateOrder<NoInfer<G | (keyof A & string)>> | readonly AggregateOrder<NoInfer<G | (keyof A & string)>>[];
  /** Groups to give. Default: all. */
  limit?: number;
}
export interface AggregateOrder<N extends string> {
  /** A field of `groupBy`, or a name of `aggregates`. */
  field: N;
  order?: 'asc' | 'desc';
}

type ValueOf<S extends Shape, P> =
  IsDynamic<S> extends true ? any : P extends keyof S ? OutOf<S[P]> : P extends KeyName<S> ? Key<S> : never;
/** Sums of int64 are exact: bigint where a number is not. */
type SumOf<S extends Shape, P> =
  IsDynamic<S> extends true
    ? any
    : P extends keyof S
      ? S[P] extends FieldType<'int64', any, any, any, any>
        ? number | bigint
        : number
      : never;
type AggregateOf<S extends Shape, A> = A extends 'count' | { readonly count: string }
  ? number
  : A extends { readonly sum: infer P }
    ? SumOf<S, P> | null
    : A extends { readonly avg: string }
      ? number | null
      : A extends { readonly min: infer P } | { readonly max: infer P }
        ? ValueOf<S, P> | null
        : never;
/** The fields of `groupBy`, then the aggregates by their names. */
export type AggregateGroup<S extends Shape, G extends string, A> = Show<
  { readonly [P in G]: ValueOf<S, P> } & { readonly [N in keyof A]: AggregateOf<S, A[N]> }
>;
export interface AggregateResult<T> extends ReadInfo {
  readonly groups: readonly T[];
}
