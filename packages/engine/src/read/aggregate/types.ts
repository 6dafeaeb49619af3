import type { FilterRequest, ReadInfo, ReadScope } from '../../database/types.ts';

/** Untyped form of the public request: checked against the schema by `plan.ts`. */
export interface AggregateRequest extends ReadScope, FilterRequest {
  /** Name in the answer → `'count'`, or one of `{ count | sum | avg | min | max: field }`. */
  readonly aggregates?: unknown;
  /** A field, or several. Left out: all rows are one group, also where there is none. */
  readonly groupBy?: unknown;
  /** `{ field, order? }`, one or several; `field` is a field of `groupBy` or a name of `aggregates`. */
  readonly orderBy?: unknown;
  readonly limit?: number | undefined;
  /** For who makes one answer of several: all groups, in no order, and averages as `{ sum, count }`. */
  readonly partial?: unknown;
}

/** Fields of `groupBy`, then aggregates by name; public values (Date, bigint …). */
export type AggregateGroup = Readonly<Record<string, unknown>>;

export interface AggregateResult extends ReadInfo {
  readonly groups: readonly AggregateGroup[];
}
