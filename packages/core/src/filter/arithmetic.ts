import { assertNever } from '../errors/assert.ts';
import type { ArithmeticOperator } from './ast.ts';

/** In float64. Undefined for a remainder of anything but safe integers. Division by zero is refused before it comes here. */
export function floatArithmetic(operator: ArithmeticOperator, value: number, operand: number): number | undefined {
  switch (operator) {
    case 'add':
      return value + operand;
    case 'sub':
      return value - operand;
    case 'mul':
      return value * operand;
    case 'div':
      return value / operand;
    case 'mod':
      return Number.isSafeInteger(value) && Number.isSafeInteger(operand) ? value % operand : undefined;
    default:
      return assertNever(operator, 'arithmetic operator');
  }
}

/** Exact, beyond 64 bits too: nothing wraps around. A quotient is cut towards zero, a remainder has the sign of the value. */
export function integerArithmetic(operator: ArithmeticOperator, value: number | bigint, operand: number | bigint): number | bigint {
  if (typeof value === 'number' && typeof operand === 'number') {
    // With safe integers a result that is safe too is exact; a quotient of two is correctly cut, because it rounds to no integer it is not.
    const result = operator === 'div' ? Math.trunc(value / operand) : floatArithmetic(operator, value, operand)!;
    if (Number.isSafeInteger(result)) return result + 0;
  }
  const [a, b] = [BigInt(value), BigInt(operand)];
  switch (operator) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'div':
      return a / b;
    case 'mod':
      return a % b;
    default:
      return assertNever(operator, 'arithmetic operator');
  }
}
