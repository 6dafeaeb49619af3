/** Bounds of one run of the model. Memory grows with texts × tokens; beyond this many a larger batch is no faster. */
export const MAX_BATCH_TEXTS = 64;
export const MAX_BATCH_TOKENS = 8192;

/**
 * Groups windows of like length, so that little is padding: positions into `lengths`, shortest first. Each batch holds at most `MAX_BATCH_TEXTS`, and
 * at most `MAX_BATCH_TOKENS` with its padding (or one window).
 */
export function batchesByLength(lengths: readonly number[]): number[][] {
  const order = lengths.map((_, index) => index).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  const batches: number[][] = [];
  let batch: number[] = [];
  for (const index of order) {
    // The newest is the longest: all others are padded to it.
    const full = batch.length >= MAX_BATCH_TEXTS || (batch.length + 1) * lengths[index]! > MAX_BATCH_TOKENS;
    if (full && batch.length > 0) {
      batches.push(batch);
      batch = [];
    }
    batch.push(index);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
