import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PositionIndex } from './position-index.ts';

const frames = fc.array(fc.record({ records: fc.integer({ min: 1, max: 5 }), gap: fc.integer({ min: 1, max: 4 }) }), { maxLength: 60 });

it('finds the entry that holds a position, as a search from the front does, whatever was cut', () => {
  fc.assert(
    fc.property(frames, fc.nat(200), (made, cut) => {
      const index = new PositionIndex();
      const entries: { sequence: number; base: number; records: number }[] = [];
      let [sequence, base] = [0, 1];
      for (const { records, gap } of made) {
        sequence += gap;
        entries.push({ sequence, base, records });
        index.add(sequence, base, records);
        base += records;
      }
      index.cut(cut);
      const kept = entries.filter((entry) => entry.sequence > cut);
      expect(index.firstPosition(base - 1)).toBe(kept[0]?.base ?? base);
      for (let position = 1; position <= base; position++) {
        const at = kept.findIndex((entry) => entry.base <= position && position < entry.base + entry.records);
        const expected = at < 0 ? [] : kept.slice(at, at + 3).map((entry) => entry.sequence);
        expect(index.from(position, 3)).toEqual(expected);
      }
    }),
    propertyOptions(200),
  );
});

it('forgets what is before a hole, so that nobody reads across it', () => {
  const index = new PositionIndex();
  index.add(1, 1, 3);
  expect(index.firstPosition(10)).toBe(11);
  index.add(2, 11, 1);
  expect(index.firstPosition(11)).toBe(11);
  expect(index.from(1, 9)).toEqual([]);
  expect(index.from(11, 9)).toEqual([2]);
});
