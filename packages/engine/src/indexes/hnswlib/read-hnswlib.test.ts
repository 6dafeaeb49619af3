import { defineSchema, f } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64Url } from '../../bytes/base64url.ts';
import { damageCode, withFlippedBit, withSplice } from '../../bytes/testing/damage-bytes.ts';
import { openEngine } from '../../database/open-engine.ts';
import type { Engine } from '../../database/types.ts';
import { memoryPorts } from '../../testing/memory-ports.ts';
import { NATIVE_COSINE, NATIVE_L2, WASM_L2 } from './fixtures/saved-indexes.ts';
import { importHnswlib } from './import-hnswlib.ts';
import { readHnswlib } from './read-hnswlib.ts';

/**
 * Saved by the libraries themselves, in space l2, m 4, efConstruction 20, seed 7, room for 100: 60 rows of dim 4, `sin((row + 1) * (at + 1) * 0.7)`,
 * labels 3 * row. native-l2 (hnswlib-node 3.0.0) has labels 6 and 30 marked as deleted; wasm-l2 is of hnswlib-wasm 0.8.2 in Chromium; native-cosine:
 * 8 rows labelled 0 to 7 in space cosine.
 */
const NATIVE = fromBase64Url(NATIVE_L2)!;
const WASM = fromBase64Url(WASM_L2)!;
const COSINE = fromBase64Url(NATIVE_COSINE)!;
const ROWS = 60;
const value = (row: number, at: number): number => Math.fround(Math.sin((row + 1) * (at + 1) * 0.7));
const vector = (row: number): number[] => [0, 1, 2, 3].map((at) => value(row, at));

describe('a saved index of hnswlib', () => {
  it.each([
    ['native', NATIVE, new Set([6, 30])],
    ['wasm', WASM, new Set<number>()],
  ] as const)('is read as it was written by the %s build, without the rows marked as deleted', (layout, bytes, deleted) => {
    const file = readHnswlib(bytes);
    expect(file).toMatchObject({ layout, dim: 4, count: ROWS, m: 4, efConstruction: 20 });
    const rows = [...file.rows()];
    const expected = Array.from({ length: ROWS }, (_, row) => row).filter((row) => !deleted.has(row * 3));
    expect(rows.map(({ label }) => Number(label))).toEqual(expected.map((row) => row * 3));
    expect(rows.map(({ vector: read }) => [...read])).toEqual(expected.map(vector));
  });

  it('may lie anywhere in a buffer', () => {
    const buffer = new Uint8Array(WASM.length + 7);
    buffer.set(WASM, 3);
    expect([...readHnswlib(buffer.subarray(3, 3 + WASM.length)).rows()]).toEqual([...readHnswlib(WASM).rows()]);
  });

  it('is refused when it is cut, goes on, is empty or is something else', () => {
    const longer = new Uint8Array(NATIVE.length + 1);
    longer.set(NATIVE);
    const cuts = [0, 1, 55, 56, 95, 96, 1_000, NATIVE.length - 1].map((length) => NATIVE.slice(0, length));
    for (const bytes of [...cuts, WASM.slice(0, -1), longer, new Uint8Array(4_000), new Uint8Array(4_000).fill(255)])
      expect(() => readHnswlib(bytes)).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
  });

  it('is read or refused with a typed error whatever happened to its bytes', async () => {
    let refused = 0;
    const files = fc.constantFrom(NATIVE, WASM, COSINE);
    const splice = fc.record({ from: fc.nat(5_000), to: fc.nat(5_000), length: fc.integer({ min: 1, max: 64 }) });
    const damaged = fc.oneof(
      fc.tuple(files, fc.nat()).map(([bytes, bit]) => withFlippedBit(bytes, bit % (bytes.length * 8))),
      // Where most of the meaning is.
      fc.tuple(files, fc.nat(96 * 8 - 1)).map(([bytes, bit]) => withFlippedBit(bytes, bit)),
      fc.tuple(files, splice).map(([bytes, at]) => withSplice(bytes, at)),
    );
    await fc.assert(
      fc.asyncProperty(damaged, async (bytes) => {
        const code = await damageCode(() => {
          for (const row of readHnswlib(bytes).rows()) expect(row.vector.every(Number.isFinite)).toBe(true);
        });
        if (code !== undefined) refused++;
      }),
      propertyOptions(500),
    );
    expect(refused).toBeGreaterThan(50);
  });

  it('is refused when a vector is not finite, or a label comes twice', () => {
    const read = (change: (view: DataView) => void): unknown => {
      const copy = new Uint8Array(WASM);
      change(new DataView(copy.buffer));
      return [...readHnswlib(copy).rows()];
    };
    // The second element: header 56, element 56, data at 36, label at 52.
    expect(() => read((view) => view.setFloat32(56 + 56 + 36, Number.NaN, true))).toThrow(/finite numbers expected, got NaN in row 3/);
    expect(() => read((view) => view.setUint32(56 + 56 + 52, 0, true))).toThrow(/got 0 twice/);
  });
});

describe('an import of it', () => {
  const { definition: schema } = defineSchema({
    numbered: { id: f.primaryKey('int64'), note: f.text().nullable(), at: f.vector(4, { metric: 'L2' }) },
    named: { at: f.vector(4), other: f.vector(5).nullable() },
    strict: { id: f.primaryKey('int64'), at: f.vector(4, { metric: 'L2' }), title: f.text() },
  });
  let engine: Engine;
  beforeAll(async () => {
    engine = await openEngine({ ports: await memoryPorts(), schema, limits: { groupCommitMs: 0 } });
  });
  afterAll(() => engine.close());

  /** The engine's clock stands still, so what waits for a group commit is flushed. */
  const run = async (request: Parameters<typeof importHnswlib>[1]): Promise<{ readonly entities: number }> => {
    const done = importHnswlib(engine, request);
    await engine.flush();
    return await done;
  };

  it('makes an entity of each row, with the label as the key', async () => {
    expect(await run({ collection: 'numbered', bytes: NATIVE, metric: 'L2', dim: 4 })).toEqual({ entities: ROWS - 2 });
    expect(engine.count({ collection: 'numbered' }).count).toBe(ROWS - 2);
    const { hits } = engine.search({ collection: 'numbered', vector: Float32Array.from(vector(7)), limit: 1 });
    expect(hits[0]).toMatchObject({ key: 21, score: 0, entity: { id: 21, note: null } });
    expect(engine.get({ collection: 'numbered', keys: [6, 30] }).entities).toEqual([undefined, undefined]);
  });

  it('takes keys by label, and decimal labels for VarChar keys', async () => {
    const keys = new Map(Array.from({ length: 8 }, (_, label) => [label, `row ${label}`]));
    const place = { collection: 'named', field: 'at', bytes: COSINE };
    expect(await run({ ...place, keys })).toEqual({ entities: 8 });
    expect(await run({ ...place, keys: [...keys.values()] })).toEqual({ entities: 8 });
    expect(engine.count({ collection: 'named' }).count).toBe(8);
    expect(engine.search({ collection: 'named', field: 'at', vector: Float32Array.from(vector(3)), limit: 1 }).hits[0]!.key).toBe('row 3');
    await run(place);
    expect(engine.get({ collection: 'named', keys: ['5'] }).entities[0]).toMatchObject({ id: '5' });
  });

  it.each([
    [{ collection: 'named', bytes: COSINE }, 'QUERY_INVALID'],
    [{ collection: 'named', field: 'other', bytes: COSINE }, 'DIMENSION_MISMATCH'],
    [{ collection: 'named', field: 'at', bytes: COSINE, dim: 5 }, 'DIMENSION_MISMATCH'],
    [{ collection: 'named', field: 'at', bytes: COSINE, metric: 'L2' }, 'QUERY_INVALID'],
    [{ collection: 'named', field: 'at', bytes: COSINE, keys: ['a', 'b'] }, 'QUERY_INVALID'],
    [{ collection: 'named', field: 'id', bytes: COSINE }, 'QUERY_INVALID'],
    [{ collection: 'nothing', bytes: COSINE }, 'COLLECTION_UNKNOWN'],
    [{ collection: 'named', field: 'at', bytes: COSINE.slice(0, 300) }, 'FORMAT_INVALID'],
    [{ collection: 'named', field: 'at', bytes: 'text' as never }, 'QUERY_INVALID'],
    [{ collection: 'strict', bytes: NATIVE }, 'FIELD_INVALID'],
  ])('refuses %o with %s and writes nothing', async (request, code) => {
    const before = engine.count({ collection: 'named' }).count;
    await expect(importHnswlib(engine, request)).rejects.toMatchObject({ code });
    expect(engine.count({ collection: 'named' }).count).toBe(before);
    expect(engine.count({ collection: 'strict' }).count).toBe(0);
  });
});
