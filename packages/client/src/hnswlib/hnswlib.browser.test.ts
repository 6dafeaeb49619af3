import { DbError, defineSchema, f } from '@terndb/core';
import { openEngine } from '@terndb/engine';
import { type HnswlibLibrary, kindsWithHnswlib } from '@terndb/engine/parts';
import { memoryPorts } from '@terndb/engine/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadHnswlib } from './hnswlib-library.ts';

const DIM = 16;
const ROWS = 3_000;
const GOOD_RECALL = 0.95;

const { definition: schema } = defineSchema({
  items: {
    id: f.primaryKey('int64'),
    rank: f.number(),
    cosine: f.vector(DIM, { index: { engine: 'hnswlib', efConstruction: 100 } }),
    squared: f.vector(DIM, { metric: 'L2', index: { engine: 'hnswlib', efConstruction: 100 } }).nullable(),
    own: f.vector(DIM, { metric: 'IP' }),
  },
});

let state = 7;
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32 - 0.5;
}
const vector = (): Float32Array<ArrayBuffer> => Float32Array.from({ length: DIM }, random);
const ITEMS = Array.from({ length: ROWS }, (_, id) => ({
  id,
  rank: id,
  cosine: vector(),
  squared: id % 50 === 3 ? null : vector(),
  own: vector(),
}));
const QUERIES = Array.from({ length: 20 }, vector);

let library: HnswlibLibrary;
beforeAll(async () => {
  library = await loadHnswlib(DbError);
});

describe('hnswlib-wasm', () => {
  const options = { space: 'l2', dim: 4, m: 4, efConstruction: 20, seed: 7, capacity: 100 } as const;

  it('saves to memory and opens from it, without a file system of the browser', async () => {
    const graph = library.create(options);
    for (let row = 0; row < 60; row++)
      graph.add(
        Float32Array.from({ length: 4 }, (_, at) => Math.sin((row + 1) * (at + 1) * 0.7)),
        row * 3,
      );
    const query = new Float32Array(4);
    const found = graph.search(query, { k: 5, ef: 20 });
    const saved = graph.save();
    graph.free();
    const opened = library.open(saved, options);
    expect(opened.rows).toBe(60);
    expect(opened.search(query, { k: 5, ef: 20 })).toEqual(found);
    const filtered = opened.search(query, { k: 5, ef: 20, filter: (label) => label > 90 });
    expect(filtered.length).toBeGreaterThan(0);
    expect(Math.min(...filtered)).toBeGreaterThan(90);
    expect(opened.save()).toEqual(saved);
    opened.free();
    expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain('/hnswlib-index');
  });

  it('refuses a part of a file with a typed error, and works on', () => {
    const graph = library.create(options);
    graph.add(Float32Array.of(1, 2, 3, 4), 0);
    const saved = graph.save();
    for (const length of [0, 20, 56, saved.length - 1])
      expect(() => library.open(saved.slice(0, length), options)).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
    expect(library.open(saved, options).rows).toBe(1);
  });
});

describe('a field with the engine hnswlib', () => {
  it('is indexed and searched by it, with exact scores, saved beside its segment and opened again', async () => {
    const ports = await memoryPorts();
    const limits = { sealRows: 1e9, sealBytes: 1e12 };
    const open = () => openEngine({ ports, schema, limits, indexKinds: kindsWithHnswlib(library, 500) });
    let engine = await open();
    engine.writeAll([{ type: 'put', collection: 'items', entities: ITEMS }]);
    await engine.flush();
    await engine.seal();
    await engine.buildIndexes();
    const indexes = (): unknown => engine.inspect().partitions[0]!.segments.map((segment) => segment.indexes);
    expect(indexes()).toEqual([['cosine:hnswlib', 'own:hnsw', 'squared:hnswlib']]);
    engine.write({ type: 'deleteBy', collection: 'items', where: { rank: { in: [5, 6, 2_000] } } });
    await engine.flush();
    const check = (): void => {
      for (const field of ['cosine', 'squared']) {
        let recall = 0;
        for (const query of QUERIES) {
          const request = { collection: 'items', field, vector: query, limit: 10, select: [] };
          const truth = engine.search({ ...request, exact: true });
          const found = engine.search(request);
          expect([found.exact, truth.exact]).toEqual([false, true]);
          expect(found.hits).toHaveLength(10);
          const scores = new Map(truth.hits.map(({ key, score }) => [key, score]));
          for (const { key, score } of found.hits) if (scores.has(key)) expect(score).toBe(scores.get(key));
          recall += found.hits.filter(({ key }) => scores.has(key)).length / 10 / QUERIES.length;
          // Half of the rows pass: walked with a filter; a tenth: scanned.
          const half = engine.search({ ...request, where: { rank: { lt: ROWS / 2 } } });
          expect(half.hits.every(({ key }) => Number(key) < ROWS / 2)).toBe(true);
          expect([half.exact, engine.search({ ...request, where: { rank: { lt: ROWS / 10 } } }).exact]).toEqual([false, true]);
        }
        expect(recall).toBeGreaterThanOrEqual(GOOD_RECALL);
      }
    };
    check();
    await engine.close();
    engine = await open();
    await engine.buildIndexes();
    expect(indexes()).toEqual([['cosine:hnswlib', 'own:hnsw', 'squared:hnswlib']]);
    expect(engine.inspect().indexing).toMatchObject({ damaged: 0, failed: 0 });
    check();
    await engine.close();
  });

  it('has a graph of Tern in a host without hnswlib', async () => {
    const ports = await memoryPorts();
    const engine = await openEngine({ ports, schema });
    const more = Array.from({ length: 10_000 }, (_, id) => ({ id, rank: id, cosine: vector(), own: vector() }));
    engine.writeAll([{ type: 'put', collection: 'items', entities: more }]);
    await engine.flush();
    await engine.seal();
    await engine.buildIndexes();
    expect(engine.inspect().partitions[0]!.segments.flatMap((segment) => segment.indexes)).toContain('cosine:hnsw');
    await engine.close();
  });
});
