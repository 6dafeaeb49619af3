import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchesByLength, MAX_BATCH_TEXTS, MAX_BATCH_TOKENS } from './batches.ts';

const seed = process.env['FC_SEED'] === undefined ? {} : { seed: Number(process.env['FC_SEED']) };
const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 * MAX_BATCH_TOKENS })), { maxLength: 300 });

describe('batches by length', () => {
  it('hold every window once, shortest first, within the bounds', () => {
    fc.assert(
      fc.property(lengths, (given) => {
        const batches = batchesByLength(given);
        const order = batches.flat();
        expect([...order].sort((a, b) => a - b)).toEqual(given.map((_, index) => index));
        const ordered = order.map((index) => given[index]!);
        expect(ordered).toEqual([...ordered].sort((a, b) => a - b));
        for (const batch of batches) {
          const padded = batch.length * Math.max(...batch.map((index) => given[index]!));
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(MAX_BATCH_TEXTS);
          expect(batch.length === 1 || padded <= MAX_BATCH_TOKENS).toBe(true);
        }
      }),
      seed,
    );
  });

  it('run texts of one length in full batches', () => {
    const sizes = batchesByLength(new Array<number>(2 * MAX_BATCH_TEXTS + 1).fill(8)).map((batch) => batch.length);
    expect(sizes).toEqual([MAX_BATCH_TEXTS, MAX_BATCH_TEXTS, 1]);
  });
});
