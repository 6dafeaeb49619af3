import { defineSchema, f, type SchemaDefinition } from '@terndb/core';
import { ManualClock } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../database/open-engine.ts';
import type { Change, Engine, EngineLimits, QueryResult, SearchResult } from '../database/types.ts';
import { LIVE_EXPIRY_MS } from '../live/live.ts';
import { type MemoryPorts, memoryPorts } from '../testing/memory-ports.ts';

const TTL_MS = 3_600_000;
/** A sixteenth of the time to live, and a round of the collector. */
const COLLECTED_MS = TTL_MS / 16 + 60_000;
const shape = { title: f.text({ search: true }), rank: f.number().default(7), place: f.vector(2, { metric: 'L2' }).nullable() };
const untimed = defineSchema({ notes: shape }).definition;
const schema = defineSchema({ notes: shape }, { ttlSeconds: { notes: TTL_MS / 1000 } }).definition;

const open = (ports: MemoryPorts, wanted: SchemaDefinition = schema, limits: Partial<EngineLimits> = {}): Promise<Engine> =>
  openEngine({ ports, schema: wanted, limits });
const put = (engine: Engine, ...ids: string[]) =>
  engine.write({ type: 'put', collection: 'notes', entities: ids.map((id) => ({ id, title: `red ${id}`, place: [1, 2] })) });
const patch = (engine: Engine, key: string, fields: unknown) => engine.write({ type: 'patch', collection: 'notes', key, fields });

/** What each kind of read shows: they must agree. */
function shown(engine: Engine): string[] {
  const keys = engine.query({ collection: 'notes' }).keys as string[];
  const found = (result: SearchResult): string[] => result.hits.map(({ key }) => key as string).sort();
  expect(engine.count({ collection: 'notes' }).count).toBe(keys.length);
  expect(engine.count({ collection: 'notes', where: { rank: { gte: 0 } } }).count).toBe(keys.length);
  expect(found(engine.search({ collection: 'notes', text: 'red', limit: 100 }))).toEqual(keys);
  expect(found(engine.search({ collection: 'notes', vector: [0, 0], limit: 100 }))).toEqual(keys);
  expect(engine.get({ collection: 'notes', keys: ['a', 'b', 'c'] }).entities.flatMap((entity) => (entity ? [entity['id']] : []))).toEqual(
    ['a', 'b', 'c'].filter((key) => keys.includes(key)),
  );
  return keys;
}

const stored = (engine: Engine): number => engine.inspect().partitions[0]!.entities;
const segments = (engine: Engine) => engine.inspect().partitions[0]!.segments.map(({ rows, deleted }) => ({ rows, deleted }));

describe('[TTL] reads', () => {
  it.each(['growing', 'sealed'])('leave %s rows out from the millisecond on that ends their time to live, and not before', async (kind) => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    put(engine, 'a');
    ports.clock.advance(1_000);
    put(engine, 'b');
    if (kind === 'sealed') await engine.seal();
    ports.clock.advance(TTL_MS - 1_001);
    expect(shown(engine)).toEqual(['a', 'b']);
    ports.clock.advance(1);
    expect(shown(engine)).toEqual(['b']);
    ports.clock.advance(999);
    expect(shown(engine)).toEqual(['b']);
    ports.clock.advance(1);
    expect(shown(engine)).toEqual([]);
    await engine.close();
  });

  it('count from the newest put: a patch renews nothing', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    put(engine, 'a', 'b');
    ports.clock.advance(TTL_MS - 1);
    put(engine, 'a');
    patch(engine, 'b', { rank: 1 });
    ports.clock.advance(1);
    expect(shown(engine)).toEqual(['a']);
    await engine.close();
  });

  it('take an expired entity for absent where a write asks for it', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    put(engine, 'a', 'b');
    ports.clock.advance(TTL_MS);
    const { position } = engine.inspect().partitions[0]!;
    patch(engine, 'a', { rank: 1 });
    engine.write({ type: 'delete', collection: 'notes', key: 'a' });
    expect(engine.write({ type: 'deleteBy', collection: 'notes', where: { rank: { gte: 0 } } }).keys).toEqual([]);
    expect(engine.inspect().partitions[0]!.position).toBe(position);
    put(engine, 'a');
    expect(shown(engine)).toEqual(['a']);
    await engine.close();
  });

  it('show again what a longer time to live, or none, leaves in, and hide what a shorter one does not', async () => {
    const ports = await memoryPorts();
    let engine = await open(ports);
    put(engine, 'a');
    ports.clock.advance(TTL_MS);
    expect(shown(engine)).toEqual([]);
    for (const [wanted, keys] of [
      [untimed, ['a']],
      [defineSchema({ notes: shape }, { ttlSeconds: { notes: 1 } }).definition, []],
      [defineSchema({ notes: shape }, { ttlSeconds: { notes: TTL_MS / 1000 + 1 } }).definition, ['a']],
    ] as const) {
      await engine.close();
      engine = await open(ports, wanted);
      expect(shown(engine)).toEqual(keys);
    }
    await engine.close();
  });

  it('keep a view that is held as it was', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    put(engine, 'a');
    await engine.seal();
    const [before] = engine.views('notes');
    ports.clock.advance(TTL_MS + COLLECTED_MS);
    expect(stored(engine)).toBe(0);
    expect(before!.view.liveRows).toBe(1);
    expect(before!.view.find('a')).toBeDefined();
    before!.view.release();
    await engine.close();
  });
});

describe('[TTL] live results', () => {
  it('lose a row when its time is over, without any write', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    const results: unknown[] = [];
    const counts: number[] = [];
    put(engine, 'a');
    ports.clock.advance(10_000);
    put(engine, 'b');
    const fail = (error: Error): never => {
      throw error;
    };
    const stop = engine.watchQuery({ collection: 'notes' }, (result: QueryResult) => results.push(result.keys), fail);
    const stopSearch = engine.watchSearch({ collection: 'notes', text: 'red' }, ({ hits }) => counts.push(hits.length), fail);
    ports.clock.advance(TTL_MS - 10_001);
    expect(results).toEqual([['a', 'b']]);
    ports.clock.advance(1);
    expect(results).toEqual([['a', 'b'], ['b']]);
    ports.clock.advance(10_000);
    expect(results).toEqual([['a', 'b'], ['b'], []]);
    expect(counts).toEqual([2, 1, 0]);
    stop();
    stopSearch();
    await engine.close();
    expect(ports.clock.pendingTimers).toBe(0);
  });

  it('are looked at a few times a second where rows expire all the time', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    for (let index = 0; index < 100; index++) {
      put(engine, `k${index}`);
      ports.clock.advance(10);
    }
    let told = 0;
    const stop = engine.watchQuery(
      { collection: 'notes' },
      () => told++,
      () => {},
    );
    ports.clock.advance(TTL_MS);
    expect(told).toBeGreaterThan(1);
    expect(told).toBeLessThanOrEqual(2 + 1_000 / LIVE_EXPIRY_MS);
    stop();
    await engine.close();
  });
});

describe('[TTL] a device that leads itself', () => {
  it('drops expired rows after a grace, tells it as a change, and gives their space back without a write', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    const changes: Change[] = [];
    put(engine, ...Array.from({ length: 40 }, (_, index) => `k${index}`));
    await engine.seal();
    ports.clock.advance(TTL_MS / 2);
    put(engine, 'young');
    await engine.flush();
    engine.onChange((changed) => changes.push(...changed));
    const { position } = engine.inspect().partitions[0]!;
    ports.clock.advance(TTL_MS / 2);
    expect(stored(engine)).toBe(41);
    ports.clock.advance(COLLECTED_MS);
    expect(engine.inspect().partitions[0]!.position).toBe(position + 1);
    expect(stored(engine)).toBe(1);
    expect(changes.flatMap(({ keys }) => keys)).toHaveLength(40);
    // Whatever the clock of a reader says now.
    ports.clock.jumpTo(ports.clock.nowMs() - TTL_MS);
    expect(shown(engine)).toEqual(['young']);
    await engine.flush();
    await engine.compact();
    expect(segments(engine)).toEqual([{ rows: 1, deleted: 0 }]);
    await engine.close();
  });

  it('writes a record only when rows have been expired for a while', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    const position = (): number => engine.inspect().partitions[0]!.position;
    for (let index = 0; index < 60; index++) {
      put(engine, `k${index}`);
      ports.clock.advance(60_000);
    }
    const before = position();
    ports.clock.advance(TTL_MS);
    // An hour of rows that expire one a minute: a record for each grace.
    expect(position() - before).toBeGreaterThanOrEqual(12);
    expect(position() - before).toBeLessThanOrEqual(16);
    const idle = position();
    ports.clock.advance(10 * TTL_MS);
    expect(stored(engine)).toBe(0);
    expect(position() - idle).toBeLessThanOrEqual(2);
    await engine.close();
  });

  it('has the same state after it was killed and opened again, before and after the record', async () => {
    const before = await memoryPorts();
    const engine = await open(before);
    put(engine, 'a', 'b');
    await engine.seal();
    put(engine, 'c');
    before.clock.advance(TTL_MS - 1);
    put(engine, 'b');
    for (const advance of [1, COLLECTED_MS]) {
      before.clock.advance(advance);
      await engine.flush();
      await engine.compact();
      // Killed: what is stored is all there is, and another clock tells the time.
      const ports = { ...before, clock: new ManualClock(before.clock.nowMs()) };
      const again = await open(ports);
      expect(again.inspect().partitions[0]).toEqual(engine.inspect().partitions[0]);
      expect(shown(again)).toEqual(['b']);
    }
    expect(stored(engine)).toBe(1);
    await engine.close();
  });

  it('costs a collection without a time to live nothing: no timer, no mask, no record', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports, untimed);
    put(engine, 'a');
    const { position } = engine.inspect().partitions[0]!;
    const [first] = engine.views('notes');
    ports.clock.advance(1_000 * TTL_MS);
    const [second] = engine.views('notes');
    expect(second!.view).toBe(first!.view);
    expect(engine.inspect().partitions[0]!.position).toBe(position);
    for (const { view } of [first!, second!]) view.release();
    await engine.close();
  });
});
