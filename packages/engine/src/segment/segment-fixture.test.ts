import { MemoryObjectStore, valueFieldsOf } from '@terndb/core';
import { loadKernel } from '@terndb/kernel';
import { describe, expect, it } from 'vitest';
import { fromBase64Url, toBase64Url } from '../bytes/base64url.ts';
import { buildSegment } from './build-segment.ts';
import { SEGMENT_V1, SEGMENT_V1_ID } from './fixtures/segment-v1.ts';
import { SEGMENT_V2, SEGMENT_V2_ID } from './fixtures/segment-v2.ts';
import { openSegment, readSegmentInfo } from './open-segment.ts';
import { FIXTURE_DEFINITION, FIXTURE_ROWS, fixtureInput } from './testing/fixture-rows.ts';

const versions = [
  { version: 1, file: SEGMENT_V1, id: SEGMENT_V1_ID },
  { version: 2, file: SEGMENT_V2, id: SEGMENT_V2_ID },
];

describe.each(versions)('a stored segment of version $version', ({ version, file, id }) => {
  const objects = new MemoryObjectStore(new Map([['s', fromBase64Url(file)!]]));
  const options = { objects, name: 's', definition: FIXTURE_DEFINITION, expected: { id } };

  it('is read as it was written', async () => {
    const segment = await openSegment({ ...options, kernel: await loadKernel() });
    FIXTURE_ROWS.forEach((row, offset) => {
      expect(segment.keyAt(offset)).toBe(row.pk);
      expect(segment.findKey(row.pk)).toBe(offset);
      expect(segment.putStampAt(offset)).toEqual(row.put);
      expect(segment.exceptionsAt(offset)).toEqual(row.exceptions);
      for (const { name } of valueFieldsOf(FIXTURE_DEFINITION)) expect(segment.valueAt(name, offset)).toEqual(row.values[name]);
      expect(segment.origins('wide')?.originAt(offset) ?? null).toEqual(version === 1 ? null : (row.origins?.['wide'] ?? null));
      expect(segment.putSeqAt(offset)).toBe(version === 1 ? 0 : (row.putSeq ?? 0));
    });
    expect(segment.rows).toBe(FIXTURE_ROWS.length);
    segment.free();
  });

  it('tells its summary without being opened', async () => {
    const info = await readSegmentInfo(options);
    expect(info).toMatchObject({ rows: 3, channel: 'c1/p1/0', keyType: 'varchar', upTo: 100, minPosition: 4, maxPosition: 90 });
    expect(info.stats.get('kind')).toEqual({ min: 'auk', max: 'bird', nulls: 1, distinct: 2 });
    expect(info.stats.get('count')).toEqual({ min: -(2n ** 63n), max: 42, nulls: 1, distinct: 2 });
  });
});

describe('the writer', () => {
  it('still writes the stored segment of version 2, on any machine', () => {
    const { info, parts } = buildSegment(fixtureInput());
    expect(info.id).toBe(SEGMENT_V2_ID);
    expect(toBase64Url(Uint8Array.from(parts.flatMap((part) => [...part])))).toBe(SEGMENT_V2);
  });

  it('keeps dynamic fields as a json column named $meta', async () => {
    const definition = { ...FIXTURE_DEFINITION, dynamic: true };
    const input = fixtureInput();
    const { valueAt } = input.rows;
    const rows = {
      ...input.rows,
      valueAt: (field: string, index: number) => (field === '$meta' ? `{"row":${index}}` : valueAt(field, index)),
    };
    const { parts } = buildSegment({ ...input, definition, rows });
    const objects = new MemoryObjectStore();
    await objects.put('s', parts);
    const segment = await openSegment({ objects, name: 's', definition, kernel: await loadKernel() });
    expect([0, 1, 2].map((offset) => segment.valueAt('$meta', offset))).toEqual(['{"row":0}', '{"row":1}', '{"row":2}']);
    segment.free();
  });
});
