import { expect, test } from 'vitest';
import { planSearch } from './planner.ts';

const plan = (rows: number, survivors: number, ef = 64) => planSearch({ rows, survivors, ef, filtered: survivors < rows, plan: 'auto' });

test('few survivors are scanned, some are walked to with the bitmap, most are walked to and checked', () => {
  expect(plan(100_000, 1_000).plan).toBe('scan');
  expect(plan(100_000, 30_000).plan).toBe('walkFiltered');
  expect(plan(100_000, 90_000).plan).toBe('walk');
  expect(plan(100_000, 100_000).plan).toBe('walk');
});

test('small indexes, and large ef, are scanned', () => {
  expect(plan(1_000, 1_000).plan).toBe('scan');
  expect(plan(20_000, 20_000, 64).plan).toBe('walk');
  expect(plan(20_000, 20_000, 10_000).plan).toBe('scan');
});

test('a walk that is checked afterwards goes as far as its survivors lie apart', () => {
  expect(plan(100_000, 80_000, 64)).toEqual({ plan: 'walk', ef: 80, limit: 80_000 });
  expect(plan(100_000, 100_000, 64).ef).toBe(64);
});

test('a plan that the caller wants is taken', () => {
  expect(planSearch({ rows: 100, survivors: 10, ef: 20, filtered: true, plan: 'walkFiltered' })).toEqual({
    plan: 'walkFiltered',
    ef: 20,
    limit: 64,
  });
  expect(planSearch({ rows: 100, survivors: 10, ef: 20, filtered: true, plan: 'walk' }).ef).toBe(200);
});
