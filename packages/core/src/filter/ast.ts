import type { ScalarValue } from '../value/value.ts';

/**
 * The filter tree: what typed `where` objects (and, later, the filter language) compile to, and what evaluators read.
 * Three-valued: a comparison with null is unknown, `not unknown` is unknown, and only rows that are true pass.
 * Values are stored values (a date is milliseconds, an int64 is normalised).
 */
export type CompareOperator = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte';

export type FilterNode =
  | { readonly type: 'true' }
  | { readonly type: 'and' | 'or'; readonly nodes: readonly FilterNode[] }
  | { readonly type: 'not'; readonly node: FilterNode }
  | { readonly type: 'compare'; readonly field: string; readonly operator: CompareOperator; readonly value: ScalarValue }
  | { readonly type: 'in'; readonly field: string; readonly values: readonly ScalarValue[]; readonly negated: boolean }
  /** `%` any run, `_` one character, `\` escapes; whole value, case-sensitive. */
  | { readonly type: 'like'; readonly field: string; readonly pattern: string }
  /** Never unknown. */
  | { readonly type: 'isNull'; readonly field: string; readonly negated: boolean }
  | { readonly type: 'contains'; readonly field: string; readonly mode: 'any' | 'all'; readonly values: readonly ScalarValue[] }
  | { readonly type: 'arrayLength'; readonly field: string; readonly operator: CompareOperator; readonly value: number }
  /** `any`: at least one token of the text; `phrase`: all of them, adjacent and in order. */
  | { readonly type: 'match'; readonly field: string; readonly mode: 'any' | 'phrase'; readonly text: string };
