import { expect, it } from 'vitest';
import { seededRandom } from './random.ts';
import { Reservoir } from './reservoir.ts';

it('a sample keeps all of a short stream, in its order', () => {
  const sample = new Reservoir<number>(5, seededRandom(1));
  for (let i = 0; i < 4; i++) sample.add(i);
  expect([sample.kept, sample.seen]).toEqual([[0, 1, 2, 3], 4]);
});

it('a sample of a long stream is fair to its beginning, middle and end', () => {
  const thirds = [0, 0, 0];
  for (let seed = 0; seed < 60; seed++) {
    const sample = new Reservoir<number>(30, seededRandom(seed));
    for (let i = 0; i < 3_000; i++) sample.add(i);
    expect(new Set(sample.kept).size).toBe(30);
    for (const i of sample.kept) thirds[Math.floor(i / 1_000)]!++;
  }
  // 600 each expected; the standard deviation is 20.
  for (const count of thirds) expect(Math.abs(count - 600)).toBeLessThan(100);
});
