import { defineSchema, f, type SchemaDefinition, type Shapes } from '@terndb/core';
import { afterEach, describe, expect, it } from 'vitest';
import { openEngine } from '../../database/open-engine.ts';
import type { Engine, EngineOptions } from '../../database/types.ts';
import { type MemoryPorts, memoryPorts } from '../../testing/memory-ports.ts';
import type { IndexKind } from '../types.ts';
import { CHOSEN_MIN_ROWS, scalarKind } from './scalar-kind.ts';

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

const schemaOf = (items: Shapes[string], version = 1): SchemaDefinition =>
  (defineSchema as (shapes: Shapes, options: object) => { definition: SchemaDefinition })({ items }, { version }).definition;

/** `auto`: from so many rows on a field that chose nothing has an index. */
async function open(ports: MemoryPorts, schema: SchemaDefinition, more: Partial<EngineOptions> & { auto?: number } = {}): Promise<Engine> {
  const { auto = 1_000_000, ...options } = more;
  const indexKinds = [scalarKind(auto) as IndexKind<unknown>];
  const engine = await openEngine({ ports, schema, limits: { sealRows: 1e9, sealBytes: 1e12 }, indexKinds, ...options });
  engines.push(engine);
  return engine;
}

async function close(engine: Engine): Promise<void> {
  engines.splice(engines.indexOf(engine), 1);
  await engine.close();
}

async function fill(engine: Engine, rows: number, entity: (id: number) => object): Promise<void> {
  engine.writeAll([
    { type: 'put', collection: 'items', entities: Array.from({ length: rows }, (_, id) => ({ id: `k${id}`, ...entity(id) })) },
  ]);
  await engine.seal();
  await engine.buildIndexes();
}

const how = async (engine: Engine, filter: string): Promise<unknown> =>
  (await engine.explain({ collection: 'items', filter })).blocks[0]!.filter.how;
const files = async (ports: MemoryPorts): Promise<string[]> =>
  (await ports.objects.list('')).map(({ name }) => name).filter((name) => name.includes('/index-'));
const ROWS = CHOSEN_MIN_ROWS;

describe('a field that chooses its scalar index', () => {
  it('has it in segments far smaller than those that choose by their values', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports, schemaOf({ id: f.primaryKey('varchar'), a: f.int64({ index: 'sorted' }), b: f.int64() }));
    await fill(engine, ROWS, (id) => ({ a: id, b: id }));
    expect(await how(engine, 'a == 7')).toBe('sorted');
    expect(await how(engine, 'b == 7')).toBe('columns');
    expect(await files(ports)).toHaveLength(1);
  });

  it('has none in segments where looking at the column is as fast', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports, schemaOf({ id: f.primaryKey('varchar'), a: f.int64({ index: 'sorted' }) }));
    await fill(engine, ROWS - 1, (id) => ({ a: id }));
    expect(await files(ports)).toEqual([]);
  });

  it.each([
    ['sorted', 'kind', 'kind == "k3"'],
    ['inverted', 'kind', 'kind == "k3"'],
    ['bitmap', 'kind', 'kind == "k3"'],
    ['inverted', 'count', 'count == 3'],
    ['bitmap', 'count', 'count < 2'],
    ['sorted', 'flag', 'flag == true'],
    ['inverted', 'tags', 'array_contains(tags, "t1")'],
    ['bitmap', 'tags', 'array_contains(tags, "t1")'],
  ] as const)('%s: of %s it is that one, and answers as the column does', async (index, name, filter) => {
    const all = {
      kind: f.keyword({ index }),
      count: f.int64({ index }),
      flag: f.boolean({ index }),
      tags: f.array(f.keyword(), { index: index === 'sorted' ? 'auto' : index }),
    };
    const engine = await open(await memoryPorts(), schemaOf({ id: f.primaryKey('varchar'), [name]: all[name] }));
    const value = {
      kind: (id: number) => `k${id % 40}`,
      count: (id: number) => id % 40,
      flag: (id: number) => id % 3 === 0,
      tags: (id: number) => [`t${id % 40}`],
    };
    await fill(engine, ROWS, (id) => ({ [name]: value[name](id) }));
    expect(await how(engine, filter)).toBe(index);
    const expected = Array.from({ length: ROWS }, (_, id) => id).filter((id) =>
      name === 'kind'
        ? id % 40 === 3
        : name === 'count'
          ? index === 'bitmap'
            ? id % 40 < 2
            : id % 40 === 3
          : name === 'flag'
            ? id % 3 === 0
            : id % 40 === 1,
    );
    expect(engine.count({ collection: 'items', filter }).count).toBe(expected.length);
  });

  it('has texts in order however long they are and whether or not they are searched by words, if it asks', async () => {
    const ports = await memoryPorts();
    const shape = { id: f.primaryKey('varchar'), chosen: f.text({ search: true, index: 'sorted' }), left: f.text({ search: true }) };
    const engine = await open(ports, schemaOf(shape), { auto: 1 });
    const text = (id: number): string => `${String(id).padStart(6, '0')} ${'word '.repeat(30)}`;
    await fill(engine, ROWS, (id) => ({ chosen: text(id), left: text(id) }));
    expect(await how(engine, 'chosen like "000007%"')).toBe('sorted');
    expect(await how(engine, 'left like "000007%"')).toBe('columns');
    expect(engine.count({ collection: 'items', filter: 'chosen like "000007%"' }).count).toBe(1);
  });

  it('has no bitmaps of more than 1,024 values, which would be larger than the rows: what they make best instead', async () => {
    const ports = await memoryPorts();
    const shape = {
      id: f.primaryKey('varchar'),
      few: f.int64({ index: 'bitmap' }),
      many: f.int64({ index: 'bitmap' }),
      words: f.keyword({ index: 'bitmap' }),
    };
    const engine = await open(ports, schemaOf(shape));
    await fill(engine, ROWS, (id) => ({ few: id % 1_024, many: id % 1_025, words: `w${id % 1_025}` }));
    expect([await how(engine, 'few == 7'), await how(engine, 'many == 7'), await how(engine, 'words == "w7"')]).toEqual([
      'bitmap',
      'sorted',
      'inverted',
    ]);
  });
});

describe('a schema with another choice', () => {
  const a = (index: 'auto' | 'none' | 'sorted' | 'inverted' | 'bitmap'): Shapes[string] => ({
    id: f.primaryKey('varchar'),
    a: f.keyword({ index }),
  });
  const entity = (id: number): object => ({ a: `v${id % 200}` });

  it('has another file built in the background, in the place of the one before; until then that one answers', async () => {
    const ports = await memoryPorts();
    const before = await open(ports, schemaOf(a('sorted')));
    await fill(before, ROWS, entity);
    const [old] = await files(ports);
    await close(before);

    const engine = await open(ports, schemaOf(a('inverted'), 2));
    await engine.buildIndexes();
    expect(await how(engine, 'a == "v7"')).toBe('inverted');
    const now = await files(ports);
    expect(now).toHaveLength(1);
    expect(now).not.toContain(old);
    expect(engine.count({ collection: 'items', filter: 'a == "v7"' }).count).toBe(
      Array.from({ length: ROWS }, (_, id) => id).filter((id) => id % 200 === 7).length,
    );
    expect(engine.inspect().indexing).toMatchObject({ waiting: 0, failed: 0, damaged: 0 });
    await close(engine);

    // Opened, not built again.
    const again = await open(ports, schemaOf(a('inverted'), 2));
    await again.buildIndexes();
    expect(await files(ports)).toEqual(now);
    expect(await how(again, 'a == "v7"')).toBe('inverted');
  });

  it('opens no file where it wants none, keeps those that are there, and has them back when it wants them again', async () => {
    const ports = await memoryPorts();
    const before = await open(ports, schemaOf(a('bitmap')));
    await fill(before, ROWS, entity);
    await close(before);

    const without = await open(ports, schemaOf(a('none'), 2));
    await without.buildIndexes();
    expect(await how(without, 'a == "v7"')).toBe('dictionary');
    expect(without.inspect().partitions[0]!.segments[0]).toMatchObject({ indexes: [], indexBytes: 0 });
    expect(without.inspect().indexing.waiting).toBe(0);
    await close(without);

    const [kept] = await files(ports);
    const again = await open(ports, schemaOf(a('bitmap'), 3));
    await again.buildIndexes();
    expect(await how(again, 'a == "v7"')).toBe('bitmap');
    expect(await files(ports)).toEqual([kept]);
  });

  it('leaves a choice of before to the segments again', async () => {
    const ports = await memoryPorts();
    const before = await open(ports, schemaOf(a('sorted')), { auto: 1 });
    await fill(before, ROWS, entity);
    await close(before);
    const engine = await open(ports, schemaOf(a('auto'), 2), { auto: 1 });
    await engine.buildIndexes();
    expect(await how(engine, 'a == "v7"')).toBe('inverted');
  });

  it('builds nothing where somebody else does, and reads by what there is', async () => {
    const ports = await memoryPorts();
    const before = await open(ports, schemaOf(a('sorted')));
    await fill(before, ROWS, entity);
    await close(before);
    const reader = await open(ports, schemaOf(a('inverted'), 2), { buildIndexes: false });
    await reader.buildIndexes();
    expect(await how(reader, 'a == "v7"')).toBe('sorted');
  });
});
