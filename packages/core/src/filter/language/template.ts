import { MAX_FILTER_NESTING } from '../../limits.ts';
import { describe } from '../../value/describe.ts';
import { normalizeInt64 } from '../../value/scalar.ts';
import { countValues, type FilterContext, invalid } from './context.ts';
import type { Constant, ConstantValue } from './operand.ts';

/** `{name}`: a whole number is an integer, any other a float. */
export function templateConstant(context: FilterContext, name: string, offset: number): Constant {
  if (!Object.hasOwn(context.params, name)) throw invalid(context, offset, `value of {${name}} in filterParams`, 'none');
  const value = convert(context, name, offset, context.params[name], 0);
  return { kind: 'constant', offset, value, bare: true, template: name };
}

function convert(context: FilterContext, name: string, offset: number, value: unknown, depth: number): ConstantValue {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  // Whole numbers beyond 2^53 have lost digits: they can be floats only.
  if (typeof value === 'number' && Number.isFinite(value)) return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'bigint' && normalizeInt64(value) !== undefined) return value;
  if (Array.isArray(value) && depth < MAX_FILTER_NESTING) {
    countValues(context, offset, value.length);
    return Array.from(value, (item) => convert(context, name, offset, item, depth + 1));
  }
  throw invalid(context, offset, `string, finite number, boolean or array of those as {${name}}`, describe(value));
}
