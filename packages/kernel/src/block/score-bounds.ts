import { KernelError } from '../errors.ts';

/** Inclusive. */
export interface ScoreBounds {
  readonly low: number;
  readonly high: number;
}

/**
 * The kernel compares float32 scores with inclusive bounds; callers give float64 ones, an exclusive upper one among them. Rounding towards
 * the inside keeps the meaning exact: `score >= minScore && score < maxScore` holds for a float32 score iff it lies within the result.
 */
export function scoreBounds(options: { readonly minScore?: number | undefined; readonly maxScore?: number | undefined }): ScoreBounds {
  const { minScore = -Infinity, maxScore } = options;
  if (Number.isNaN(minScore) || Number.isNaN(maxScore)) {
    throw new KernelError('QUERY_INVALID', `query: score bounds are numbers, got ${minScore}..${maxScore}`, {
      details: { minScore, maxScore },
    });
  }
  const low = Math.fround(minScore);
  const high = maxScore === undefined ? Infinity : Math.fround(maxScore);
  return {
    low: low < minScore ? nextFloat(low, 1) : low,
    high: maxScore !== undefined && high >= maxScore ? nextFloat(high, -1) : high,
  };
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The float32 next to `value` in `direction`; below −∞ and above +∞ there is none: NaN, which no score reaches. */
function nextFloat(value: number, direction: 1 | -1): number {
  if (value === direction * Infinity) return Number.NaN;
  if (value === 0) return direction * 2 ** -149;
  float[0] = value;
  bits[0]! += value > 0 === direction > 0 ? 1 : -1;
  return float[0]!;
}
