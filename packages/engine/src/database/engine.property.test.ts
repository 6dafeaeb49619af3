import type { PrimaryKey } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReadContext } from '../read/context.ts';
import { runQuery } from '../read/query.ts';
import { runSearch } from '../read/search.ts';
import { memoryPorts } from '../testing/memory-ports.ts';
import { testDefinition, testSchema } from '../testing/test-channel.ts';
import { openEngine } from './open-engine.ts';
import type { Engine, PartitionView } from './types.ts';

const collection = 'things';
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const PARTITIONS = ['_default', 'other'];

interface Row {
  rank: number;
  tag: string | null;
  title: string;
  embedding: readonly number[] | null;
}
/** Partition → key → row. */
type Model = Map<string, Map<string, Row>>;

const anyVector = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 });
const anyFields = fc.record(
  {
    rank: fc.integer({ min: 0, max: 5 }),
    tag: fc.constantFrom('x', 'y', null),
    title: fc.constantFrom('red', 'red fox', 'goose'),
    embedding: fc.option(anyVector, { nil: null }),
  },
  { requiredKeys: [] },
);
const anyKey = fc.constantFrom(...KEYS);
const anyPartition = fc.constantFrom(...PARTITIONS);

type Command =
  | { type: 'put'; partition: string; entities: ({ key: string } & Partial<Row>)[] }
  | { type: 'patch'; partition: string; key: string; fields: Partial<Row> }
  | { type: 'delete'; partition: string; key: string }
  | { type: 'deleteBy'; rank: number }
  | { type: 'flush' | 'seal' | 'sealBeside' | 'compact' | 'reopen' | 'hold' | 'check' };

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      partition: anyPartition,
      entities: fc.array(
        fc.tuple(anyKey, anyFields).map(([key, fields]) => ({ key, ...fields })),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('patch' as const), partition: anyPartition, key: anyKey, fields: anyFields }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), partition: anyPartition, key: anyKey }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('deleteBy' as const), rank: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constantFrom('flush', 'seal', 'sealBeside', 'compact', 'reopen', 'hold', 'check') }) },
);

function emptyModel(): Model {
  return new Map(PARTITIONS.map((partition) => [partition, new Map()]));
}

function copy(model: Model): Model {
  return new Map([...model].map(([partition, rows]) => [partition, new Map([...rows].map(([key, row]) => [key, { ...row }]))]));
}

/** What the engine does to its rows, on plain maps. */
function applyToModel(model: Model, command: Command): void {
  if (command.type === 'put') {
    for (const { key, ...fields } of command.entities) {
      model.get(command.partition)!.set(key, { rank: 7, tag: null, title: 'none', embedding: null, ...fields });
    }
  } else if (command.type === 'patch') {
    const row = model.get(command.partition)!.get(command.key);
    if (row !== undefined) Object.assign(row, command.fields);
  } else if (command.type === 'delete') model.get(command.partition)!.delete(command.key);
  else if (command.type === 'deleteBy') {
    for (const rows of model.values()) for (const [key, row] of [...rows]) if (row.rank === command.rank) rows.delete(key);
  }
}

function write(engine: Engine, command: Command): void {
  if (command.type === 'put') engine.write({ ...command, collection });
  else if (command.type === 'patch' || command.type === 'delete') engine.write({ ...command, collection });
  else if (command.type === 'deleteBy') engine.write({ type: 'deleteBy', collection, where: { rank: command.rank } });
}

/** The order of hits: best first, equal scores by key, then by partition. */
function naiveSearch(model: Model, query: readonly number[], limit: number): [PrimaryKey, number][] {
  const hits: { key: string; score: number; place: number }[] = [];
  [...model.values()].forEach((rows, place) => {
    for (const [key, { embedding, rank }] of rows) {
      if (embedding === null || rank < 2) continue;
      hits.push({ key, place, score: -embedding.reduce((sum, value, i) => sum + (value - query[i]!) ** 2, 0) + 0 });
    }
  });
  hits.sort((a, b) => b.score - a.score || (a.key < b.key ? -1 : a.key > b.key ? 1 : a.place - b.place));
  return hits.slice(0, limit).map(({ key, score }) => [key, score]);
}

function naiveQuery(model: Model): unknown[] {
  const rows = [...model.values()].flatMap((partition, place) => [...partition].map(([key, row]) => ({ key, place, row })));
  rows.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.place - b.place));
  return rows.map(({ key, row }) => ({ key, ...row, embedding: row.embedding && Float32Array.from(row.embedding) }));
}

function expectShows(partitions: readonly PartitionView[], model: Model, query: readonly number[]): void {
  const info = { coverage: 1, scope: 'local', degraded: null, stalenessMs: null, token: '' } as const;
  const context: ReadContext = { definition: testDefinition, collection, partitions, info };
  const select = ['key', 'rank', 'tag', 'title', 'embedding'];
  expect(runQuery(context, { collection, select }).entities).toEqual(naiveQuery(model));
  for (const limit of [1, 3, 20]) {
    const { hits } = runSearch(context, { collection, vector: query, field: 'embedding', limit, where: { rank: { gte: 2 } } });
    expect(hits.map((hit) => [hit.key, hit.score + 0])).toEqual(naiveSearch(model, query, limit));
  }
}

describe('an engine', () => {
  it('shows through every view what a naive model held at its moment, across writes, seals, compactions and reopens', async () => {
    let held = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 5, maxLength: 40 }), anyVector, async (commands, query) => {
        const ports = await memoryPorts();
        const usedBytes = ports.kernel.usedBytes;
        const open = (): Promise<Engine> => openEngine({ ports, schema: testSchema });
        let engine = await open();
        for (const partition of PARTITIONS) engine.write({ type: 'put', collection, partition, entities: [{ key: 'z' }] });
        const model = emptyModel();
        for (const partition of PARTITIONS) applyToModel(model, { type: 'put', partition, entities: [{ key: 'z' }] });
        let views: { partitions: readonly PartitionView[]; model: Model }[] = [];
        const release = (): void => {
          for (const { partitions } of views) for (const { view } of partitions) view.release();
          views = [];
        };
        for (const command of commands) {
          write(engine, command);
          applyToModel(model, command);
          if (command.type === 'flush') await engine.flush();
          else if (command.type === 'seal') await engine.seal();
          else if (command.type === 'sealBeside') void engine.seal();
          else if (command.type === 'compact') await engine.compact();
          else if (command.type === 'hold') {
            views.push({ partitions: engine.views(collection, PARTITIONS), model: copy(model) });
            held += 1;
          } else if (command.type === 'check') for (const view of views) expectShows(view.partitions, view.model, query);
          else if (command.type === 'reopen') {
            const hashes = engine
              .inspect()
              .partitions.map(({ partition, hash, position }) => [partition, hash, position])
              .sort();
            release();
            await engine.close();
            expect(ports.kernel.usedBytes).toBe(usedBytes);
            engine = await open();
            expect(
              engine
                .inspect()
                .partitions.map(({ partition, hash, position }) => [partition, hash, position])
                .sort(),
            ).toEqual(hashes);
          }
        }
        views.push({ partitions: engine.views(collection, PARTITIONS), model: copy(model) });
        for (const view of views) expectShows(view.partitions, view.model, query);
        await engine.close();
        for (const view of views) expectShows(view.partitions, view.model, query);
        release();
        expect(ports.kernel.usedBytes).toBe(usedBytes);
      }),
      propertyOptions(80),
    );
    expect(held).toBeGreaterThan(0);
  }, 60_000);
});
