import { MemoryObjectStore, valueFieldsOf } from '@terndb/core';
import { loadKernel } from '@terndb/kernel';
import { describe, expect, it } from 'vitest';
import { fromBase64Url, toBase64Url } from '../bytes/base64url.ts';
import { buildSegment } from './build-segment.ts';
import { SEGMENT_V1, SEGMENT_V1_ID } from './fixtures/segment-v1.ts';
import { openSegment, readSegmentInfo } from './open-segment.ts';
import { FIXTURE_DEFINITION, FIXTURE_ROWS, fixtureInput } from './testing/fixture-rows.ts';

const objects = new MemoryObjectStore(new Map([['s', fromBase64Url(SEGMENT_V1)!]]));
const options = { objects, name: 's', definition: FIXTURE_DEFINITION, expected: { id: SEGMENT_V1_ID } };

describe('a stored segment of version 1', () => {
  it('is read as it was written', async () => {
    const segment = await openSegment({ ...options, kernel: await loadKernel() });
    FIXTURE_ROWS.forEach((row, offset) => {
      expect(segment.keyAt(offset)).toBe(row.pk);
      expect(segment.findKey(row.pk)).toBe(offset);
      expect(segment.putStampAt(offset)).toEqual(row.put);
      expect(segment.exceptionsAt(offset)).toEqual(row.exceptions);
      for (const { name } of valueFieldsOf(FIXTURE_DEFINITION)) expect(segment.valueAt(name, offset)).toEqual(row.values[name]);
    });
    expect(segment.rows).toBe(FIXTURE_ROWS.length);
    segment.free();
  });

  it('is what the writer still writes, on any machine', () => {
    const { info, parts } = buildSegment(fixtureInput());
    expect(info.id).toBe(SEGMENT_V1_ID);
    expect(toBase64Url(Uint8Array.from(parts.flatMap((part) => [...part])))).toBe(SEGMENT_V1);
  });

  it('tells its summary without being opened', async () => {
    const info = await readSegmentInfo(options);
    expect(info).toMatchObject({ rows: 3, channel: 'c1/p1/0', keyType: 'varchar', upTo: 100, minPosition: 4, maxPosition: 90 });
    expect(info.stats.get('kind')).toEqual({ min: 'auk', max: 'bird', nulls: 1, distinct: 2 });
    expect(info.stats.get('count')).toEqual({ min: -(2n ** 63n), max: 42, nulls: 1, distinct: 2 });
  });
});
