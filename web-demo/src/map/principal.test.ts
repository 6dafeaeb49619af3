import { expect, it } from 'vitest';
import { principalPlaces } from './principal.ts';

it('the first axis is where the rows differ most, and the wider one fills the spread', () => {
  const rows = Array.from({ length: 21 }, (_, i) => [5, (i - 10) * 3, i % 2, 0]);
  const places = principalPlaces(Float32Array.from(rows.flat()), 4, 10);
  const first = rows.map((_, i) => places[2 * i]!);
  expect(Math.abs(first[0]!)).toBeCloseTo(10, 1);
  const steps = first.slice(1).map((value, i) => Math.sign(value - first[i]!));
  expect(new Set(steps).size).toBe(1);
  expect(Math.max(...rows.map((_, i) => Math.abs(places[2 * i + 1]!)))).toBeLessThan(1);
});

it('rows that are all the same lie in one place', () => {
  expect([...principalPlaces(new Float32Array(12).fill(1), 4, 10)]).toEqual([0, 0, 0, 0, 0, 0]);
});
