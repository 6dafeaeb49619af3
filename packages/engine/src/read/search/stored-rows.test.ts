import { DbError, defineSchema, f, type ScratchFiles } from '@terndb/core';
import { MemoryScratchFiles, seededRng } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../database/open-engine.ts';
import type { Engine, EnginePorts, SearchRequest } from '../../database/types.ts';
import { GRAPH_MIN_ROWS } from '../../indexes/vector-kinds.ts';
import { memoryPorts } from '../../testing/memory-ports.ts';

const ROWS = GRAPH_MIN_ROWS + 200;
const DIM = 32;
const CENTRES = 50;
const FIELDS = ['auto', 'bits', 'lists'] as const;
const { definition: schema } = defineSchema({
  items: {
    id: f.primaryKey('int64'),
    rank: f.number(),
    auto: f.vector(DIM),
    bits: f.vector(DIM, { metric: 'L2', elements: 'float16', index: { type: 'HNSW', quantization: 'binary', efConstruction: 60 } }),
    lists: f.vector(DIM, { metric: 'IP', index: { type: 'IVF', quantization: 'sq8', nlist: 60 } }).nullable(),
    flat: f.vector(DIM, { index: { type: 'FLAT' } }),
  },
});

const rng = seededRng(61);
const random = (): number => rng.nextUint32() / 2 ** 31 - 1;
const centres = Array.from({ length: CENTRES }, () => Array.from({ length: DIM }, random));
const vector = (): Float32Array => Float32Array.from(centres[rng.nextUint32() % CENTRES]!, (value) => value + random() / 3);
const entities = Array.from({ length: ROWS }, (_, id) => {
  const value = vector();
  return { id, rank: id, auto: value, bits: value, lists: id % 50 === 3 ? null : value, flat: value };
});
const QUERIES = Array.from({ length: 30 }, vector);

const limits = { sealRows: 1e9, sealBytes: 1e12 };
async function filled(ports: EnginePorts): Promise<Engine> {
  const engine = await openEngine({ ports, schema, limits });
  engine.writeAll([{ type: 'put', collection: 'items', entities }]);
  await engine.flush();
  await engine.seal();
  return engine;
}
const hitsOf = (engine: Engine, request: Omit<SearchRequest, 'collection'>) => {
  const { hits, exact } = engine.search({ collection: 'items', limit: 10, select: [], ...request });
  return { exact, hits: hits.map(({ key, score }) => ({ key, score })) };
};

describe('an engine whose vectors of sealed segments are in files', () => {
  it('answers as one that has them in memory: before and after indexes, by scan, patched, merged and opened again', async () => {
    const scratch = new MemoryScratchFiles();
    const ports = await memoryPorts();
    const truthPorts = await memoryPorts();
    const truth = await filled(truthPorts);
    let engine = await filled({ ...ports, scratch });
    const compare = (more: Omit<SearchRequest, 'collection'> = {}): void => {
      for (const field of [...FIELDS, 'flat']) {
        const request = { field, vector: QUERIES[0], ...more };
        expect(hitsOf(engine, { ...request, exact: true })).toEqual(hitsOf(truth, { ...request, exact: true }));
      }
    };
    compare();
    await engine.buildIndexes();
    await truth.buildIndexes();
    const [segment] = engine.inspect().partitions[0]!.segments;
    expect(segment!.indexes).toEqual(['auto:hnsw', 'bits:hnsw-b1', 'lists:ivf-sq8']);
    expect(segment!.vectors).toMatchObject({
      auto: { rows: 'stored' },
      bits: { rows: 'stored' },
      lists: { rows: 'stored' },
      flat: { rows: 'memory' },
    });
    // The same index files, byte for byte: their names hold their checksums.
    const files = async (of: EnginePorts): Promise<string[]> =>
      (await of.objects.list('')).map(({ name }) => name.split('/').at(-1)!).filter((name) => name.startsWith('index-'));
    expect(await files(ports)).toHaveLength(3);
    expect(await files(ports)).toEqual(await files(truthPorts));
    for (const field of FIELDS) {
      let found = 0;
      for (const query of QUERIES) {
        const walked = hitsOf(engine, { field, vector: query });
        expect([walked.exact, walked.hits.length]).toEqual([false, 10]);
        const best = new Map(hitsOf(truth, { field, vector: query, exact: true, limit: 1_000 }).hits.map(({ key, score }) => [key, score]));
        const ten = [...best.keys()].slice(0, 10);
        for (const { key, score } of walked.hits) if (best.has(key)) expect(score).toBe(best.get(key));
        found += walked.hits.filter(({ key }) => ten.includes(key)).length;
      }
      expect(found / QUERIES.length / 10, field).toBeGreaterThan(0.9);
      const probed = await engine.recall({ collection: 'items', field, sample: 20 });
      expect([probed.exact, probed.recall > 0.9]).toEqual([false, true]);
    }
    for (const one of [engine, truth]) {
      one.write({ type: 'patch', collection: 'items', key: 17, fields: { rank: -1 } });
      one.write({ type: 'patch', collection: 'items', key: 18, fields: { auto: QUERIES[0] } });
      one.write({ type: 'deleteBy', collection: 'items', where: { rank: { in: [1, 2, 3] } } });
    }
    compare();
    compare({ where: { rank: { lt: 70 } } });
    compare({ range: { radius: 0.5 } });
    expect(engine.get({ collection: 'items', keys: [17, 20], select: [...FIELDS] }).entities).toEqual(
      truth.get({ collection: 'items', keys: [17, 20], select: [...FIELDS] }).entities,
    );
    await engine.seal();
    await engine.compact();
    await engine.close();
    expect(scratch.bytes).toBe(0);
    engine = await openEngine({ ports: { ...ports, scratch }, schema, limits });
    await truth.seal();
    compare();
    await engine.close();
    await truth.close();
    expect(scratch.bytes).toBe(0);
  }, 60_000);

  it('takes no more of memory per vector than the index of it', async () => {
    const bytes: number[] = [];
    for (const scratch of [new MemoryScratchFiles(), undefined]) {
      const ports = await memoryPorts();
      const engine = await filled({ ...ports, scratch });
      const before = ports.kernel.usedBytes;
      await engine.buildIndexes();
      const { vectors, vectorBytes } = engine.inspect().partitions[0]!.segments[0]!;
      bytes.push(vectors['auto']!.bytesPerRow);
      expect(before).toBeGreaterThanOrEqual(vectorBytes);
      await engine.close();
    }
    // Codes of a byte a dimension, links, and what each row has besides; not the rows.
    expect(bytes[0]).toBeLessThan(DIM + 220);
    expect(bytes[1]! - bytes[0]!).toBeGreaterThanOrEqual(DIM * 4);
  }, 60_000);

  it.each(['STORAGE_FULL', 'STORAGE_UNAVAILABLE'] as const)('keeps them in memory where files say %s', async (code) => {
    const scratch: ScratchFiles = {
      create: async (size) => {
        const file = await new MemoryScratchFiles().create(size);
        return {
          ...file,
          write: () => {
            throw new DbError(code, 'no room');
          },
        };
      },
    };
    const engine = await filled({ ...(await memoryPorts()), scratch });
    expect(engine.inspect().partitions[0]!.segments[0]!.vectors['auto']).toMatchObject({ rows: 'memory' });
    expect(hitsOf(engine, { field: 'auto', vector: QUERIES[0] }).hits).toHaveLength(10);
    await engine.close();
  });

  it('leaves no file behind for a damaged segment', async () => {
    const scratch = new MemoryScratchFiles();
    const ports = await memoryPorts();
    await (await filled(ports)).close();
    for (const { name, bytes } of await ports.objects.list('')) {
      if (!name.includes('/segment-')) continue;
      const file = (await ports.objects.read(name, 0, bytes))!;
      // In the last vectors, behind which only the footer is.
      file[bytes - 4_096]! ^= 1;
      await ports.objects.delete(name);
      await ports.objects.put(name, [file]);
    }
    const engine = await openEngine({ ports: { ...ports, scratch }, schema, limits });
    expect(engine.inspect().partitions[0]!.quarantined).toHaveLength(1);
    expect(scratch.bytes).toBe(0);
    await engine.close();
  });
});
