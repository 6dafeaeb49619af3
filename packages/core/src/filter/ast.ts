import type { AnalyzerOption } from '../text/analyzer-definition.ts';
import type { ScalarValue } from '../value/value.ts';

/**
 * The filter tree: what typed `where` objects and the filter language compile to, and what evaluators read.
 * Three-valued: a comparison with null is unknown, `not unknown` is unknown, and only rows that are true pass.
 * Values are stored values (a date is milliseconds, an int64 is normalised).
 */
export type CompareOperator = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte';
export type ArithmeticOperator = 'add' | 'sub' | 'mul' | 'div' | 'mod';

/**
 * Steps into a json field (keys and indexes; none: the whole value), or the one index into an array field. Where a step leads nowhere, and
 * where it leads to JSON's null, the value is null. A digit key and an index are the same step.
 */
export type FilterPath = readonly (string | number)[];
/** What an element of a JSON array may be compared with. */
export type FilterValue = ScalarValue | readonly FilterValue[];

/** `path` is there for json fields and for elements of array fields, and only for those. */
interface Place {
  readonly field: string;
  readonly path?: FilterPath;
}

export type FilterNode =
  | { readonly type: 'true' }
  | { readonly type: 'and' | 'or'; readonly nodes: readonly FilterNode[] }
  | { readonly type: 'not'; readonly node: FilterNode }
  | (Place & { readonly type: 'compare'; readonly operator: CompareOperator; readonly value: ScalarValue })
  /** The whole list, element by element. */
  | (Place & { readonly type: 'compareList'; readonly operator: 'eq' | 'ne'; readonly values: readonly FilterValue[] })
  /** Two fields of one entity, both of one kind, or both numeric. */
  | { readonly type: 'compareFields'; readonly left: string; readonly operator: CompareOperator; readonly right: string }
  /**
   * `field arithmetic operand`, compared with `value`. `integer`: in exact integers, a quotient cut towards zero; else in float64, where `mod`
   * of a value with a fraction is no number and so true of nothing.
   */
  | (Place & {
      readonly type: 'arithmetic';
      readonly arithmetic: ArithmeticOperator;
      readonly operand: number | bigint;
      readonly operator: CompareOperator;
      readonly value: number | bigint;
      readonly integer: boolean;
    })
  | (Place & { readonly type: 'in'; readonly values: readonly ScalarValue[]; readonly negated: boolean })
  /** `%` any run, `_` one character, `\` escapes; whole value, case-sensitive. */
  | (Place & { readonly type: 'like'; readonly pattern: string })
  /** Never unknown. */
  | (Place & { readonly type: 'isNull'; readonly negated: boolean })
  | (Place & { readonly type: 'contains'; readonly mode: 'any' | 'all'; readonly values: readonly FilterValue[] })
  | (Place & { readonly type: 'arrayLength'; readonly operator: CompareOperator; readonly value: number })
  | MatchNode;

/**
 * `any`: at least one term of the text (or `minimum` different ones); `phrase`: all of them, adjacent and in order (or up to `slop` words apart,
 * `text/phrase.ts`). `analyzer` is the field's, left out where that is `standard`.
 */
export interface MatchNode {
  readonly type: 'match';
  readonly field: string;
  readonly mode: 'any' | 'phrase';
  readonly text: string;
  readonly minimum?: number;
  readonly slop?: number;
  readonly analyzer?: AnalyzerOption;
}
