import { afterEach, describe, expect, it } from 'vitest';
import { readManifestPointer } from '../catalog/manifest-pointer.ts';
import { openEngine } from '../database/open-engine.ts';
import type { Engine, EngineOptions } from '../database/types.ts';
import type { Manifest } from '../manifest/types.ts';
import { loadManifest, openReplica } from '../replica/open-replica.ts';
import { SegmentPool } from '../replica/segment-pool.ts';
import { type MemoryPorts, memoryPorts } from '../testing/memory-ports.ts';
import { testSchema } from '../testing/test-channel.ts';
import { IndexManager } from './index-manager.ts';
import { type RankIndex, type RankKind, rankKind } from './testing/rank-index.ts';

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

async function open(ports: MemoryPorts, kind: RankKind, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({ ports, schema: testSchema, indexKinds: [kind], ...options });
  engines.push(engine);
  return engine;
}

async function put(engine: Engine, from: number, to: number): Promise<void> {
  const entities = Array.from({ length: to - from }, (_, i) => ({ key: `k${String(from + i).padStart(5, '0')}`, rank: from + i }));
  engine.write({ type: 'put', collection: 'things', entities });
  await engine.flush();
}

const segments = (engine: Engine) => engine.inspect().partitions[0]!.segments;

/** The ranks of all visible rows, through the indexes; undefined for a block without one. */
function indexed(engine: Engine, kind: RankKind): (Float64Array | undefined)[] {
  const [{ view }] = engine.views('things') as [ReturnType<Engine['views']>[number]];
  const ranks = view.blocks.filter(({ rows }) => rows > 0).map((block) => block.index?.<RankIndex>(kind, 'rank')?.ranks);
  view.release();
  return ranks;
}

async function manifestOf(ports: MemoryPorts): Promise<Manifest> {
  const [channel] = await channels(ports);
  const pointer = await readManifestPointer(ports.meta, channel!);
  return loadManifest(ports.objects, pointer!.object);
}

const channels = async (ports: MemoryPorts): Promise<string[]> => [
  ...new Set((await ports.objects.list('')).map(({ name }) => name.slice(0, name.lastIndexOf('/')))),
];
const indexObjects = async (ports: MemoryPorts): Promise<string[]> =>
  (await ports.objects.list('')).map(({ name }) => name).filter((name) => name.includes('/index-'));

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
};

/** Lets timers that are due, and what they begin, run. */
async function settle(ports: MemoryPorts, ms = 600): Promise<void> {
  ports.clock.advance(ms);
  await turns(2_000);
}

describe('index files', () => {
  it('are built in the background after a seal, published with their checksum, and seen by views of before and after', async () => {
    const ports = await memoryPorts();
    const kind = rankKind();
    const engine = await open(ports, kind);
    await put(engine, 0, 40);
    await engine.seal();
    expect(indexed(engine, kind)).toEqual([undefined]);
    const [before] = engine.views('things');
    await settle(ports);
    const ranks = Float64Array.from({ length: 40 }, (_, i) => i);
    expect(indexed(engine, kind)).toEqual([ranks]);
    expect(before!.view.blocks[0]!.index?.(kind, 'rank')).toBeDefined();
    before!.view.release();
    expect(segments(engine)[0]).toMatchObject({ indexes: ['rank:rank'], indexBytes: 320 });
    const { version, segments: listed } = await manifestOf(ports);
    expect(version).toBe(2);
    expect(listed[0]!.indexes).toMatchObject([{ field: 'rank', type: 'rank', bytes: 320 }]);
    expect(await indexObjects(ports)).toEqual([listed[0]!.indexes[0]!.name]);
    // The manifest that was replaced is gone.
    expect((await ports.objects.list('')).filter(({ name }) => name.includes('/manifest-'))).toHaveLength(1);
  });

  it('are not built while one seal follows another, but not put off for ever', async () => {
    const ports = await memoryPorts();
    const kind = rankKind();
    const engine = await open(ports, kind);
    // The first look after the open.
    await settle(ports);
    for (let round = 0; round < 8; round++) {
      await put(engine, round * 10, round * 10 + 10);
      await engine.seal();
      await settle(ports, 400);
    }
    expect(kind.builds).toBe(0);
    await settle(ports, 100);
    expect(kind.builds).toBe(1);
    for (let round = 0; round < 40; round++) {
      await put(engine, round * 10, round * 10 + 10);
      await engine.seal();
      await settle(ports, 400);
    }
    expect(kind.builds).toBeGreaterThan(1);
    expect(kind.builds).toBeLessThan(6);
  });

  it('are opened, not built again, after the database is opened again', async () => {
    const ports = await memoryPorts();
    const first = await open(ports, rankKind());
    await put(first, 0, 10);
    await first.seal();
    await first.buildIndexes();
    await first.close();
    const kind = rankKind();
    const engine = await open(ports, kind);
    expect(indexed(engine, kind)).toEqual([undefined]);
    await settle(ports);
    expect(indexed(engine, kind)[0]).toHaveLength(10);
    expect(kind.builds).toBe(0);
  });

  it('of a kind that comes with the segment are there with the seal, and at open before the first read', async () => {
    const ports = await memoryPorts();
    const kind = rankKind({ stage: 'seal' });
    const engine = await open(ports, kind);
    await put(engine, 0, 10);
    await engine.seal();
    expect(indexed(engine, kind)[0]).toHaveLength(10);
    expect((await manifestOf(ports)).version).toBe(1);
    await engine.close();
    const again = rankKind({ stage: 'seal' });
    expect(indexed(await open(ports, again), again)[0]).toHaveLength(10);
    expect(again.builds).toBe(0);
  });

  it('that are damaged or lost are dropped, counted and rebuilt', async () => {
    for (const spoil of ['flip', 'lose'] as const) {
      const ports = await memoryPorts();
      const first = await open(ports, rankKind());
      await put(first, 0, 10);
      await first.seal();
      await first.buildIndexes();
      await first.close();
      const [name] = await indexObjects(ports);
      const bytes = (await ports.objects.read(name!, 0, 80))!;
      bytes[5]! ^= 1;
      await ports.objects.delete(name!);
      if (spoil === 'flip') await ports.objects.put(name!, [bytes]);
      const kind = rankKind();
      const engine = await open(ports, kind);
      await engine.buildIndexes();
      expect(engine.inspect().indexing).toMatchObject({ damaged: 1, waiting: 0, current: null });
      expect(kind.builds).toBe(1);
      expect(indexed(engine, kind)[0]).toEqual(Float64Array.from({ length: 10 }, (_, i) => i));
      await engine.close();
      const last = rankKind();
      const reopened = await open(ports, last);
      await reopened.buildIndexes();
      expect(last.builds).toBe(0);
      expect(reopened.inspect().indexing.damaged).toBe(0);
    }
  });

  it('go with their segment when it is merged, once nobody reads it', async () => {
    const ports = await memoryPorts();
    const kind = rankKind();
    const engine = await open(ports, kind);
    await put(engine, 0, 10);
    await engine.seal();
    await engine.buildIndexes();
    const [reader] = engine.views('things');
    await put(engine, 10, 20);
    await engine.seal();
    await engine.buildIndexes();
    expect(await indexObjects(ports)).toHaveLength(2);
    expect(kind.opened[0]!.isClosed).toBe(false);
    reader!.view.release();
    await settle(ports);
    expect(kind.opened.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    const [listed] = (await manifestOf(ports)).segments;
    expect(await indexObjects(ports)).toEqual([listed!.indexes[0]!.name]);
  });

  it('are given up in the middle of a build when the segment is merged, and built for the new one', async () => {
    const ports = await memoryPorts();
    let row = 0;
    let engine!: Engine;
    const kind = rankKind({
      onRow: async () => {
        if (row++ !== 5) return;
        await put(engine, 10, 20);
        await engine.seal();
      },
    });
    engine = await open(ports, kind);
    await put(engine, 0, 10);
    await engine.seal();
    await engine.buildIndexes();
    expect(kind.builds).toBe(2);
    expect(row).toBe(6 + 20);
    expect(indexed(engine, kind)[0]).toHaveLength(20);
    expect(await indexObjects(ports)).toHaveLength(1);
    expect(engine.inspect().indexing.failed).toBe(0);
  });

  it('never hold up reads: a build gives way when its slice is over, and says how far it is', async () => {
    const ports = await memoryPorts();
    const kind = rankKind({ onRow: () => ports.clock.advance(4) });
    const engine = await open(ports, kind);
    await put(engine, 0, 4);
    await engine.seal();
    let isBuilt = false;
    const done = engine.buildIndexes().then(() => {
      isBuilt = true;
    });
    const progress: unknown[] = [];
    while (!isBuilt) {
      await turns(20);
      const { current } = engine.inspect().indexing;
      if (current !== null) progress.push([current.step, current.field, current.done]);
      ports.clock.advance(0);
    }
    await done;
    expect(progress).toContainEqual(['build', 'rank', 0.25]);
    expect(progress).toContainEqual(['build', 'rank', 0.75]);
    expect(indexed(engine, kind)[0]).toHaveLength(4);
  });

  it('of a channel that somebody else leads are opened as the manifest names them, and never built', async () => {
    for (const isDamaged of [false, true]) {
      const ports = await memoryPorts();
      const leader = await open(ports, rankKind());
      await put(leader, 0, 10);
      await leader.seal();
      await leader.buildIndexes();
      await leader.close();
      const manifest = await manifestOf(ports);
      const [name] = await indexObjects(ports);
      if (isDamaged) await ports.objects.delete(name!);
      const kind = rankKind();
      const { objects, kernel, clock } = ports;
      const pool = new SegmentPool(objects, kernel, [kind]);
      const collection = { name: 'things', definition: testSchema.collections.things };
      const { channel, logEpoch } = manifest;
      const replica = await openReplica({ channel, logEpoch, definition: collection.definition, kernel, objects, pool, manifest });
      const { blocks } = replica.entities;
      const manager = new IndexManager({
        files: pool.indexFiles,
        clock,
        channels: () => [{ name: channel, collection, partition: '_default', blocks }],
        deleteObject: (object) => objects.delete(object),
      });
      await manager.check();
      const view = replica.view();
      expect(view.blocks[0]!.index?.<RankIndex>(kind, 'rank')?.ranks.length).toBe(isDamaged ? undefined : 10);
      expect([kind.builds, manager.inspect().damaged, manager.inspect().waiting]).toEqual([0, isDamaged ? 1 : 0, 0]);
      view.release();
      replica.retire();
      await manager.close();
      expect(kind.opened.map(({ isClosed }) => isClosed)).toEqual(isDamaged ? [] : [true]);
    }
  });

  it('are not built by an engine that only follows', async () => {
    const ports = await memoryPorts();
    const kind = rankKind();
    const engine = await open(ports, kind, { buildIndexes: false });
    await put(engine, 0, 10);
    await engine.seal();
    await engine.buildIndexes();
    expect(kind.builds).toBe(0);
    expect(engine.inspect().indexing).toEqual({ current: null, waiting: 0, damaged: 0, failed: 0 });
  });

  it('that cannot be built are tried again later, and meanwhile the engine closes without waiting for them', async () => {
    const ports = await memoryPorts();
    let fails = true;
    const kind = rankKind({
      onRow: () => {
        if (fails) throw new Error('no memory');
      },
    });
    const engine = await open(ports, kind);
    await put(engine, 0, 10);
    await engine.seal();
    await engine.buildIndexes();
    expect(engine.inspect().indexing).toMatchObject({ failed: 1, waiting: 0 });
    await settle(ports, 1000);
    expect(kind.builds).toBeLessThanOrEqual(2);
    fails = false;
    await settle(ports, 60_000);
    expect(indexed(engine, kind)[0]).toHaveLength(10);
  });
});
