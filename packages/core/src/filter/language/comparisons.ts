import { MAX_PATTERN_BYTES } from '../../limits.ts';
import { utf8Length } from '../../value/scalar.ts';
import type { ArithmeticOperator, CompareOperator, FilterNode, FilterPath } from '../ast.ts';
import { checkString, toColumnValue, toElement } from './columns.ts';
import { countNode, countValues, type FilterContext, invalid } from './context.ts';
import { type FoldOperator, foldArithmetic, foldComparison } from './fold.ts';
import {
  type Arithmetic,
  type Column,
  type Constant,
  describeColumn,
  describeOperand,
  isList,
  isNumeric,
  type Length,
  type Operand,
  type Predicate,
} from './operand.ts';

/** Operators between values: what they may stand between, and the conditions they become. */
const MIRRORED: { readonly [Op in CompareOperator]: CompareOperator } = { eq: 'eq', ne: 'ne', lt: 'gt', lte: 'gte', gt: 'lt', gte: 'lte' };
const ARITHMETIC: Readonly<Record<string, ArithmeticOperator>> = { '+': 'add', '-': 'sub', '*': 'mul', '/': 'div', '%': 'mod' };

export function predicate(context: FilterContext, offset: number, node: FilterNode): Predicate {
  countNode(context, offset);
  return { kind: 'predicate', offset, node, depth: 0 };
}

/** `field`, and `path` where there is one: spread into a node. */
export function placeOf({ field, path }: Column): { readonly field: string; readonly path?: FilterPath } {
  return path === undefined ? { field: field.name } : { field: field.name, path };
}

export function compareOperands(context: FilterContext, operator: CompareOperator, left: Operand, right: Operand): Operand {
  if (left.kind === 'constant') {
    if (right.kind === 'constant') return foldComparison(context, operator, left, right);
    const made = compareWith(context, MIRRORED[operator], right, left);
    return right.kind === 'column' && operator !== 'eq' && operator !== 'ne'
      ? { ...made, offset: left.offset, chain: { lower: left, operator, column: right } }
      : made;
  }
  if (right.kind === 'constant') return compareWith(context, operator, left, right);
  if (left.kind === 'column' && right.kind === 'column') return compareColumns(context, operator, left, right);
  throw invalid(context, right.offset, `constant to compare ${describeOperand(left)} with`, describeOperand(right));
}

function compareWith(context: FilterContext, operator: CompareOperator, left: Exclude<Operand, Constant>, right: Constant): Predicate {
  switch (left.kind) {
    case 'column':
      return compareColumn(context, operator, left, right);
    case 'arithmetic':
      return compareArithmetic(context, operator, left, right);
    case 'length':
      return compareLength(context, operator, left, right);
    case 'predicate':
      throw invalid(context, left.offset, 'value to compare', 'a predicate');
  }
}

function compareColumn(context: FilterContext, operator: CompareOperator, column: Column, constant: Constant): Predicate {
  const { offset } = column;
  if (column.class === 'list' || (column.class === 'json' && isList(constant.value)))
    return compareList(context, operator, column, constant);
  const value = toColumnValue(context, column, constant, constant.value, operator === 'eq' || operator === 'ne');
  const shifted = column.shiftMs === 0 ? value : (value as number) - column.shiftMs;
  return predicate(context, offset, { type: 'compare', ...placeOf(column), operator, value: shifted });
}

function compareList(context: FilterContext, operator: CompareOperator, column: Column, constant: Constant): Predicate {
  if (operator !== 'eq' && operator !== 'ne') throw invalid(context, column.offset, '== or != with a list', 'an order comparison');
  if (!isList(constant.value) || (constant.value.length === 0 && column.class === 'list'))
    throw invalid(context, constant.offset, `list of elements for ${describeColumn(column)}`, describeOperand(constant));
  const values = constant.value.map((item) => toElement(context, column, constant, item));
  return predicate(context, column.offset, { type: 'compareList', ...placeOf(column), operator, values });
}

function compareColumns(context: FilterContext, operator: CompareOperator, left: Column, right: Column): Predicate {
  for (const column of [left, right]) {
    if (column.path !== undefined || column.class === 'list' || column.class === 'opaque' || column.shiftMs !== 0)
      throw invalid(context, column.offset, 'whole field that is a number, string, boolean or date', describeColumn(column));
  }
  const [a, b] = [left, right].map((column) => (column.class === 'int' ? 'float' : column.class));
  if (a !== b) throw invalid(context, right.offset, `field to compare ${describeColumn(left)} with`, describeColumn(right));
  return predicate(context, left.offset, { type: 'compareFields', left: left.field.name, operator, right: right.field.name });
}

function compareArithmetic(context: FilterContext, operator: CompareOperator, left: Arithmetic, right: Constant): Predicate {
  const { column } = left;
  const value = numberFor(context, column, right);
  return predicate(context, left.offset, {
    type: 'arithmetic',
    ...placeOf(column),
    arithmetic: left.operator,
    operand: left.operand,
    operator,
    value,
    integer: column.class === 'int',
  });
}

function compareLength(context: FilterContext, operator: CompareOperator, { column, offset }: Length, constant: Constant): Predicate {
  if (typeof constant.value !== 'bigint')
    throw invalid(context, constant.offset, 'integer to compare a length with', describeOperand(constant));
  return predicate(context, offset, { type: 'arrayLength', ...placeOf(column), operator, value: Number(constant.value) });
}

/** `lower < column < upper` in either direction; `first` is its left part, compiled already. */
export function closeRange(context: FilterContext, first: Predicate, operator: CompareOperator, bound: Operand): Predicate {
  const { lower, column, operator: opening } = first.chain!;
  if (bound.kind !== 'constant') throw invalid(context, bound.offset, 'constant as the bound of a range', describeOperand(bound));
  if (column.class === 'bool') throw invalid(context, column.offset, 'field with an order', describeColumn(column));
  const second = compareColumn(context, operator, column, bound);
  const [a, b] = [(first.node as { value?: unknown }).value, (second.node as { value?: unknown }).value];
  const isAscending = operator === 'lt' || operator === 'lte';
  const [least, most] = isAscending ? [a, b] : [b, a];
  const isOpen = opening === 'lt' || opening === 'gt' || operator === 'lt' || operator === 'gt';
  const isSameKind =
    (typeof least === 'string') === (typeof most === 'string') && (typeof least === 'boolean') === (typeof most === 'boolean');
  if (!isSameKind || (least as number) > (most as number) || (least === most && isOpen))
    throw invalid(
      context,
      lower.offset,
      'range whose lower bound is below its upper bound',
      `${describeOperand(lower)} and ${describeOperand(bound)}`,
    );
  countNode(context, first.offset);
  return { kind: 'predicate', offset: first.offset, node: { type: 'and', nodes: [first.node, second.node] }, depth: 1 };
}

export function combineNumbers(context: FilterContext, operator: FoldOperator, left: Operand, right: Operand): Operand {
  if (left.kind === 'constant' && right.kind === 'constant') {
    if (typeof right.value === 'object' && 'intervalMs' in right.value)
      throw invalid(context, left.offset, 'date field before an interval', describeOperand(left));
    return foldArithmetic(context, operator, left, right);
  }
  if (right.kind === 'constant' && left.kind === 'column') return arithmeticOn(context, operator, left, right, left.offset);
  if (left.kind === 'constant' && right.kind === 'column' && (operator === '+' || operator === '*'))
    return arithmeticOn(context, operator, right, left, left.offset);
  throw invalid(
    context,
    left.offset,
    'field before the operator and one constant behind it',
    `${describeOperand(left)} ${operator} ${describeOperand(right)}`,
  );
}

function arithmeticOn(context: FilterContext, operator: FoldOperator, column: Column, constant: Constant, offset: number): Operand {
  if (typeof constant.value === 'object' && 'intervalMs' in constant.value) {
    if (column.class !== 'date' || (operator !== '+' && operator !== '-'))
      throw invalid(context, column.offset, 'date field + or - an interval', `${describeColumn(column)} ${operator}`);
    return { ...column, shiftMs: column.shiftMs + (operator === '+' ? 1 : -1) * constant.value.intervalMs };
  }
  const known = Object.hasOwn(ARITHMETIC, operator) ? ARITHMETIC[operator] : undefined;
  if (known === undefined) throw invalid(context, offset, 'constants on both sides of **', describeColumn(column));
  const operand = numberFor(context, column, constant);
  const isMod = known === 'mod';
  if (isMod && (column.class === 'float' || typeof constant.value !== 'bigint'))
    throw invalid(context, column.offset, 'integers for %', column.class === 'float' ? describeColumn(column) : describeOperand(constant));
  if ((isMod || known === 'div') && Number(operand) === 0) throw invalid(context, constant.offset, 'divisor other than zero', 'zero');
  return { kind: 'arithmetic', offset, column, operator: known, operand };
}

function numberFor(context: FilterContext, column: Column, constant: Constant): number | bigint {
  if (column.class !== 'int' && column.class !== 'float' && column.class !== 'json')
    throw invalid(context, column.offset, 'number field in arithmetic', describeColumn(column));
  if (!isNumeric(constant.value))
    throw invalid(context, constant.offset, `number for arithmetic on ${describeColumn(column)}`, describeOperand(constant));
  return toColumnValue(context, column, constant, constant.value, false) as number | bigint;
}

export function membership(context: FilterContext, left: Operand, right: Operand, negated: boolean): Predicate {
  if (left.kind !== 'column' || left.class === 'list' || left.shiftMs !== 0)
    throw invalid(context, left.offset, 'field or path before in', describeOperand(left));
  if (right.kind !== 'constant' || !isList(right.value)) throw invalid(context, right.offset, 'list behind in', describeOperand(right));
  const values = right.value.map((item) => toColumnValue(context, left, right, item, true));
  return predicate(context, left.offset, { type: 'in', ...placeOf(left), values, negated });
}

export function likePattern(context: FilterContext, left: Operand, right: Operand): Predicate {
  if (left.kind !== 'column' || (left.class !== 'string' && left.class !== 'json'))
    throw invalid(context, left.offset, 'string field or json path before like', describeOperand(left));
  return predicate(context, left.offset, { type: 'like', ...placeOf(left), pattern: textOf(context, right) });
}

/** A pattern or a text to match. */
export function textOf(context: FilterContext, operand: Operand): string {
  if (operand.kind !== 'constant' || typeof operand.value !== 'string')
    throw invalid(context, operand.offset, 'string', describeOperand(operand));
  checkString(context, operand.offset, operand.value);
  const bytes = utf8Length(operand.value);
  if (bytes > MAX_PATTERN_BYTES) throw invalid(context, operand.offset, `string of at most ${MAX_PATTERN_BYTES} UTF-8 bytes`, `${bytes}`);
  return operand.value;
}

export function listOf(context: FilterContext, offset: number, items: readonly Operand[]): Constant {
  countValues(context, offset, items.length);
  const value = items.map((item) => {
    if (item.kind !== 'constant') throw invalid(context, item.offset, 'constant in a list', describeOperand(item));
    return item.value;
  });
  return { kind: 'constant', offset, value, bare: true };
}

export function negateNumber(context: FilterContext, offset: number, operand: Operand): Constant {
  if (operand.kind !== 'constant' || !isNumeric(operand.value))
    throw invalid(context, offset, 'constant number behind -', describeOperand(operand));
  return foldArithmetic(context, '-', { ...operand, offset, value: typeof operand.value === 'bigint' ? 0n : 0 }, operand);
}
