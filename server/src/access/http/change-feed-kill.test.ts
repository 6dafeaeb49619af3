import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../node/testing/until.ts';

const SERVER = fileURLToPath(new URL('../../main.ts', import.meta.url));
/** As a user would run it. */
const FOLLOWER = fileURLToPath(new URL('../../../../examples/change-feed/main.ts', import.meta.url));
const SERVER_KILLS = 3;
const FOLLOWER_KILLS = 6;
const IDS = 40;

let folder: string;
const running = new Set<ChildProcess>();
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-feed-'));
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

function start(args: readonly string[]): { readonly child: ChildProcess; readonly said: () => string; readonly kill: () => Promise<void> } {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', TERNDB_LIMITS_REQUESTS_PER_MINUTE: '1000000' },
  });
  running.add(child);
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const kill = async (): Promise<void> => {
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
    running.delete(child);
  };
  return { child, said: () => text, kill };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  return port;
}

it('keeps a second system exactly in step while both sides are killed again and again', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const file = join(folder, 'copy.sqlite');
  const flags = ['serve', '--port', String(port), '--data', join(folder, 'data'), '--insecure'];
  const serve = async (): Promise<ReturnType<typeof start>> => {
    const served = start(['--conditions=@terndb/source', SERVER, ...flags]);
    await until('the server', () => served.said().includes('ready http') || isOver(served));
    expect(served.said()).toContain('ready http');
    return served;
  };
  const follow = (): ReturnType<typeof start> => start([FOLLOWER, url, 'notes', '_default', file]);
  const call = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Record<string, unknown>;
  };

  let server = await serve();
  expect(await call('/v2/vectordb/collections/create', { collectionName: 'notes', dimension: 2 })).toMatchObject({ code: 0 });
  let follower = follow();

  let writes = 0;
  let isWriting = true;
  const writing = (async () => {
    while (isWriting) {
      const n = writes++;
      const id = Math.floor(Math.random() * IDS);
      const request =
        n % 5 === 4
          ? call('/v2/vectordb/entities/delete', { collectionName: 'notes', filter: `id == ${id}` })
          : call('/v2/vectordb/entities/upsert', { collectionName: 'notes', data: [{ id, vector: [n, 1], n, text: `write ${n}` }] });
      // Killed in the middle: it is in the log or it is not, and what the server says in the end counts.
      await request.catch(() => new Promise((resolve) => setTimeout(resolve, 20)));
    }
  })();

  for (let kill = 0; kill < FOLLOWER_KILLS; kill++) {
    const wanted = writes + 20 + Math.floor(Math.random() * 100);
    await until('writes', () => writes >= wanted);
    await follower.kill();
    if (kill % (FOLLOWER_KILLS / SERVER_KILLS) === 0) {
      await server.kill();
      // The other side may already be asking.
      follower = follow();
      server = await serve();
      await call('/v2/vectordb/collections/load', { collectionName: 'notes' });
    } else follower = follow();
  }
  isWriting = false;
  await writing;

  const answer = (await call('/sync/v1/query', {
    collection: 'notes',
    partitions: ['_default'],
    consistency: 'strong',
    select: ['vector', 'dynamic_'],
    limit: IDS * 2,
  })) as { entities: { readonly id: number }[] };
  expect(answer).toHaveProperty('entities');
  const { entities } = answer;
  const expected = new Map(entities.map((entity) => [String(entity.id), entity]));
  expect(expected.size).toBeGreaterThan(IDS / 4);
  const db = new DatabaseSync(file);
  const copy = (): Map<string, unknown> => {
    const rows = db.prepare('SELECT key, entity FROM entities').all();
    return new Map(rows.map(({ key, entity }) => [key as string, JSON.parse(entity as string)]));
  };
  try {
    const isSame = (): boolean => isEqual(copy(), expected);
    await until('the copy in step', isSame).catch(() => {});
    expect(copy(), follower.said()).toEqual(expected);
  } finally {
    db.close();
  }
}, 120_000);

const isOver = ({ child }: { readonly child: ChildProcess }): boolean => child.exitCode !== null;

function isEqual(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => JSON.stringify(value) === JSON.stringify(b.get(key)));
}
