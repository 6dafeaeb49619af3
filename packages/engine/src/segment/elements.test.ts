import { type FieldDefinition, isStoredVector, MemoryObjectStore, type StoredVector, type Timestamp } from '@terndb/core';
import { loadKernel } from '@terndb/kernel';
import { describe, expect, it } from 'vitest';
import { fromBase64Url, toBase64Url } from '../bytes/base64url.ts';
import { buildSegment } from './build-segment.ts';
import { SEGMENT_V3_ELEMENTS, SEGMENT_V3_ELEMENTS_ID } from './fixtures/segment-v3-elements.ts';
import { openSegment } from './open-segment.ts';
import { resealed } from './testing/reseal.ts';
import { definitionOf, inputOf, type TestRow } from './testing/segment-arbitraries.ts';

const DIM = 3;
const index = { type: 'AUTOINDEX', m: 16, efConstruction: 200, quantization: 'none' } as const;
const field = (name: string, elements: object): FieldDefinition => ({
  name,
  type: 'vector',
  nullable: true,
  params: { dim: DIM, embed: null, model: null, metric: 'COSINE', index, ...elements },
});
const FIELDS = [
  field('brain', { elements: 'bfloat16' }),
  field('bytes', { elements: 'int8' }),
  field('full', {}),
  field('half', { elements: 'float16' }),
];
const definition = definitionOf('varchar', FIELDS);
const put = { hlc: 3_700_000_000_000_000 as Timestamp, clientId: 'client-a' };
/** 1, -2 and 0.5; the smallest and the largest. */
const ROWS: readonly TestRow[] = [
  {
    pk: 'a',
    put,
    exceptions: [],
    values: {
      brain: Uint16Array.of(0x3f80, 0xc000, 0x3f00),
      bytes: Int8Array.of(1, -128, 127),
      full: Float32Array.of(1, -2, 0.5),
      half: Uint16Array.of(0x3c00, 0xc000, 0x3800),
    },
  },
  { pk: 'b', put, exceptions: [], values: { brain: null, bytes: null, full: null, half: null } },
  {
    pk: 'c',
    put,
    exceptions: [],
    values: { brain: Uint16Array.of(1, 0x7f7f, 0x8000), bytes: new Int8Array(DIM), full: null, half: Uint16Array.of(1, 0x7bff, 0x8000) },
  },
];
const bytesOf = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => Uint8Array.from(parts.flatMap((part) => [...part]));

async function open(file: Uint8Array<ArrayBuffer>, fields: readonly FieldDefinition[] = FIELDS) {
  const objects = new MemoryObjectStore(new Map([['s', file]]));
  return openSegment({ objects, name: 's', definition: definitionOf('varchar', [...fields]), kernel: await loadKernel() });
}

describe('a segment with vectors of other elements', () => {
  it('is read as it was written, by every later version, at the width of its elements', async () => {
    const segment = await open(fromBase64Url(SEGMENT_V3_ELEMENTS)!);
    expect(segment.id).toBe(SEGMENT_V3_ELEMENTS_ID);
    ROWS.forEach((row, offset) => {
      for (const { name } of FIELDS) expect(segment.valueAt(name, offset)).toEqual(row.values[name]);
    });
    expect(segment.vectors('half')!.row(2)).toEqual(Float32Array.of(2 ** -24, 65_504, -0));
    segment.free();
  });

  it('is still written the same', () => {
    const { info, parts } = buildSegment(inputOf(definition, ROWS));
    expect([info.id, toBase64Url(bytesOf(parts))]).toEqual([SEGMENT_V3_ELEMENTS_ID, SEGMENT_V3_ELEMENTS]);
  });

  it('is of version 3, one with float32 only of version 2', () => {
    const full = FIELDS[2]!;
    const rows = ROWS.map((row) => ({ ...row, values: { full: row.values['full']! } }));
    expect(bytesOf(buildSegment(inputOf(definition, ROWS)).parts)[4]).toBe(3);
    expect(bytesOf(buildSegment(inputOf(definitionOf('varchar', [full]), rows)).parts)[4]).toBe(2);
  });

  it('does not open under a definition with other elements', async () => {
    const file = bytesOf(buildSegment(inputOf(definition, ROWS)).parts);
    for (const elements of [{}, { elements: 'bfloat16' }, { elements: 'int8' }]) {
      const fields = FIELDS.map((one) => (one.name === 'half' ? field('half', elements) : one));
      await expect(open(file, fields)).rejects.toMatchObject({ code: 'FORMAT_INVALID' });
    }
  });

  it('with a section of another width than its field says is refused', async () => {
    const file = bytesOf(buildSegment(inputOf(definition, ROWS)).parts);
    // The type codes of `bytes` (int8, 16) and of `half` (float16, 14) exchanged: sections have the wrong lengths for them.
    const text = Array.from(file, (byte) => String.fromCharCode(byte)).join('');
    const [bytesAt, halfAt] = [text.indexOf('\x05bytes') + 6, text.indexOf('\x04half') + 5];
    expect([file[bytesAt], file[halfAt]]).toEqual([16, 14]);
    file[bytesAt] = 14;
    file[halfAt] = 16;
    const fields = [FIELDS[0]!, field('bytes', { elements: 'float16' }), FIELDS[2]!, field('half', { elements: 'int8' })];
    await expect(open(resealed(file), fields)).rejects.toMatchObject({
      code: 'FORMAT_INVALID',
      message: expect.stringContaining('vectors of'),
    });
  });

  it('holds stored vectors', () => {
    const half = FIELDS[3] as Extract<FieldDefinition, { type: 'vector' }>;
    expect(isStoredVector(half, ROWS[0]!.values['half'] as StoredVector)).toBe(true);
  });
});
