import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseRewrites, MAX_REWRITE_ROWS, SMALL_SEGMENT_ROWS } from './policy.ts';

const clean = (...rows: number[]) => rows.map((count) => ({ rows: count, live: count }));

describe('chooseRewrites', () => {
  it('rewrites one small segment with every seal of a tiny channel, and leaves it alone when there is nothing to seal', () => {
    expect(chooseRewrites(clean(10), 1)).toEqual([0]);
    expect(chooseRewrites(clean(10), 0)).toEqual([]);
    expect(chooseRewrites(clean(10, 20), 0)).toEqual([0, 1]);
  });
  it('leaves large segments alone until four of a size make one of the next', () => {
    expect(chooseRewrites(clean(8_000), 8_000)).toEqual([]);
    expect(chooseRewrites(clean(8_000, 8_000), 8_000)).toEqual([]);
    expect(chooseRewrites(clean(8_000, 8_000, 8_000), 8_000)).toEqual([0, 1, 2]);
    expect(chooseRewrites(clean(30_000, 30_000, 30_000, 8_000, 8_000, 8_000), 8_000)).toEqual([0, 1, 2, 3, 4, 5]);
  });
  it('merges three large segments that fit one rewrite, so that segments a little above a tier do not stay small for ever', () => {
    expect(chooseRewrites(clean(34_000, 34_000), 0)).toEqual([]);
    expect(chooseRewrites(clean(34_000, 34_000, 34_000), 0)).toEqual([0, 1, 2]);
    expect(chooseRewrites(clean(34_000, 120_000, 40_000, 38_000, 34_000), 0)).toEqual([0, 3, 4]);
    expect(chooseRewrites(clean(100_000, 100_000, 100_000), 0)).toEqual([]);
    expect(chooseRewrites(clean(100_000, 100_000, 100_000, 100_000), 0, 1_000_000)).toEqual([0, 1, 2, 3]);
  });
  it('makes large segments out of seals of any size', () => {
    for (const rows of [2_100, 8_192, 8_500, 10_000, 20_000, 33_000]) {
      let segments: number[] = [];
      for (let total = 0; total < 500_000; total += rows) {
        const chosen = new Set(chooseRewrites(clean(...segments), rows));
        const merged = rows + segments.reduce((sum, live, index) => sum + (chosen.has(index) ? live : 0), 0);
        segments = [...segments.filter((_, index) => !chosen.has(index)), merged];
      }
      expect(segments.filter((live) => live >= 10_000).length).toBeLessThanOrEqual(10);
    }
  });
  it('rewrites above a fifth of dead rows', () => {
    expect(chooseRewrites([{ rows: 100_000, live: 80_000 }], 0)).toEqual([]);
    expect(chooseRewrites([{ rows: 100_000, live: 79_999 }], 0)).toEqual([0]);
    expect(chooseRewrites([{ rows: 10, live: 0 }, ...clean(50_000)], 0)).toEqual([0]);
  });
  it('keeps the segments of a growing channel few and each row rewritten a few times only', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 200 }), (seals) => {
        let segments: number[] = [];
        let written = 0;
        let total = 0;
        for (const rows of seals) {
          const chosen = new Set(chooseRewrites(clean(...segments), rows));
          const merged = rows + segments.reduce((sum, live, index) => sum + (chosen.has(index) ? live : 0), 0);
          expect(merged <= Math.max(MAX_REWRITE_ROWS + rows, ...segments)).toBe(true);
          segments = [...segments.filter((_, index) => !chosen.has(index)), merged];
          written += merged;
          total += rows;
        }
        const tiers = Math.ceil(Math.log2(MAX_REWRITE_ROWS / SMALL_SEGMENT_ROWS) / 2) + 1;
        expect(segments.length).toBeLessThanOrEqual(tiers * 4 + Math.ceil((4 * total) / MAX_REWRITE_ROWS));
        expect(written).toBeLessThanOrEqual(total * (tiers + 1) + seals.length * SMALL_SEGMENT_ROWS * 2);
      }),
    );
  });
});
