import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../node/testing/until.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const DISK_BYTES = 24 * 2 ** 20;

let folder: string;
let isMounted = false;
const running = new Set<ChildProcess>();

/** A disk of its own, small enough to be filled. */
beforeEach(({ skip }) => {
  folder = mkdtempSync(join(tmpdir(), 'terndb-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder]);
  isMounted = status === 0;
  if (!isMounted) skip('a small disk cannot be mounted here (it takes root): full and read-only disks are not tested');
});
afterEach(async () => {
  for (const child of running) await kill(child);
  if (isMounted) spawnSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true, force: true });
});

async function kill(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null) return;
  const ended = once(child, 'close');
  child.kill('SIGKILL');
  await ended;
}

interface Served {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly url: string;
}

async function serve(): Promise<Served> {
  const args = ['--conditions=@terndb/source', MAIN, 'serve', '--port', '0', '--data', join(folder, 'data'), '--insecure'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } });
  running.add(child);
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.on('close', (code) => (text += `ended with ${code}`));
  await until('the server', () => text.includes('ready http') || text.includes('ended with'));
  return { child, said: () => text, url: /ready (http:\S+)/.exec(text)?.[1] ?? '' };
}

async function call(url: string, path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, unknown>;
}

const upsert = (url: string, id: number): Promise<Record<string, unknown>> =>
  call(url, '/v2/vectordb/entities/upsert', { collectionName: 'notes', data: [{ id, vector: [id, 1], text: 'x'.repeat(20_000) }] });

interface Health {
  readonly status: string;
  readonly components: readonly { readonly component: string; readonly status: string; readonly reason?: string }[];
}

/** Components that are not well, with their reasons. */
async function unwell(url: string): Promise<Record<string, string>> {
  const { components } = (await (await fetch(`${url}/health/components`)).json()) as Health;
  return Object.fromEntries(
    components.filter(({ status }) => status !== 'ok').map(({ component, status, reason }) => [component, `${status}: ${reason}`]),
  );
}

async function untilUnwell(url: string, what: string, isSo: (found: Record<string, string>) => boolean): Promise<Record<string, string>> {
  for (let tries = 0; tries < 200; tries++) {
    const found = await unwell(url);
    if (isSo(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} expected, got ${JSON.stringify(await unwell(url))}`);
}

async function idsOf(url: string): Promise<number[]> {
  const request = { collection: 'notes', consistency: 'eventually', select: ['id'], limit: 10_000 };
  const { keys } = await call(url, '/sync/v1/query', request);
  return (keys as number[]).toSorted((a, b) => a - b);
}

describe('a full disk', () => {
  it('is said with STORAGE_FULL, loses nothing, and is no trouble any more when there is room', async () => {
    const first = await serve();
    expect(first.url).not.toBe('');
    await call(first.url, '/v2/vectordb/collections/create', { collectionName: 'notes', dimension: 2 });
    const acked: number[] = [];
    for (let id = 0; id < 5; id++) {
      expect(await upsert(first.url, id)).toMatchObject({ code: 0 });
      acked.push(id);
    }
    const filler = join(folder, 'filler');
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - 300_000)));
    let refusal: Record<string, unknown> | undefined;
    for (let id = 5; refusal === undefined && id < 200; id++) {
      const answer = await upsert(first.url, id);
      if (answer['code'] === 0) acked.push(id);
      else refusal = answer;
    }
    expect(String(refusal?.['message'])).toMatch(/log that can be written expected/);
    expect(await idsOf(first.url)).toEqual(acked);
    const sick = await untilUnwell(first.url, 'a full disk', (found) => 'log' in found && 'disk' in found);
    expect(sick['disk']).toMatch(/^failing: \d+ of \d+ bytes are free$/);
    expect(sick['log']).toBe('failing: STORAGE_FULL: nothing can be appended');
    // What is there is still read, here and nowhere else.
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    // At once from now on, and also for devices' reads of what is there.
    expect((await upsert(first.url, 1_000))['code']).not.toBe(0);
    rmSync(filler);
    await until('room', () => statfsSync(folder).bavail * bsize > 2 ** 20);
    let after = await upsert(first.url, 2_000);
    // The append that failed is tried again now and then.
    for (let tries = 0; after['code'] !== 0 && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      after = await upsert(first.url, 2_000);
    }
    expect(after).toMatchObject({ code: 0 });
    await untilUnwell(first.url, 'a server that is well', (found) => Object.keys(found).length === 0);
    expect(first.said()).toContain('"component":"log","status":"failing"');
    await kill(first.child);

    const second = await serve();
    await call(second.url, '/v2/vectordb/collections/load', { collectionName: 'notes' });
    const ids = await idsOf(second.url);
    expect(ids).toEqual(expect.arrayContaining([...acked, 2_000]));
    expect(ids).not.toContain(1_000);
    expect(new Set(ids).size).toBe(ids.length);
  }, 60_000);
});

describe('a read-only data folder', () => {
  it('ends the start with what is wrong, and harms nothing', async () => {
    const first = await serve();
    await call(first.url, '/v2/vectordb/collections/create', { collectionName: 'notes', dimension: 2 });
    expect(await upsert(first.url, 7)).toMatchObject({ code: 0 });
    await kill(first.child);
    expect(spawnSync('mount', ['-o', 'remount,ro', folder]).status).toBe(0);
    const refused = await serve();
    expect(refused.said()).toMatch(/STORAGE_UNAVAILABLE.*read-only/i);
    expect(refused.said()).toContain('ended with 1');
    expect(spawnSync('mount', ['-o', 'remount,rw', folder]).status).toBe(0);
    const again = await serve();
    expect(await idsOf(again.url)).toEqual([7]);
    expect(await unwell(again.url)).toEqual({});
  }, 60_000);
});
