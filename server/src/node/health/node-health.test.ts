import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DbError, defineSchema, f, MemoryLogBroker } from '@terndb/core';
import { ManualClock } from '@terndb/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileObjectStore } from '../../adapters/files/file-object-store.ts';
import { IndexWorkers } from '../../adapters/workers/index-workers.ts';
import type { NodeLimits } from '../limits.ts';
import { type NodePorts, openNode } from '../open-node.ts';
import type { StandaloneNode } from '../standalone-node.ts';
import { type AppendFault, FaultyLog } from '../testing/faulty-log.ts';
import { memoryNodePorts } from '../testing/node-ports.ts';
import { until } from '../testing/until.ts';
import type { Finding } from './finding.ts';

const DIM = 8;
const { definition } = defineSchema({ notes: { place: f.vector(DIM, { metric: 'L2' }) } });
const database = 'default';
const collection = 'notes';

let folder: string;
let ports: NodePorts;
let node: StandaloneNode;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-health-'));
  ports = await memoryNodePorts();
});
afterEach(async () => {
  await node.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(change: Partial<NodePorts> = {}, limits: Partial<NodeLimits> = {}): Promise<void> {
  ports = { ...ports, ...change };
  node = await openNode({ ports, slots: 1, limits });
  if (node.catalog.find(database, collection) === undefined) {
    await node.catalog.createCollection(database, collection, definition.collections.notes);
  }
}

async function put(count: number): Promise<void> {
  const entities = Array.from({ length: count }, (_, row) => ({
    id: `k${row}`,
    place: Array.from({ length: DIM }, (_, at) => Math.sin(row + at)),
  }));
  await node.write({ type: 'put', database, collection, entities });
}

const find = async (component: string): Promise<Finding> => node.healthChecks[component]!();
async function becomes(component: string, status: Finding['status']): Promise<Finding> {
  for (let tries = 0; tries < 400; tries++) {
    const finding = await find(component);
    if (finding.status === status) return finding;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${component}: ${status} expected, got ${JSON.stringify(await find(component))}`);
}
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: { readonly code: string }) => error.code,
  );

describe('a node that has no trouble', () => {
  it('says so of each of its parts', async () => {
    await start();
    await put(3);
    await node.flush(database);
    await node.housekeep({ sweep: true });
    for (const [component, check] of Object.entries(node.healthChecks))
      expect([component, await check()]).toEqual([component, { status: 'ok' }]);
    expect(Object.keys(node.healthChecks).sort()).toEqual([
      'changes',
      'housekeeping',
      'indexing',
      'leaders',
      'log',
      'memory',
      'meta',
      'objects',
      'partitions',
      'sealing',
    ]);
  });
});

describe('an object store whose folder is gone', () => {
  it('cannot be written: seals fail since then, and both are well again when it is back, by themselves', async () => {
    const [here, away] = [join(folder, 'objects'), join(folder, 'away')];
    await start({ objects: await FileObjectStore.open(here) });
    await put(3);
    await rename(here, away);
    const beforeMs = Date.now();
    expect(await codeOf(node.flush(database))).toBe('STORAGE_UNAVAILABLE');
    expect(await find('objects')).toMatchObject({
      status: 'degraded',
      reason: expect.stringMatching(/^STORAGE_UNAVAILABLE: nothing can be written/),
    });
    const sealing = await find('sealing');
    expect(sealing).toMatchObject({ status: 'degraded', reason: 'STORAGE_UNAVAILABLE: the last seal of 1 partitions failed' });
    expect(sealing.sinceMs).toBeGreaterThanOrEqual(beforeMs);
    await node.housekeep({ sweep: true });
    expect((await find('housekeeping')).reason).toBe('STORAGE_UNAVAILABLE: deleting objects failed');
    // Since the first failure, not since the last.
    expect((await find('sealing')).sinceMs).toBe(sealing.sinceMs);
    expect(node.inspect().counters['seal_failures']).toBe(1);
    await rename(away, here);
    await becomes('objects', 'ok');
    await node.housekeep({ sweep: true });
    for (const component of ['objects', 'sealing', 'housekeeping'])
      expect([component, await find(component)]).toEqual([component, { status: 'ok' }]);
    expect(node.inspect().channels[0]).toMatchObject({ growing: 0, segments: 1 });
    // What was written to try it is not left behind.
    expect((await readdir(here)).filter((name) => name.startsWith('health'))).toEqual([]);
  });

  it('mounted read-only it still serves what it has', async ({ skip }) => {
    const mount = (...args: string[]): number | null => spawnSync('mount', args).status;
    if (mount('-t', 'tmpfs', 'tmpfs', folder) !== 0) skip('a file system cannot be mounted here (it takes root)');
    try {
      await start({ objects: await FileObjectStore.open(join(folder, 'objects')) });
      await put(3);
      await node.flush(database);
      expect(mount('-o', 'remount,ro', folder)).toBe(0);
      await put(4);
      expect(await codeOf(node.flush(database))).toBe('STORAGE_UNAVAILABLE');
      expect((await find('objects')).status).toBe('degraded');
      expect((await node.count({ database, collection, consistency: 'strong' })).count).toBe(4);
      expect(mount('-o', 'remount,rw', folder)).toBe(0);
      await becomes('objects', 'ok');
      await node.flush(database);
      expect(await find('sealing')).toEqual({ status: 'ok' });
    } finally {
      spawnSync('umount', ['-l', folder]);
    }
  });
});

describe('a log', () => {
  it('that takes nothing is failing until it takes the append that waits', async () => {
    let fault: AppendFault = 'none';
    await start({ log: new FaultyLog(new MemoryLogBroker(), () => fault) });
    fault = 'lost';
    const written = put(1);
    expect(await becomes('log', 'failing')).toMatchObject({ reason: 'STORAGE_UNAVAILABLE: nothing can be appended' });
    fault = 'none';
    await written;
    expect(await find('log')).toEqual({ status: 'ok' });
  });
});

describe('leaders', () => {
  it('that another node has replaced are failing: there is nothing that this one may answer', async () => {
    await start();
    const other = await openNode({ ports });
    await codeOf(put(1));
    expect(await becomes('leaders', 'failing')).toEqual({ status: 'failing', reason: '1 of 1 slots have no leader here' });
    expect(await find('log')).toEqual({ status: 'ok' });
    await other.close();
  });
});

describe('partitions', () => {
  it('whose bytes on the disk are others than were written are said to be damaged', async () => {
    await start({ objects: await FileObjectStore.open(folder) });
    await put(3);
    await node.flush(database);
    await node.close();
    const manifest = (await readdir(folder)).find((name) => name.includes('manifest'))!;
    const bytes = await readFile(join(folder, manifest));
    bytes[bytes.length >>> 1]! ^= 0xff;
    await writeFile(join(folder, manifest), bytes);
    await start();
    const { status, reason } = await find('partitions');
    expect([status, reason]).toEqual(['failing', expect.stringMatching(/^1 of 1 are damaged \([A-Z_]+\), 0 diverged$/)]);
  });
});

describe('memory', () => {
  it('beyond its bound is failing: writes are refused with the same code', async () => {
    await start({}, { maxKernelBytes: 1 });
    expect((await find('memory')).reason).toMatch(/^MEMORY_LIMIT: /);
    expect(await codeOf(put(1))).toBe('MEMORY_LIMIT');
  });
});

describe('indexing', () => {
  it('that fails is degraded until an index is built', async () => {
    const real = new IndexWorkers({ objects: ports.objects });
    let isBroken = true;
    const broken = new DbError('STORAGE_UNAVAILABLE', 'no thread');
    await start({ indexBuilder: { build: (job, context) => (isBroken ? Promise.reject(broken) : real.build(job, context)) } });
    await put(12_000);
    await node.flush(database);
    const finding = await becomes('indexing', 'degraded');
    expect(finding.reason).toMatch(/tries to build or open an index failed/);
    isBroken = false;
    await node.compact(database);
    await until('the index', () => node.inspect().counters['indexes_published'] === 1);
    expect(await find('indexing')).toEqual({ status: 'ok' });
    await real.close();
  });
});

describe('the change feed', () => {
  it('with as many readers as there may be is degraded', async () => {
    await start();
    const readers = Array.from({ length: 256 }, () => node.changes({ database, collection, partition: '_default' }));
    for (const reader of readers) await reader.next();
    expect((await find('changes')).status).toBe('degraded');
    for (const reader of readers) await reader.return();
    expect(await find('changes')).toEqual({ status: 'ok' });
  });
});

describe('cuts of the log', () => {
  it('that fail are degraded, and counted', async () => {
    const clock = new ManualClock();
    ports = await memoryNodePorts({ clock });
    const log = new MemoryLogBroker();
    let isBroken = false;
    const truncate: typeof log.truncate = (stream, upTo) =>
      isBroken ? Promise.reject(new DbError('STORAGE_UNAVAILABLE', 'no')) : log.truncate(stream, upTo);
    const through = (method: 'append' | 'read' | 'bounds') => log[method].bind(log) as never;
    await start({ log: { append: through('append'), read: through('read'), bounds: through('bounds'), truncate } });
    await put(3);
    await node.flush(database);
    isBroken = true;
    clock.jumpTo(clock.nowMs() + 48 * 60 * 60 * 1000);
    await node.housekeep({ sweep: false });
    expect((await find('housekeeping')).reason).toBe('STORAGE_UNAVAILABLE: cuts of the log failed');
    expect((await find('log')).reason).toBe('STORAGE_UNAVAILABLE: it cannot be cut, and grows');
    isBroken = false;
    await node.housekeep({ sweep: false });
    expect([await find('housekeeping'), await find('log')]).toEqual([{ status: 'ok' }, { status: 'ok' }]);
  });
});
