import { normOf } from './query.ts';

/**
 * The query's side of screening: its codes and the constants of the bound. The argument for why no hit can be missed is at the head of
 * `assembly/screen/encode.ts`; the names ε and δ are from there.
 */
const UNIT_ROUNDOFF = 2 ** -24;
/** Roundings beside the chain of additions: of the terms, of the stored values and of the bound itself; about ten are real. */
const SPARE_ROUNDINGS = 64;
const LARGEST_ROW_CODE = 127;
const LARGEST_INT16 = 32_767;
const LARGEST_INT32 = 2 ** 31 - 1;
/** Outside of these, float32 products may overflow or lose their digits, and the bound would not hold. */
const SMALLEST_NORM = 2 ** -50;
const LARGEST_NORM = 2 ** 60;

/** Codes are stored in whole registers of 16. */
export const codeBytesOf = (stride: number): number => Math.ceil(stride / 16) * 16;

/** δ: relative error of a float32 score, from the longest chain of additions (two accumulators of four lanes). */
export const roundingOf = (stride: number): number => (Math.ceil(stride / 8) + SPARE_ROUNDINGS) * UNIT_ROUNDOFF * 1.05;

/** The sum over all dimensions must stay within 32 bits whatever the row is. */
const largestQueryCode = (stride: number): number => Math.min(LARGEST_INT16, Math.floor(LARGEST_INT32 / (LARGEST_ROW_CODE * stride)));

/** ε: bound of ‖q − q̂‖ / ‖q‖. Each component is off by half a step at most, a step is the largest component / largest code. */
export const queryRestOf = (stride: number): number => (0.52 * Math.sqrt(stride)) / largestQueryCode(stride);

/** Whether the bound holds for a query of this norm. */
export const canScreen = (norm: number): boolean => norm >= SMALLEST_NORM && norm <= LARGEST_NORM;

export interface EncodedQuery {
  readonly scale: number;
  /** Rounded up. */
  readonly norm: number;
  /** Rounded down, as rows' squares are. */
  readonly square: number;
}

/** Writes the codes of a padded query (as the kernel scores it) and returns what the bound needs; undefined when it would not hold. */
export function encodeQuery(target: Int16Array, query: Float32Array): EncodedQuery | undefined {
  const norm = normOf(query);
  if (!canScreen(norm)) return undefined;
  let largest = 0;
  for (let index = 0; index < query.length; index++) largest = Math.max(largest, Math.abs(query[index]!));
  const scale = Math.fround(largest / largestQueryCode(query.length));
  for (let index = 0; index < query.length; index++) target[index] = Math.round(query[index]! / scale);
  target.fill(0, query.length);
  return { scale, norm: norm * (1 + 2 ** -20), square: norm * norm * (1 - 4 * roundingOf(query.length)) };
}
