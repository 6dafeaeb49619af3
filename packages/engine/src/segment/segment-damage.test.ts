import { type CollectionDefinition, DbError, MemoryObjectStore, type ObjectStore, valueFieldsOf } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import { loadKernel } from '@terndb/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { damageCode, withFlippedBit, withSplice } from '../bytes/testing/damage-bytes.ts';
import { buildSegment } from './build-segment.ts';
import { openSegment } from './open-segment.ts';
import { resealed } from './testing/reseal.ts';
import { definitionOf, FIELDS, inputOf, rowsFor, type TestRow } from './testing/segment-arbitraries.ts';

const kernel = await loadKernel();
const DEFINITIONS = { varchar: definitionOf('varchar', FIELDS), int64: definitionOf('int64', FIELDS) };

/** A file with every kind of section: sampled with a fixed seed until each is there. */
function fileOf(definition: CollectionDefinition): Uint8Array<ArrayBuffer> {
  const [rows] = fc.sample(
    rowsFor(definition, { minLength: 4, maxLength: 6 }).filter(
      (candidates) => candidates.some((row) => row.exceptions.length > 0) && hasEveryValue(definition, candidates),
    ),
    { numRuns: 1, seed: 7 },
  );
  const built = buildSegment(inputOf(definition, rows!));
  return Uint8Array.from(built.parts.flatMap((part) => [...part]));
}

function hasEveryValue(definition: CollectionDefinition, rows: readonly TestRow[]): boolean {
  return valueFieldsOf(definition).every(
    ({ name }) => rows.some((row) => row.values[name] !== null) && rows.some((row) => row.values[name] === null),
  );
}

/** Opens the bytes and reads everything in them. */
async function readAll(definition: CollectionDefinition, bytes: Uint8Array<ArrayBuffer>, objects?: ObjectStore): Promise<void> {
  const store = objects ?? new MemoryObjectStore(new Map([['s', bytes]]));
  const segment = await openSegment({ objects: store, name: 's', kernel, definition });
  try {
    for (let offset = 0; offset < segment.rows; offset++) {
      expect(segment.findKey(segment.keyAt(offset))).toBeGreaterThanOrEqual(-1);
      segment.hashAt(offset);
      segment.versionAt(offset);
      segment.putSeqAt(offset);
      for (const { name } of definition.fields) {
        segment.origins(name)?.originAt(offset);
        const value = segment.valueAt(name, offset);
        expect(Array.isArray(value) ? value : [value]).not.toContain(undefined);
      }
    }
  } finally {
    segment.free();
  }
}

const FILES = { varchar: fileOf(DEFINITIONS.varchar), int64: fileOf(DEFINITIONS.int64) };
const keyTypes = fc.constantFrom('varchar' as const, 'int64' as const);

describe('a damaged segment', () => {
  it('is readable before it is damaged', async () => {
    for (const keyType of ['varchar', 'int64'] as const) {
      await readAll(DEFINITIONS[keyType], FILES[keyType]);
      await readAll(DEFINITIONS[keyType], resealed(FILES[keyType]));
    }
  });

  it('cut at any length is refused', async () => {
    const file = FILES.varchar;
    for (let length = 0; length < file.length; length++) {
      expect(await damageCode(() => readAll(DEFINITIONS.varchar, file.slice(0, length)))).toBeDefined();
    }
  });

  it('with a flipped bit in any byte is refused at open, in a section by its checksum', async () => {
    for (const keyType of ['varchar', 'int64'] as const) {
      const file = FILES[keyType];
      const headBytes = new DataView(file.buffer).getUint32(8, true);
      for (let byte = 0; byte < file.length; byte++) {
        const damaged = withFlippedBit(file, byte * 8 + (byte % 8));
        const code = await damageCode(() =>
          openSegment({ objects: new MemoryObjectStore(new Map([['s', damaged]])), name: 's', kernel, definition: DEFINITIONS[keyType] }),
        );
        if (byte >= headBytes) expect(code).toBe('CHECKSUM_MISMATCH');
        else expect(code).toBeDefined();
      }
    }
    expect(kernel.usedBytes).toBe(0);
  });

  it('with spliced bytes is refused', async () => {
    await fc.assert(
      fc.asyncProperty(keyTypes, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 400 }), async (keyType, from, to, length) => {
        const file = FILES[keyType];
        const damaged = withSplice(file, { from: from % file.length, to: to % file.length, length });
        fc.pre(!damaged.every((byte, index) => byte === file[index]));
        expect(await damageCode(() => readAll(DEFINITIONS[keyType], damaged))).toBeDefined();
      }),
      propertyOptions(500),
    );
  });

  it('whose checksums were made right again gives a typed error or values, never another error, and keeps no memory', async () => {
    const edit = fc.record({ at: fc.nat(), value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)) });
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(keyTypes, fc.array(edit, { minLength: 1, maxLength: 4 }), fc.boolean(), async (keyType, edits, inHead) => {
        const file = FILES[keyType];
        const damaged = file.slice();
        const headBytes = new DataView(file.buffer).getUint32(8, true);
        for (const { at, value } of edits) damaged[inHead ? 8 + (at % (headBytes - 8)) : at % file.length] = value;
        if ((await damageCode(() => readAll(DEFINITIONS[keyType], resealed(damaged)))) !== undefined) refused++;
        expect(kernel.usedBytes).toBe(0);
      }),
      propertyOptions(1500),
    );
    expect(refused).toBeGreaterThan(100);
  });

  it('with absurd counts or lengths is refused without reading or allocating what they say', async () => {
    const file = FILES.varchar;
    const view = new DataView(file.buffer);
    const count = view.getUint32(16, true);
    const absurd = [2 ** 32 - 1, 2 ** 31, 1e9];
    for (const value of absurd) {
      for (const at of [8, 16, 20]) {
        const damaged = file.slice();
        new DataView(damaged.buffer).setUint32(at, value, true);
        expect(await damageCode(() => readAll(DEFINITIONS.varchar, resealed(damaged)))).toBeDefined();
      }
      for (let section = 0; section < count; section++) {
        for (const [at, number] of [
          [8, value],
          [16, value],
          [16, 2 ** 60],
          [16, -64],
          [16, Number.NaN],
        ] as const) {
          const damaged = file.slice();
          new DataView(damaged.buffer).setFloat64(64 + section * 24 + at, number, true);
          expect(await damageCode(() => readAll(DEFINITIONS.varchar, resealed(damaged)))).toBeDefined();
        }
      }
    }
  });

  it('is refused when the manifest meant another one', async () => {
    const { info, parts } = buildSegment(
      inputOf(DEFINITIONS.varchar, [{ pk: 'a', put: { hlc: 1 as never, clientId: 'ada' }, exceptions: [], values: {} }]),
    );
    const objects = new MemoryObjectStore();
    await objects.put('s', parts);
    const open = (expected: object): Promise<string | undefined> =>
      damageCode(async () => (await openSegment({ objects, name: 's', kernel, definition: DEFINITIONS.varchar, expected })).free());
    expect(await open(info)).toBeUndefined();
    expect(await open({ id: 'f'.repeat(32) })).toBe('CHECKSUM_MISMATCH');
    expect(await open({ rows: 2 })).toBe('FORMAT_INVALID');
    expect(await open({ bytes: 2 })).toBe('FORMAT_INVALID');
    expect(await open({ channel: 'c1/p1/1' })).toBe('FORMAT_INVALID');
  });

  it('is refused by a collection with another key or field type', async () => {
    expect(await damageCode(() => readAll(DEFINITIONS.int64, FILES.varchar))).toBe('FORMAT_INVALID');
    const renamed = FIELDS.map((field) => (field.name === 'count' ? { ...field, type: 'number' as const } : field)) as typeof FIELDS;
    expect(await damageCode(() => readAll(definitionOf('varchar', renamed), FILES.varchar))).toBe('FORMAT_INVALID');
  });

  it('that is gone is STORAGE_LOST', async () => {
    const opening = openSegment({ objects: new MemoryObjectStore(), name: 's', kernel, definition: DEFINITIONS.varchar });
    await expect(opening).rejects.toMatchObject({ code: 'STORAGE_LOST', kind: 'data' });
    await expect(opening).rejects.toBeInstanceOf(DbError);
  });

  it('of an unknown version says so', async () => {
    const file = FILES.varchar.slice();
    file[4] = 4;
    expect(await damageCode(() => readAll(DEFINITIONS.varchar, file))).toBe('FORMAT_VERSION_UNSUPPORTED');
  });
});
