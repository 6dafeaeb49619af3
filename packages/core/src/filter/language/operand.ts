import type { FieldDefinition } from '../../schema/definition.ts';
import type { ArithmeticOperator, CompareOperator, FilterNode, FilterPath } from '../ast.ts';
import { printPath } from '../print.ts';

/**
 * What the parser has read so far, already typed and folded: there is no syntax tree. An integer is a bigint and a float a number, so that
 * `2` and `2.0` stay apart until a column says what they are.
 */
export type ConstantValue = bigint | number | string | boolean | Moment | Interval | readonly ConstantValue[];
export interface Moment {
  readonly ms: number;
}
export interface Interval {
  readonly intervalMs: number;
}

export interface Constant {
  readonly kind: 'constant';
  readonly offset: number;
  readonly value: ConstantValue;
  /** Written as it is, not the result of an operation: `true` is no predicate, `1 == 1` is. */
  readonly bare: boolean;
  /** The template variable it came from. */
  readonly template?: string;
}
/** What may be done with a column. `opaque`: nothing but `is null` and text matching. */
export type ColumnClass = 'int' | 'float' | 'string' | 'bool' | 'date' | 'json' | 'list' | 'opaque';
export interface Column {
  readonly kind: 'column';
  readonly offset: number;
  readonly field: FieldDefinition;
  /** As in the filter tree: always for json, for elements of array fields, never else. */
  readonly path?: FilterPath;
  readonly class: ColumnClass;
  /** Added to a date before it is compared. */
  readonly shiftMs: number;
}
export interface Arithmetic {
  readonly kind: 'arithmetic';
  readonly offset: number;
  readonly column: Column;
  readonly operator: ArithmeticOperator;
  readonly operand: number | bigint;
}
export interface Length {
  readonly kind: 'length';
  readonly offset: number;
  readonly column: Column;
}
export interface Predicate {
  readonly kind: 'predicate';
  readonly offset: number;
  readonly node: FilterNode;
  /** Levels of `and`, `or` and `not`. */
  readonly depth: number;
  /** The left part of a chained range: `constant < column`, without parentheses around it. */
  readonly chain?: { readonly lower: Constant; readonly operator: CompareOperator; readonly column: Column };
}
export type Operand = Constant | Column | Arithmetic | Length | Predicate;

export function describeOperand(operand: Operand): string {
  switch (operand.kind) {
    case 'constant':
      return operand.template === undefined ? describeConstant(operand.value) : `{${operand.template}}, ${describeConstant(operand.value)}`;
    case 'column':
      return describeColumn(operand);
    case 'arithmetic':
      return `arithmetic on ${describeColumn(operand.column)}`;
    case 'length':
      return 'array_length(…)';
    case 'predicate':
      return 'a predicate';
  }
}

export function describeColumn({ field, path }: Column): string {
  return `${printPath(field.name, path ?? [])} (${field.type === 'array' && path !== undefined ? field.params.of.type : field.type})`;
}

export function describeConstant(value: ConstantValue): string {
  switch (typeof value) {
    case 'bigint':
      return `integer ${value}`;
    case 'number':
      return `float ${value}`;
    case 'boolean':
      return `boolean ${value}`;
    case 'string':
      return `string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
    default:
      return isList(value) ? `list of ${value.length}` : 'ms' in value ? `ISO '${new Date(value.ms).toISOString()}'` : 'an interval';
  }
}

export function isList(value: ConstantValue): value is readonly ConstantValue[] {
  return Array.isArray(value);
}

export function isNumeric(value: ConstantValue): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}
