import type { CompareOperator } from '../ast.ts';
import { type FilterContext, invalid } from './context.ts';
import { type Constant, type ConstantValue, describeOperand, isNumeric } from './operand.ts';

export type FoldOperator = '+' | '-' | '*' | '/' | '%' | '**';
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** Two constants as one. Integers stay integers (64 bits, a quotient is cut towards zero); a float makes the result a float. */
export function foldArithmetic(context: FilterContext, operator: FoldOperator, left: Constant, right: Constant): Constant {
  const [a, b] = [left.value, right.value];
  if (!isNumeric(a) || !isNumeric(b))
    throw invalid(
      context,
      isNumeric(a) ? right.offset : left.offset,
      `number for ${operator}`,
      describeOperand(isNumeric(a) ? right : left),
    );
  if (operator === '%' && (typeof a !== 'bigint' || typeof b !== 'bigint'))
    throw invalid(context, left.offset, 'integers for %', describeOperand(typeof a === 'bigint' ? right : left));
  if ((operator === '/' || operator === '%') && Number(b) === 0) throw invalid(context, right.offset, 'divisor other than zero', 'zero');
  const value = typeof a === 'bigint' && typeof b === 'bigint' ? integers(operator, a, b) : floats(operator, Number(a), Number(b));
  if (value === undefined) throw invalid(context, left.offset, 'number of 64 bits', `the result of ${operator} beyond`);
  return { kind: 'constant', offset: left.offset, value, bare: false };
}

function integers(operator: FoldOperator, a: bigint, b: bigint): bigint | number | undefined {
  if (operator === '**') return integerPower(a, b);
  const value = operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : operator === '/' ? a / b : a % b;
  return value < MIN_INT64 || value > MAX_INT64 ? undefined : value;
}

/** Exponents that leave 64 bits are never computed: one could name more digits than there is memory. */
function integerPower(a: bigint, b: bigint): bigint | number | undefined {
  if (b < 0n) return finite(Number(a) ** Number(b));
  if (a >= -1n && a <= 1n) return b === 0n ? 1n : b % 2n === 0n ? a * a : a;
  if (b > 64n) return undefined;
  const value = a ** b;
  return value < MIN_INT64 || value > MAX_INT64 ? undefined : value;
}

function floats(operator: FoldOperator, a: number, b: number): number | undefined {
  return finite(operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : operator === '/' ? a / b : a ** b);
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value + 0 : undefined;
}

/** A comparison of two constants, which must be of one kind. */
export function foldComparison(context: FilterContext, operator: CompareOperator, left: Constant, right: Constant): Constant {
  if (left.template !== undefined || right.template !== undefined)
    throw invalid(context, left.offset, 'field on one side of a template variable', 'two constants');
  const [a, b] = [plain(left.value), plain(right.value)];
  const isNumbers = isNumeric(left.value) && isNumeric(right.value);
  if (typeof a === 'object' || typeof b === 'object' || (!isNumbers && typeof a !== typeof b))
    throw invalid(context, right.offset, `constant to compare ${describeOperand(left)} with`, describeOperand(right));
  const outcome = a < b ? 1 : a > b ? 4 : 2;
  const value = ({ lt: 1, eq: 2, gt: 4, lte: 3, gte: 6, ne: 5 }[operator] & outcome) !== 0;
  return { kind: 'constant', offset: left.offset, value, bare: false };
}

function plain(value: ConstantValue): ConstantValue {
  return typeof value === 'object' && 'ms' in value ? value.ms : value;
}
