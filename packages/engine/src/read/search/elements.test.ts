import { defineSchema, f, type Metric, type VectorElements } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../database/open-engine.ts';
import type { Engine, EnginePorts, SearchRequest } from '../../database/types.ts';
import { hnswKind } from '../../indexes/hnsw-kind.ts';
import { listKind } from '../../indexes/list-kind.ts';
import { memoryPorts } from '../../testing/memory-ports.ts';

const DIM = 40;
const SEED = 60;
const OTHERS = ['float16', 'bfloat16', 'int8'] as const satisfies readonly VectorElements[];
const METRICS = ['COSINE', 'IP', 'L2'] as const satisfies readonly Metric[];

/** Beside each field one of float32 that holds the same numbers: what it answers is the truth. */
const { definition: schema } = defineSchema({
  items: {
    id: f.primaryKey('int64'),
    rank: f.number(),
    float16: f.vector(DIM, { elements: 'float16', metric: 'COSINE', index: { type: 'HNSW', quantization: 'binary' } }).nullable(),
    float16_truth: f.vector(DIM, { metric: 'COSINE', index: { type: 'FLAT' } }).nullable(),
    bfloat16: f.vector(DIM, { elements: 'bfloat16', metric: 'IP' }).nullable(),
    bfloat16_truth: f.vector(DIM, { metric: 'IP', index: { type: 'FLAT' } }).nullable(),
    int8: f.vector(DIM, { elements: 'int8', metric: 'L2', index: { type: 'IVF' } }).nullable(),
    int8_truth: f.vector(DIM, { metric: 'L2', index: { type: 'FLAT' } }).nullable(),
  },
});

const rng = seededRng(SEED);
const random = (): number => rng.nextUint32() / 2 ** 32;
const integers = (): number[] => Array.from({ length: DIM }, () => Math.floor(random() * 256) - 128);
/** Numbers that are float16 and bfloat16 alike. */
const halves = (): number[] => Array.from({ length: DIM }, () => (Math.floor(random() * 256) - 128) / 64);

function item(id: number) {
  const fields: Record<string, unknown> = { id, rank: id };
  for (const name of OTHERS) {
    const value = id % 17 === 5 ? null : name === 'int8' ? integers() : halves();
    fields[name] = value;
    fields[`${name}_truth`] = value;
  }
  return fields;
}
const queryOf = (name: string): number[] => (name === 'int8' ? integers() : halves());

const open = (ports: EnginePorts): Promise<Engine> =>
  openEngine({
    ports,
    schema,
    limits: { sealRows: 1e9, sealBytes: 1e12 },
    indexKinds: [hnswKind(1_000), hnswKind(1_000, 'hnsw-b1'), listKind(1_000, 'ivf')],
  });

function hitsOf(engine: Engine, request: Omit<SearchRequest, 'collection'>) {
  const { hits, exact } = engine.search({ collection: 'items', limit: 10, select: [], ...request });
  return { exact, hits: hits.map(({ key, score }) => ({ key, score })) };
}

function expectTruth(engine: Engine): void {
  for (const name of OTHERS) {
    for (let turn = 0; turn < 5; turn++) {
      const vector = queryOf(name);
      const asked = hitsOf(engine, { field: name, vector, exact: true });
      expect(asked.hits).toHaveLength(10);
      expect(asked).toEqual(hitsOf(engine, { field: `${name}_truth`, vector }));
    }
  }
}

describe('fields of float16, bfloat16 and int8', () => {
  it('score as float32 fields of the same numbers: growing, sealed, patched and opened again', async () => {
    const ports = await memoryPorts();
    let engine = await open(ports);
    engine.writeAll([{ type: 'put', collection: 'items', entities: Array.from({ length: 300 }, (_, id) => item(id)) }]);
    expectTruth(engine);
    await engine.seal();
    expectTruth(engine);
    for (const key of [3, 5, 250]) engine.write({ type: 'patch', collection: 'items', key, fields: { rank: -key } });
    engine.write({ type: 'patch', collection: 'items', key: 7, fields: { int8: null, int8_truth: null } });
    engine.write({ type: 'delete', collection: 'items', key: 8 });
    expectTruth(engine);
    const before = engine.query({ collection: 'items', select: [...OTHERS], limit: 1_000 });
    await engine.seal();
    await engine.compact();
    await engine.close();
    engine = await open(ports);
    expectTruth(engine);
    expect(engine.query({ collection: 'items', select: [...OTHERS], limit: 1_000 }).entities).toEqual(before.entities);
    await engine.close();
  });

  it('read as they were put: halves as a Float32Array of the rounded numbers, int8 as an Int8Array', async () => {
    const engine = await open(await memoryPorts());
    const value = Array.from({ length: DIM }, () => 0);
    const fields = {
      rank: 0,
      float16: [1 + 2 ** -11, ...value.slice(1)],
      bfloat16: [1 / 3, ...value.slice(1)],
      int8: Int8Array.of(-128, ...value.slice(1)),
    };
    engine.write({ type: 'put', collection: 'items', entities: [{ id: 1, ...fields }] });
    for (let turn = 0; turn < 2; turn++) {
      const [entity] = engine.get({ collection: 'items', keys: [1], select: ['float16', 'bfloat16', 'int8', 'float16_truth'] }).entities;
      expect(entity).toEqual({
        id: 1,
        float16: Float32Array.of(1, ...value.slice(1)),
        bfloat16: Float32Array.of(0.333984375, ...value.slice(1)),
        int8: Int8Array.of(-128, ...value.slice(1)),
        float16_truth: null,
      });
      // What was read may be put again, and is the same.
      engine.write({ type: 'put', collection: 'items', entities: [{ ...entity, rank: 0 }] });
      await engine.seal();
    }
    await engine.close();
  });

  it('take half and a quarter of the bytes in a segment', async () => {
    const bytes: Record<string, number> = {};
    for (const name of [...OTHERS, 'float16_truth']) {
      const engine = await open(await memoryPorts());
      const entities = Array.from({ length: 400 }, (_, id) => ({ id, rank: 0, [name]: integers() }));
      engine.writeAll([{ type: 'put', collection: 'items', entities }]);
      await engine.seal();
      bytes[name] = engine.inspect().partitions[0]!.segments[0]!.bytes;
      await engine.close();
    }
    const float = 400 * DIM * 4;
    expect(bytes['float16_truth']! - bytes['float16']!).toBe(float / 2);
    expect(bytes['float16_truth']! - bytes['bfloat16']!).toBe(float / 2);
    expect(bytes['float16_truth']! - bytes['int8']!).toBe((float * 3) / 4);
  });

  it('are found by their indexes with exact scores', async () => {
    const engine = await open(await memoryPorts());
    engine.writeAll([{ type: 'put', collection: 'items', entities: Array.from({ length: 11_000 }, (_, id) => item(id)) }]);
    await engine.seal();
    await engine.buildIndexes();
    expect(engine.inspect().partitions[0]!.segments[0]!.indexes).toEqual(['bfloat16:hnsw', 'float16:hnsw-b1', 'int8:ivf']);
    expectTruth(engine);
    for (const name of OTHERS) {
      let found = 0;
      for (let turn = 0; turn < 20; turn++) {
        const vector = queryOf(name);
        const walked = hitsOf(engine, { field: name, vector, ef: 150 });
        expect(walked.exact).toBe(false);
        const truth = new Map(hitsOf(engine, { field: `${name}_truth`, vector, limit: 11_000 }).hits.map(({ key, score }) => [key, score]));
        for (const { key, score } of walked.hits) expect(score).toBe(truth.get(key));
        const best = [...truth.keys()].slice(0, 10);
        found += walked.hits.filter(({ key }) => best.includes(key)).length;
      }
      // Random directions are the worst case: what matters here is that rows are found at all.
      expect(found / 200).toBeGreaterThan(0.3);
      const probed = await engine.recall({ collection: 'items', field: name, sample: 5, ef: 150 });
      expect(probed.exact).toBe(false);
    }
    await engine.close();
  }, 60_000);

  it.each(METRICS)('may have metric %s', async (metric) => {
    const { definition } = defineSchema({ items: { int8: f.vector(DIM, { elements: 'int8', metric }), truth: f.vector(DIM, { metric }) } });
    const engine = await openEngine({ ports: await memoryPorts(), schema: definition });
    const entities = Array.from({ length: 100 }, (_, id) => {
      const value = integers();
      return { id: `k${id}`, int8: value, truth: Float32Array.from(value) };
    });
    engine.writeAll([{ type: 'put', collection: 'items', entities }]);
    const vector = integers();
    expect(hitsOf(engine, { field: 'int8', vector })).toEqual(hitsOf(engine, { field: 'truth', vector }));
    await engine.close();
  });

  it('refuse what is no such number, before anything is written', async () => {
    const engine = await open(await memoryPorts());
    const put = (fields: object) => engine.write({ type: 'put', collection: 'items', entities: [{ id: 1, rank: 0, ...fields }] });
    const value = integers();
    expect(() => put({ int8: [...value.slice(1), 128] })).toThrow(expect.objectContaining({ code: 'FIELD_INVALID' }));
    expect(() => put({ float16: [...value.slice(1), 70_000] })).toThrow(expect.objectContaining({ code: 'FIELD_INVALID' }));
    expect(() => put({ bfloat16: value.slice(1) })).toThrow(expect.objectContaining({ code: 'DIMENSION_MISMATCH' }));
    const search = (vector: unknown) => engine.search({ collection: 'items', field: 'int8', vector });
    expect(() => search(value.map((one) => one + 0.5))).toThrow(expect.objectContaining({ code: 'QUERY_INVALID' }));
    expect(() => search(value.slice(1))).toThrow(expect.objectContaining({ code: 'DIMENSION_MISMATCH' }));
    expect(engine.count({ collection: 'items' }).count).toBe(0);
    await engine.close();
  });
});
