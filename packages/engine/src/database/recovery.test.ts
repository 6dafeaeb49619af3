import { DbError } from '@terndb/core';
import { FaultyLogBroker, FaultyMetaStore, FaultyObjectStore } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import { cutPorts, PowerCut } from '../testing/cut-ports.ts';
import { type MemoryPorts, memoryPorts } from '../testing/memory-ports.ts';
import { rowsOfView, sortedRows, testSchema } from '../testing/test-channel.ts';
import { openEngine } from './open-engine.ts';
import type { Change, Engine, WriteTicket } from './types.ts';

const collection = 'things';
/** Without index files: tests count objects. */
const open = (ports: Parameters<typeof openEngine>[0]['ports']): Promise<Engine> =>
  openEngine({ ports, schema: testSchema, indexKinds: [] });

/** Rows of every partition, in a form that can be compared. */
function shown(engine: Engine): unknown {
  return engine.views(collection).map(({ partition, view }) => {
    const rows = sortedRows(rowsOfView(view));
    view.release();
    return [partition, rows];
  });
}

type Step = (engine: Engine) => WriteTicket | Promise<void>;
type Write = (engine: Engine) => WriteTicket;

const put =
  (partition: string | undefined, ...entities: object[]): Write =>
  (engine) =>
    engine.write({ type: 'put', collection, partition, entities });
const patch =
  (key: string, fields: object): Write =>
  (engine) =>
    engine.write({ type: 'patch', collection, key, fields });
const remove =
  (key: string, partition: string): Write =>
  (engine) =>
    engine.write({ type: 'delete', collection, key, partition });
const many = (from: number, count: number): Write =>
  put(undefined, ...Array.from({ length: count }, (_, i) => ({ key: `m${from + i}`, rank: i, title: `title ${i}`, embedding: [i, 0, 1] })));
const seal: Step = (engine) => engine.seal();

/** Writes, seals that add, rewrite and drop, a new partition, and tombstones: every kind of call to the stores. */
const STORY: readonly Step[] = [
  put(undefined, { key: 'a', rank: 1 }, { key: 'b', tag: 'x' }),
  put('other', { key: 'a', title: 'elsewhere' }),
  patch('b', { title: 'patched' }),
  seal,
  many(0, 20),
  remove('a', '_default'),
  seal,
  put(undefined, { key: 'a', rank: 2 }, { key: 'm3', title: 'again' }),
  (engine) => engine.write({ type: 'deleteBy', collection, partitions: ['_default'], where: { rank: { gte: 15 } } }),
  seal,
  (engine) => engine.compact(),
  patch('m3', { embedding: [9, 9, 9] }),
];

interface Told {
  /** What the rows were after each step, the empty start first. */
  readonly states: readonly unknown[];
  /** Steps known to be durable. */
  readonly durable: number;
}

async function tell(engine: Engine): Promise<Told> {
  const states = [shown(engine)];
  let durable = 0;
  for (const [index, step] of STORY.entries()) {
    try {
      const result = step(engine);
      if (result instanceof Promise) await result;
      else {
        states.push(shown(engine));
        engine.flush().catch(() => {});
        await result.durable;
      }
    } catch {
      return { states, durable };
    }
    if (states.length <= index + 1) states.push(states.at(-1));
    durable = index + 1;
  }
  return { states, durable };
}

describe('a power cut between any two calls to the storage', () => {
  it('loses nothing that was durable, shows a state that once was, and goes on', async () => {
    const whole = await memoryPorts();
    const counter = new PowerCut(Number.POSITIVE_INFINITY, false);
    const engine = await open(cutPorts(whole, counter));
    const { states, durable } = await tell(engine);
    expect(durable).toBe(STORY.length);
    expect(counter.calls).toBeGreaterThan(40);
    await engine.close();
    const usedBytes = whole.kernel.usedBytes;

    for (let at = 1; at <= counter.calls; at++) {
      for (const applied of [false, true]) {
        const ports = await memoryPorts();
        const cut = new PowerCut(at, applied);
        const before = await open(cutPorts(ports, cut)).catch((error: unknown) => error);
        let known = 0;
        if (!(before instanceof Error)) {
          known = (await tell(before as Engine)).durable;
          await (before as Engine).close();
        }
        expect(cut.happened).toBe(true);

        const after = await open(ports);
        const state = JSON.stringify(shown(after));
        const possible = states.slice(known, known + 2).map((candidate) => JSON.stringify(candidate));
        // A partition that was made without a row in it is empty, not wrong.
        expect(possible.map(withoutEmpty), `cut at ${at}, applied ${applied}`).toContain(withoutEmpty(state));
        after.write({ type: 'put', collection, entities: [{ key: 'later' }] });
        await after.flush();
        await after.seal();
        expect(after.inspect().partitions.every((partition) => partition.quarantined.length === 0)).toBe(true);
        const sealed = shown(after);
        await after.close();

        const last = await open(ports);
        expect(shown(last)).toEqual(sealed);
        await last.close();
        expect(ports.kernel.usedBytes).toBe(usedBytes);
        expect((await ports.objects.list('')).map(({ name }) => name)).toEqual(await namedObjects(ports));
      }
    }
  }, 60_000);
});

function withoutEmpty(state: string): string {
  return state.replace(',["other",[]]', '');
}

/** What the manifests of a closed database name: nothing else may be left. */
async function namedObjects(ports: MemoryPorts): Promise<string[]> {
  const listed = (await ports.objects.list('')).map(({ name }) => name);
  const engine = await open(ports);
  await engine.close();
  const after = (await ports.objects.list('')).map(({ name }) => name);
  expect(after).toEqual(listed);
  return after;
}

async function faulty(): Promise<MemoryPorts & { readonly log: FaultyLogBroker }> {
  const ports = await memoryPorts();
  return { ...ports, log: new FaultyLogBroker(ports.log) } as unknown as MemoryPorts & { readonly log: FaultyLogBroker };
}

describe('a failed append', () => {
  const full = (): DbError => new DbError('STORAGE_FULL', 'no room (planned by a test)');

  it('refuses every write that is not durable, takes them back before the eyes of readers, and lets later writes work', async () => {
    const ports = await faulty();
    const engine = await open(ports);
    put(undefined, { key: 'kept', rank: 1 })(engine);
    await engine.flush();
    const before = shown(engine);
    const changes: Change[] = [];
    engine.onChange((changed) => changes.push(...changed));
    ports.log.faults.failNext('append', full());
    const first = engine.write({ type: 'put', collection, entities: [{ key: 'lost' }] });
    const second = engine.write({ type: 'patch', collection, key: 'kept', fields: { rank: 2 } });
    const third = engine.write({ type: 'put', collection, partition: 'new', entities: [{ key: 'lost' }] });
    expect(shown(engine)).not.toEqual(before);
    changes.length = 0;
    await expect(engine.flush()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    for (const ticket of [first, second, third]) await expect(ticket.durable).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(withoutEmpty(JSON.stringify(shown(engine))).replace(',["new",[]]', '')).toBe(JSON.stringify(before));
    expect(changes.map(({ partition, keys }) => [partition, [...keys].sort()])).toEqual([
      ['_default', ['kept', 'lost']],
      ['new', ['lost']],
    ]);
    const later = engine.write({ type: 'put', collection, entities: [{ key: 'later' }] });
    await engine.flush();
    await expect(later.durable).resolves.toBeDefined();
    const state = shown(engine);
    await engine.close();
    const again = await open(ports);
    expect(shown(again)).toEqual(state);
    expect(again.count({ collection }).count).toBe(2);
    await again.close();
  });

  it('under a seal that waits for it ends both with the error, and the next write and seal work', async () => {
    const ports = await faulty();
    const engine = await open(ports);
    put(undefined, { key: 'kept' })(engine);
    await engine.flush();
    ports.log.faults.failNext('append', full());
    const write = put(undefined, { key: 'lost' })(engine);
    const sealed = engine.seal();
    await expect(sealed).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await expect(write.durable).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await engine.seal();
    put(undefined, { key: 'later' })(engine);
    await engine.flush();
    await engine.seal();
    expect(engine.count({ collection }).count).toBe(2);
    await engine.close();
  });

  it('refuses writes while it goes back, and says that they may be tried again', async () => {
    const ports = await faulty();
    const engine = await open(ports);
    put(undefined, { key: 'kept' })(engine);
    await engine.flush();
    ports.log.faults.failNext('append', full());
    const release = ports.log.faults.holdNext('read');
    put(undefined, { key: 'a' })(engine);
    const flushed = engine.flush();
    flushed.catch(() => {});
    await expect.poll(() => tryWrite(engine)).toBe('STORAGE_UNAVAILABLE');
    expect(engine.get({ collection, keys: ['kept', 'a'] }).entities).not.toContain(undefined);
    release();
    await expect(flushed).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(engine.count({ collection }).count).toBe(1);
    expect(tryWrite(engine)).toBe('written');
    await engine.close();
  });

  it('of several requests written as one, larger than one append otherwise is, leaves none of them', async () => {
    const ports = await faulty();
    const engine = await open(ports);
    const title = 'x'.repeat(1000);
    const entities = Array.from({ length: 12_000 }, (_, index) => ({ key: `k${index}`, title }));
    const requests = [undefined, 'other'].map((partition) => ({ type: 'put' as const, collection, partition, entities }));
    ports.log.faults.failNext('append', full());
    const failed = engine.writeAll(requests);
    await expect(engine.flush()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await expect(failed.durable).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(engine.count({ collection }).count).toBe(0);
    const bad = { type: 'put' as const, collection, partition: 'third', entities: [{ key: 'a', rank: 'no' }] };
    expect(() => engine.writeAll([...requests, bad])).toThrow(expect.objectContaining({ code: 'FIELD_INVALID' }));
    expect(engine.count({ collection }).count).toBe(0);
    engine.writeAll(requests);
    await engine.close();
    const { faults } = ports.log;
    expect(faults.pending).toBe(0);
    const again = await open(ports);
    expect(again.count({ collection }).count).toBe(24_000);
    await again.close();
  });

  it('that cannot be recovered from, or another writer, ends live queries with DATABASE_CLOSED', async () => {
    const ports = await faulty();
    const engine = await open(ports);
    const errors: DbError[] = [];
    engine.watchQuery(
      { collection },
      () => {},
      (error) => errors.push(error),
    );
    ports.log.faults.failNext('append', full());
    ports.log.faults.failNext('bounds', full());
    ports.log.faults.failNext('bounds', full());
    put(undefined, { key: 'a' })(engine);
    await engine.flush().catch(() => {});
    await expect.poll(() => errors.map(({ code }) => code)).toEqual(['DATABASE_CLOSED']);
  });

  it('whose answer was lost is looked up and not doubled', async () => {
    const ports = await faulty();
    const engine = await open(ports);
    ports.log.faults.failNext('append', new DbError('STORAGE_UNAVAILABLE', 'answer lost'), { applied: true });
    const ticket = engine.write({ type: 'put', collection, entities: [{ key: 'a' }] });
    await engine.flush();
    await expect(ticket.durable).resolves.toBeDefined();
    put(undefined, { key: 'b' })(engine);
    await engine.close();
    const again = await open(ports);
    expect(again.count({ collection }).count).toBe(2);
    expect(again.inspect().partitions[0]?.position).toBe(2);
    await again.close();
  });

  it('by another writer closes the engine with that error', async () => {
    const ports = await memoryPorts();
    const [one, two] = [await open(ports), await open(ports)];
    put(undefined, { key: 'one' })(one);
    await one.flush();
    const ticket = two.write({ type: 'put', collection, entities: [{ key: 'two' }] });
    await expect(two.flush()).rejects.toMatchObject({ code: 'APPEND_CONFLICT' });
    await expect(ticket.durable).rejects.toMatchObject({ code: 'APPEND_CONFLICT' });
    expect(() => two.count({ collection })).toThrow(
      expect.objectContaining({ code: 'DATABASE_CLOSED', details: expect.objectContaining({ reason: 'APPEND_CONFLICT' }) }),
    );
    expect(one.count({ collection }).count).toBe(1);
    await one.close();
  });

  it('of the catalog takes the new partition back with its rows', async () => {
    const base = await memoryPorts();
    const meta = new FaultyMetaStore(base.meta);
    const ports = { ...base, meta };
    const engine = await open(ports);
    meta.faults.failNext('compareAndSet', full());
    const ticket = engine.write({ type: 'put', collection, partition: 'new', entities: [{ key: 'a' }] });
    await expect(engine.flush()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await expect(ticket.durable).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(() => engine.views(collection, ['new'])).toThrow(expect.objectContaining({ code: 'PARTITION_UNKNOWN' }));
    put('new', { key: 'a' })(engine);
    await engine.flush();
    await engine.close();
    const again = await open(ports);
    expect(again.get({ collection, partitions: ['new'], keys: ['a'] }).entities[0]).toMatchObject({ key: 'a' });
    await again.close();
  });
});

describe('a seal', () => {
  it('whose answer was lost is looked up, and the next one goes on from it', async () => {
    const base = await memoryPorts();
    const meta = new FaultyMetaStore(base.meta);
    const engine = await open({ ...base, meta });
    many(0, 10)(engine);
    await engine.flush();
    meta.faults.failNext('compareAndSet', new DbError('STORAGE_UNAVAILABLE', 'answer lost'), { applied: true });
    await engine.seal();
    many(5, 10)(engine);
    await engine.seal();
    expect(engine.inspect().partitions[0]).toMatchObject({ entities: 15, growing: 0, segments: [{ rows: 15 }] });
    await engine.close();
  });

  it('of a frozen writer that wakes up after another one opened publishes nothing', async () => {
    const base = await memoryPorts();
    const objects = new FaultyObjectStore(base.objects);
    const frozen = await open({ ...base, objects });
    many(0, 10)(frozen);
    await frozen.seal();
    many(10, 10)(frozen);
    await frozen.flush();
    const state = shown(frozen);
    const wake = objects.faults.holdNext('put');
    const release = objects.faults.holdNext('put');
    const sealing = frozen.seal();
    wake();
    await expect.poll(async () => (await base.objects.list('')).length).toBe(3);
    const other = await open(base);
    await other.flush();
    await expect.poll(async () => (await base.objects.list('')).length).toBe(2);
    release();
    await expect(sealing).rejects.toMatchObject({ code: 'APPEND_CONFLICT' });
    expect(() => shown(frozen)).toThrow(expect.objectContaining({ code: 'DATABASE_CLOSED' }));
    expect(shown(other)).toEqual(state);
    await frozen.close();
    await other.close();
    const again = await open(base);
    expect(shown(again)).toEqual(state);
    expect(again.inspect().partitions[0]?.quarantined).toEqual([]);
    await again.close();
  });

  it('that is under way when another writer takes over gives its memory back', async () => {
    const base = await memoryPorts();
    const usedBytes = base.kernel.usedBytes;
    const objects = new FaultyObjectStore(base.objects);
    const engine = await open({ ...base, objects });
    many(0, 10)(engine);
    await engine.flush();
    const release = objects.faults.holdNext('put');
    const sealing = engine.seal();
    await expect.poll(() => objects.faults.pending).toBe(0);
    const other = await open(base);
    many(20, 1)(other);
    await other.flush();
    many(30, 1)(engine);
    await expect(engine.flush()).rejects.toMatchObject({ code: 'APPEND_CONFLICT' });
    release();
    await sealing.catch(() => {});
    await other.close();
    expect(base.kernel.usedBytes).toBe(usedBytes);
    const again = await open(base);
    expect(again.count({ collection }).count).toBe(11);
    await again.close();
  });
});

describe('a failed seal', () => {
  it('tells the caller and leaves everything as it was', async () => {
    const base = await memoryPorts();
    const objects = new FaultyObjectStore(base.objects);
    const ports = { ...base, objects };
    const engine = await open(ports);
    many(0, 10)(engine);
    const before = shown(engine);
    for (let call = 0; call < 2; call++) {
      objects.faults.failNext('put', new DbError('STORAGE_FULL', 'no room'));
      await expect(engine.seal()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
      expect(shown(engine)).toEqual(before);
      many(call * 10, 1)(engine);
      many(call * 10, 1)(engine);
    }
    await engine.seal();
    expect(engine.inspect().partitions[0]).toMatchObject({ entities: 11, growing: 0, segments: [{ rows: 11, deleted: 0 }] });
    await engine.close();
  });
});

function tryWrite(engine: Engine): string {
  try {
    put(undefined, { key: 'try' })(engine);
    return 'written';
  } catch (error) {
    return (error as DbError).code;
  }
}
