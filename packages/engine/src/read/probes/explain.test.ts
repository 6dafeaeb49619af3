import { defineSchema, f } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../database/open-engine.ts';
import type { Engine, ExplainedFilter } from '../../database/types.ts';
import { hnswKind } from '../../indexes/hnsw-kind.ts';
import { scalarKind } from '../../indexes/scalar/scalar-kind.ts';
import type { IndexKind } from '../../indexes/types.ts';
import { memoryPorts } from '../../testing/memory-ports.ts';

const DIM = 8;
const { definition: schema } = defineSchema({
  items: {
    id: f.primaryKey('int64'),
    year: f.int64(),
    kind: f.keyword(),
    score: f.number().nullable(),
    text: f.text({ search: true }),
    tags: f.array(f.keyword()),
    more: f.json().nullable(),
    vec: f.vector(DIM),
  },
});
const ROWS = 4_000;
const vector = (id: number): number[] => Array.from({ length: DIM }, (_, at) => Math.sin(id * (at + 1)));
const item = (id: number) => ({
  id,
  year: 2_000 + (id % 20),
  kind: `k${id % 4}`,
  score: id % 5 === 0 ? null : id,
  text: id % 100 === 0 ? 'a tern' : 'a gull',
  tags: ['x'],
  more: null,
  vec: vector(id),
});

async function filled(more: readonly IndexKind<unknown>[] = []): Promise<Engine> {
  const engine = await openEngine({
    ports: await memoryPorts(),
    schema,
    limits: { sealRows: 1e9, sealBytes: 1e12 },
    indexKinds: [hnswKind(1_000), ...more] as readonly IndexKind<unknown>[],
  });
  engine.writeAll([{ type: 'put', collection: 'items', entities: Array.from({ length: ROWS }, (_, id) => item(id)) }]);
  await engine.seal();
  await engine.buildIndexes();
  engine.write({ type: 'put', collection: 'items', entities: [{ ...item(ROWS + 1), year: 2_030 }] });
  return engine;
}

describe('explain', () => {
  it('says what answers each condition, of how many rows it is likely true, and of how many it is', async () => {
    const engine = await filled();
    const of = async (filter: string): Promise<ExplainedFilter> =>
      (await engine.explain({ collection: 'items', filter })).blocks[0]!.filter;
    expect(await of('year > 2019')).toEqual({ filter: 'year > 2019', how: 'statistics', estimated: 0, passing: 0 });
    expect(await of('year >= 2000')).toMatchObject({ how: 'statistics', estimated: ROWS, passing: ROWS });
    expect(await of('year == 2003')).toMatchObject({ how: 'columns', estimated: ROWS / 20, passing: ROWS / 20 });
    expect(await of('kind == "k1"')).toMatchObject({ how: 'dictionary', estimated: ROWS / 4, passing: ROWS / 4 });
    expect(await of('kind in ["k1", "k2"]')).toMatchObject({ how: 'dictionary', estimated: ROWS / 2, passing: ROWS / 2 });
    expect(await of('kind in ["a", "b"]')).toMatchObject({ how: 'statistics', estimated: 0, passing: 0 });
    expect(await of('kind not in ["k1"]')).toMatchObject({ estimated: (ROWS * 3) / 4, passing: (ROWS * 3) / 4 });
    expect(await of('score is null')).toMatchObject({ how: 'validity', estimated: ROWS / 5, passing: ROWS / 5 });
    expect(await of('score < 1000')).toMatchObject({ how: 'columns', passing: 800 });
    expect(Math.abs((await of('score < 1000')).estimated - 800)).toBeLessThan(5);
    expect(await of('id == 7')).toMatchObject({ how: 'keys', estimated: 1, passing: 1 });
    expect(await of('TEXT_MATCH(text, "tern")')).toMatchObject({ how: 'text index', passing: 40 });
    expect(await of('array_contains(tags, "x")')).toMatchObject({ how: 'columns', estimated: ROWS, passing: ROWS });
    expect(await of('not (kind == "k1")')).toMatchObject({ passing: (ROWS * 3) / 4, parts: [{ passing: ROWS / 4 }] });
    expect(await of('kind == "k1" and year == 2001')).toMatchObject({
      estimated: ROWS / 80,
      passing: ROWS / 20,
      parts: [
        { filter: 'kind == "k1"', passing: ROWS / 4 },
        { filter: 'year == 2001', passing: ROWS / 20 },
      ],
    });
    expect(await of('kind == "k1" or year == 2002')).toMatchObject({ passing: ROWS / 4 + ROWS / 20 });
    await engine.close();
  });

  it('says which conditions scalar indexes answer, and what they count', async () => {
    const engine = await filled([scalarKind(1_000) as IndexKind<unknown>]);
    const of = async (filter: string): Promise<ExplainedFilter> =>
      (await engine.explain({ collection: 'items', filter })).blocks[0]!.filter;
    expect(await of('year == 2003')).toMatchObject({ how: 'bitmap', estimated: ROWS / 20, passing: ROWS / 20 });
    expect(await of('kind in ["k1", "k2"]')).toMatchObject({ how: 'bitmap', estimated: ROWS / 2, passing: ROWS / 2 });
    expect(await of('score < 1001')).toMatchObject({ how: 'sorted', estimated: 800, passing: 800 });
    expect(await of('not (score < 1001)')).toMatchObject({ passing: (ROWS * 4) / 5 - 800, parts: [{ how: 'sorted' }] });
    // All have this one tag: what statistics say of a list is not of its rows, and an index of one term says nothing.
    expect(await of('array_contains(tags, "x")')).toMatchObject({ how: 'columns', passing: ROWS });
    expect(await of('year > 2030')).toMatchObject({ how: 'statistics', passing: 0 });
    await engine.close();
  });

  it('adds up what blocks say', async () => {
    const engine = await filled([scalarKind(1_000) as IndexKind<unknown>]);
    const { total } = await engine.explain({ collection: 'items', filter: 'kind == "k1" and score < 1001' });
    const live = ROWS + 1;
    expect(total).toMatchObject({
      how: {},
      passing: 200 / live,
      parts: [{ how: { bitmap: 1, columns: 1 } }, { how: { sorted: 1, columns: 1 } }],
    });
    expect(total!.parts![1]).toMatchObject({ filter: 'score < 1001', passing: 800 / live });
    expect(total!.parts![1]!.estimated).toBeCloseTo(800 / live, 3);
    await engine.close();
  });

  it('shows growing rows as what they are: without statistics', async () => {
    const engine = await filled();
    const { blocks, filter } = await engine.explain({ collection: 'items', where: { year: { gt: 2_019 } } });
    expect(filter).toBe('year > 2019');
    expect(blocks.map(({ id, live }) => [id.startsWith('growing'), live])).toEqual([
      [false, ROWS],
      [true, 1],
    ]);
    expect(blocks[1]!.filter).toMatchObject({ how: 'columns', passing: 1 });
    await engine.close();
  });

  it('says which blocks a search by vector would find by an index', async () => {
    const engine = await filled();
    const search = async (more: object): Promise<unknown[]> =>
      (await engine.explain({ collection: 'items', vector: vector(3), ef: 16, ...more })).blocks.map((block) => block.search);
    expect(await search({})).toEqual(['index', 'scan']);
    expect(await search({ exact: true })).toEqual(['scan', 'scan']);
    expect(await search({ filter: 'id < 20' })).toEqual(['scan', 'scan']);
    expect((await engine.explain({ collection: 'items' })).blocks[0]).not.toHaveProperty('search');
    await engine.close();
  });

  it('refuses what a count and a search refuse', async () => {
    const engine = await filled();
    await expect(engine.explain({ collection: 'items', filter: 'year >' })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    await expect(engine.explain({ collection: 'items', vector: [1] })).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
    await expect(engine.explain({ collection: 'none' })).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN' });
    await engine.close();
  });
});
