import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestNeighbours, normalise } from './neighbours.ts';

describe('neighbours', () => {
  it('are those that sorting all others by cosine gives', () => {
    const dim = 3;
    const row = fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 6, maxLength: 30 }), (rows) => {
        const vectors = Float32Array.from(rows.flat());
        normalise(vectors, dim);
        const count = 4;
        const found = nearestNeighbours(vectors, { dim, count });
        rows.forEach((_, i) => {
          const distances = rows
            .flatMap((__, j) => (i === j ? [] : [1 - [0, 1, 2].reduce((sum, d) => sum + vectors[i * 3 + d]! * vectors[j * 3 + d]!, 0)]))
            .sort((a, b) => a - b);
          const own = [...found.distances.subarray(i * count, (i + 1) * count)];
          own.forEach((distance, at) => {
            expect(distance).toBeCloseTo(Math.max(0, distances[at]!), 5);
          });
          const others = found.rows.subarray(i * count, (i + 1) * count);
          expect(new Set(others).size).toBe(count);
          expect(others).not.toContain(i);
        });
      }),
    );
  });

  it('of a vector of zeros are at distance 1, not at none', () => {
    const vectors = Float32Array.from([0, 0, 3, 4, 1, 0]);
    normalise(vectors, 2);
    expect([...vectors].map((value) => Number(value.toFixed(2)))).toEqual([0, 0, 0.6, 0.8, 1, 0]);
    expect([...nearestNeighbours(vectors, { dim: 2, count: 2 }).distances.subarray(0, 2)]).toEqual([1, 1]);
  });
});
