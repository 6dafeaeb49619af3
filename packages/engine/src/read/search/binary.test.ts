import { defineSchema, f } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../database/open-engine.ts';
import type { Engine, SearchRequest } from '../../database/types.ts';
import { memoryPorts } from '../../testing/memory-ports.ts';

/** Enough for kernel memory. */
const ROWS = 1_500;
const DIM = 72;
const { definition: schema } = defineSchema({
  items: {
    id: f.primaryKey('int64'),
    rank: f.number(),
    hamming: f.binaryVector(DIM),
    jaccard: f.binaryVector(DIM, { metric: 'JACCARD' }).nullable(),
  },
});
const rng = seededRng(8);
/** Few bits, so that there are ties, and empty ones. */
const bits = (): Uint8Array => Uint8Array.from({ length: DIM / 8 }, () => (rng.nextUint32() % 3 === 0 ? rng.nextUint32() & 0x11 : 0));
const entities = Array.from({ length: ROWS }, (_, id) => ({ id, rank: id, hamming: bits(), jaccard: id % 7 === 2 ? null : bits() }));

const hitsOf = (engine: Engine, request: Omit<SearchRequest, 'collection'>) =>
  engine.search({ collection: 'items', limit: 20, select: [], ...request }).hits.map(({ key, score }) => ({ key, score }));

describe('a search of bits', () => {
  it('gives the same by kernel memory of sealed rows as by the values of growing ones, and gives the memory back', async () => {
    const ports = await memoryPorts();
    const limits = { sealRows: 1e9, sealBytes: 1e12 };
    const sealed = await openEngine({ ports, schema, limits });
    const growing = await openEngine({ ports: await memoryPorts(), schema, limits });
    for (const engine of [sealed, growing]) engine.writeAll([{ type: 'put', collection: 'items', entities }]);
    await sealed.seal();
    const used = ports.kernel.usedBytes;
    let found = 0;
    for (const field of ['hamming', 'jaccard'] as const) {
      for (const more of [
        {},
        { where: { rank: { lt: 90 } } },
        { minScore: field === 'hamming' ? -4 : -0.7 },
        { range: { radius: 3, rangeFilter: 0.5 } },
        { limit: ROWS },
      ]) {
        const request = { field, vector: bits(), ...more };
        const hits = hitsOf(sealed, request);
        expect(hits).toEqual(hitsOf(growing, request));
        found += hits.length;
      }
    }
    expect(found).toBeGreaterThan(ROWS);
    expect(ports.kernel.usedBytes).toBeGreaterThan(used);
    await sealed.close();
    await growing.close();
    expect(ports.kernel.usedBytes).toBe(0);
  });

  it('of few rows, and without memory for them, compares the column', async () => {
    const ports = await memoryPorts();
    const kernel = {
      createBlock: ports.kernel.createBlock.bind(ports.kernel),
      createBinaryBlock: () => {
        throw new Error('no memory');
      },
      memoryBytes: 0,
      usedBytes: 0,
    };
    const engine = await openEngine({ ports: { ...ports, kernel }, schema });
    engine.writeAll([{ type: 'put', collection: 'items', entities }]);
    await engine.seal();
    const [best] = hitsOf(engine, { field: 'hamming', vector: entities[77]!.hamming });
    expect(best!.score).toBe(0);
    await engine.close();
  });
});
