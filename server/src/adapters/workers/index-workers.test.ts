import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DbError, defineSchema, f, type ObjectStore } from '@terndb/core';
import { type IndexJob, runIndexJob } from '@terndb/engine/parts';
import { testKernel } from '@terndb/engine/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openNode } from '../../node/open-node.ts';
import { memoryNodePorts } from '../../node/testing/node-ports.ts';
import { IndexWorkers } from './index-workers.ts';

const ROWS = 4_000;
const DIM = 48;
const { definition } = defineSchema({ notes: { title: f.text({ search: true }), place: f.vector(DIM, { metric: 'L2' }) } });
const collection = definition.collections.notes;
const quiet = { pause: () => Promise.resolve(), onProgress: () => {} };

let objects: ObjectStore;
let object: string;
const jobOf = (field: string, type: string): IndexJob => ({ object, expected: {}, definition: collection, field, type });

beforeAll(async () => {
  const ports = await memoryNodePorts();
  const node = await openNode({ ports, slots: 1 });
  await node.catalog.createCollection('default', 'notes', collection);
  const entities = Array.from({ length: ROWS }, (_, row) => ({
    id: `k${row}`,
    title: `row ${row % 71} of many`,
    place: Array.from({ length: DIM }, (_, at) => Math.sin(row * 12.9898 + at * 78.233)),
  }));
  await node.write({ type: 'put', database: 'default', collection: 'notes', entities });
  await node.flush('default');
  objects = ports.objects;
  object = (await objects.list('')).find(({ name }) => name.includes('/segment-'))!.name;
  await node.close();
});

let workers: IndexWorkers | undefined;
const open = (options: { readonly script?: URL; readonly workers?: number } = {}): IndexWorkers => {
  workers = new IndexWorkers({ objects, ...options });
  return workers;
};
afterEach(() => workers?.close());

/** A worker script that runs `before` and then, if it still lives, is the real one. */
async function withScript(before: string, run: (script: URL) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tern-worker-'));
  try {
    const file = join(folder, 'worker.ts');
    const real = new URL('./index-worker.ts', import.meta.url).href;
    await writeFile(file, `import { existsSync, writeFileSync } from 'node:fs';\n${before}\nawait import(${JSON.stringify(real)});\n`);
    await run(pathToFileURL(file));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('index workers', () => {
  it('build the same bytes as are built here, and use a thread again', async () => {
    const pool = open();
    for (const [field, type] of [
      ['place', 'hnsw'],
      ['title', 'text'],
    ] as const) {
      const here = await runIndexJob(jobOf(field, type), { ...quiet, objects, kernel: await testKernel() });
      const there = await pool.build(jobOf(field, type), quiet);
      expect([there.bytes, there.checksum]).toEqual([here.bytes, here.checksum]);
      expect(Buffer.concat(there.parts).equals(Buffer.concat(here.parts))).toBe(true);
      expect(here.bytes).toBeGreaterThan(ROWS);
    }
    expect(pool.threads).toBe(1);
  });

  it.runIf(process.platform === 'linux')('give way to reads and writes: a thread that builds has a lower priority', async () => {
    await open().build(jobOf('title', 'text'), quiet);
    // Behind the name in brackets the 17th number is the nice value.
    const nices = readdirSync('/proc/self/task').map((thread) => {
      const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
    });
    const own = getPriority();
    expect(nices.filter((nice) => nice === Math.max(own, 5))).not.toEqual([]);
    expect(nices).toContain(own);
  });

  it('take no more threads than they may, and finish every job', async () => {
    const pool = open({ workers: 2 });
    const sums = await Promise.all(Array.from({ length: 5 }, async () => (await pool.build(jobOf('title', 'text'), quiet)).checksum));
    expect(new Set(sums).size).toBe(1);
    expect(pool.threads).toBeLessThanOrEqual(2);
  });

  it('end a build that is not wanted any more, and its thread with it', async () => {
    const pool = open();
    const pause = (): Promise<void> => Promise.reject(new DbError('ABORTED', 'not wanted'));
    await expect(pool.build(jobOf('place', 'hnsw'), { ...quiet, pause })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(pool.threads).toBe(0);
    expect((await pool.build(jobOf('title', 'text'), quiet)).bytes).toBeGreaterThan(0);
  });

  it('pass on why a build failed', async () => {
    const lost = { ...jobOf('place', 'hnsw'), object: `${object}0` };
    await expect(open().build(lost, quiet)).rejects.toMatchObject({ code: 'STORAGE_LOST' });
  });

  it('try a job once more when its thread dies', async () => {
    await withScript(
      `const flag = import.meta.filename + '.died'; if (!existsSync(flag)) { writeFileSync(flag, ''); process.exit(3); }`,
      async (script) => expect((await open({ script }).build(jobOf('title', 'text'), quiet)).bytes).toBeGreaterThan(0),
    );
  });

  it('refuse a job whose thread dies again and again, and still answer after it', async () => {
    await withScript('process.exit(3);', async (script) => {
      const pool = open({ script });
      for (let round = 0; round < 2; round++)
        await expect(pool.build(jobOf('title', 'text'), quiet)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      expect(pool.threads).toBe(0);
    });
  });

  it('refuse what they were at when they are closed', async () => {
    const pool = open();
    const building = pool.build(jobOf('place', 'hnsw'), quiet);
    await Promise.all([pool.close(), expect(building).rejects.toMatchObject({ code: 'ABORTED' })]);
    await expect(pool.build(jobOf('title', 'text'), quiet)).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
