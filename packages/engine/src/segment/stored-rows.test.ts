import { type Metric, narrowVector, type VectorElements } from '@terndb/core';
import { MemoryScratchFiles, propertyOptions, seededRng } from '@terndb/core/testing';
import type { Kernel, VectorBlock } from '@terndb/kernel';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createBitmap, setBit } from '../bitmap/bitmap.ts';
import { bytesOf } from '../bytes/typed-views.ts';
import { testKernel } from '../testing/memory-ports.ts';
import { StoredRows } from './stored-rows.ts';

/** Several pieces of 4 MiB of float32. */
const DIM = 512;
const ROWS = 5_000;
const ELEMENTS = ['float32', 'float16', 'int8'] as const satisfies readonly VectorElements[];
const METRICS = ['COSINE', 'IP', 'L2'] as const satisfies readonly Metric[];

let kernel: Kernel;
const files = new MemoryScratchFiles();
const pairs = new Map<VectorElements, { readonly block: VectorBlock; readonly stored: StoredRows }>();

beforeAll(async () => {
  kernel = await testKernel();
  for (const elements of ELEMENTS) {
    const rng = seededRng(3);
    // Whole numbers, of which every element type has these; few of them, so that there are ties.
    const floats = Float32Array.from({ length: ROWS * DIM }, (_, at) => (at % DIM < 8 ? (rng.nextUint32() % 5) - 2 : 0));
    const bytes = bytesOf(narrowVector(elements, floats));
    const block = kernel.createBlock({ dim: DIM, elements, capacity: ROWS });
    block.appendBytes(bytes);
    const file = await files.create(bytes.length);
    file.write(0, bytes);
    pairs.set(elements, { block, stored: new StoredRows({ kernel, file, dim: DIM, rows: ROWS, elements, what: 'rows' }) });
  }
});

describe('rows in a file', () => {
  it('answer what rows in memory answer, to the last bit, ties included', () => {
    const used = kernel.usedBytes;
    let hits = 0;
    fc.assert(
      fc.property(
        fc.record({
          elements: fc.constantFrom(...ELEMENTS),
          metric: fc.constantFrom(...METRICS),
          seed: fc.nat(1_000),
          k: fc.constantFrom(0, 1, 10, 300, ROWS + 1),
          share: fc.constantFrom(null, 0, 0.001, 0.01, 0.3, 1),
          rows: fc.constantFrom(undefined, 1, 2_049, ROWS),
          minScore: fc.constantFrom(undefined, -4, 0.2),
          maxScore: fc.constantFrom(undefined, 0.9, 3),
        }),
        ({ elements, metric, seed, k, share, rows, minScore, maxScore }) => {
          const { block, stored } = pairs.get(elements)!;
          const rng = seededRng(seed);
          const query = Float32Array.from({ length: DIM }, (_, at) => (at < 8 ? (rng.nextUint32() % 5) - 2 : 0));
          const bitmap = createBitmap(ROWS);
          for (let row = 0; row < ROWS; row++) if (rng.nextUint32() / 2 ** 32 < (share ?? 1)) setBit(bitmap, row);
          const options = {
            query,
            metric,
            k,
            ...(share === null ? {} : { bitmap }),
            ...(rows === undefined ? {} : { rows }),
            ...(minScore === undefined ? {} : { minScore }),
            ...(maxScore === undefined ? {} : { maxScore }),
          };
          const truth = block.scan(options);
          expect(stored.scan(options)).toEqual(truth);
          hits += truth.offsets.length;
          const offsets = Uint32Array.from({ length: 20 }, () => rng.nextUint32() % ROWS);
          expect(stored.scores({ query, metric, offsets })).toEqual(block.scores({ query, metric, offsets }));
        },
      ),
      propertyOptions(60),
    );
    expect(hits).toBeGreaterThan(1_000);
    expect(kernel.usedBytes).toBe(used);
  });

  it.each(ELEMENTS)('of %s are read one by one, or all into memory, as they were written', async (elements) => {
    const { block, stored } = pairs.get(elements)!;
    for (const row of [0, 1, 2_047, ROWS - 1]) expect(stored.row(row)).toEqual(block.row(row));
    expect(stored.floats(7, 2)).toEqual(Float32Array.of(...block.row(7), ...block.row(8)));
    const used = kernel.usedBytes;
    const loaded = await stored.load(async () => {});
    expect([loaded.rows, loaded.row(4_321)]).toEqual([ROWS, block.row(4_321)]);
    loaded.free();
    await expect(stored.load(() => Promise.reject(new Error('not wanted')))).rejects.toThrow('not wanted');
    expect(kernel.usedBytes).toBe(used);
    expect(stored.bytes).toBe(0);
  });

  it('never change', () => {
    const { stored } = pairs.get('float32')!;
    const { reserve, append, appendBytes } = stored;
    for (const change of [reserve, append, appendBytes]) expect(() => change.call(stored)).toThrow(/do not change/);
  });

  it('read few rows one by one, and no more', () => {
    const { stored } = pairs.get('float32')!;
    const bitmap = createBitmap(ROWS);
    for (const row of [3, 999, 4_000]) setBit(bitmap, row);
    const before = files.reads;
    stored.scan({ query: new Float32Array(DIM).fill(1), metric: 'IP', k: 10, bitmap });
    expect(files.reads - before).toBe(3);
  });
});
