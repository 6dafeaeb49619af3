import fc from 'fast-check';
import { expect, test } from 'vitest';
import { propertyRuns } from '../testing/seed.ts';
import { ALIGNMENT, alignUp, FreeList } from './free-list.ts';

const TOTAL = 64 * ALIGNMENT;

test('ranges in use never overlap, nothing is lost, and when all is free the whole can be taken at once', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('take' as const), units: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ kind: fc.constant('grow' as const), which: fc.nat(), units: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant('release' as const), which: fc.nat() }),
    ),
    { maxLength: 80 },
  );
  let taken = 0;
  fc.assert(
    fc.property(steps, (list) => {
      const free = new FreeList();
      free.release(0, TOTAL);
      const used: { start: number; bytes: number }[] = [];
      for (const step of list) {
        if (step.kind === 'take') {
          const bytes = step.units * ALIGNMENT;
          const start = free.take(bytes);
          if (start !== undefined) used.push({ start, bytes });
          taken++;
        } else if (used.length > 0) {
          const range = used[step.which % used.length]!;
          if (step.kind === 'release') {
            free.release(range.start, range.bytes);
            used.splice(used.indexOf(range), 1);
          } else if (free.takeAt(range.start + range.bytes, step.units * ALIGNMENT)) range.bytes += step.units * ALIGNMENT;
        }
        const sorted = [...used].sort((a, b) => a.start - b.start);
        sorted.forEach((range, index) => {
          const next = sorted[index + 1]?.start ?? TOTAL;
          expect(range.start + range.bytes).toBeLessThanOrEqual(next);
        });
        expect(free.freeBytes + used.reduce((sum, range) => sum + range.bytes, 0)).toBe(TOTAL);
      }
      for (const range of used) free.release(range.start, range.bytes);
      expect(free.take(TOTAL)).toBe(0);
    }),
    propertyRuns(300),
  );
  expect(taken).toBeGreaterThan(300);
});

test('a range that is free already is not released twice', () => {
  const free = new FreeList();
  free.release(0, TOTAL);
  const start = free.take(ALIGNMENT)!;
  free.release(start, ALIGNMENT);
  expect(() => free.release(start, ALIGNMENT)).toThrow(/already free/);
});

test('sizes are rounded up to whole alignments', () => {
  expect([0, 1, ALIGNMENT, ALIGNMENT + 1].map(alignUp)).toEqual([0, ALIGNMENT, ALIGNMENT, 2 * ALIGNMENT]);
});
