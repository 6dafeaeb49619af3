import { MemoryObjectStore, type PrimaryKey, type StoredValue, valueFieldsOf } from '@terndb/core';
import { loadKernel } from '@terndb/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countBits, testBit } from '../bitmap/bitmap.ts';
import { buildSegment } from './build-segment.ts';
import { openSegment } from './open-segment.ts';
import { inputOf, inputs, type TestRow } from './testing/segment-arbitraries.ts';
import type { Segment } from './types.ts';

const kernel = await loadKernel();

async function sealed(definition: Parameters<typeof inputOf>[0], rows: readonly TestRow[]): Promise<Segment> {
  const objects = new MemoryObjectStore();
  const { info, parts } = buildSegment(inputOf(definition, rows));
  await objects.put('s', parts);
  return openSegment({ objects, name: 's', kernel, definition, expected: info });
}

describe('a sealed segment', () => {
  it('gives back every key, value, stamp and null that was sealed', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, async ({ definition, rows }) => {
        const segment = await sealed(definition, rows);
        expect(segment.rows).toBe(rows.length);
        rows.forEach((row, offset) => {
          expect(segment.keyAt(offset)).toBe(row.pk);
          expect(segment.findKey(row.pk)).toBe(offset);
          expect(segment.putStampAt(offset)).toEqual(row.put);
          expect(segment.exceptionsAt(offset)).toEqual(row.exceptions);
          for (const field of valueFieldsOf(definition)) expect(segment.valueAt(field.name, offset)).toEqual(row.values[field.name]);
        });
        segment.free();
      }),
    );
    expect(kernel.usedBytes).toBe(0);
  });
});
