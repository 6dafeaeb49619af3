import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CRASH_CLIENTS, expectedRows } from './testing/crash-ops.ts';
import { openLmdbNode } from './testing/lmdb-node.ts';
import { until } from './testing/until.ts';

const KILLS = 5;
const CHILD = fileURLToPath(new URL('./testing/pushing-process.ts', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-node-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function pushAndKill(lines: number): Promise<Map<string, number>> {
  const child: ChildProcess = spawn(process.execPath, ['--conditions=@terndb/source', CHILD, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  await until('acknowledgements', () => {
    if (child.exitCode !== null) throw new Error(`the pushing process ended with ${child.exitCode}`);
    return said.split('\n').length > lines;
  });
  const ended = once(child, 'close');
  child.kill('SIGKILL');
  await ended;
  const acked = new Map<string, number>();
  for (const [, client, seq] of said.matchAll(/^(\S+) (\d+)\n/gm)) acked.set(client!, Number(seq));
  return acked;
}

describe('a node killed while clients push', () => {
  it('has everything acknowledged once, in order, nothing torn, however often and whatever it was at', async () => {
    const sealed = new Set<number>();
    for (let kill = 0; kill < KILLS; kill++) {
      // A random moment after the first acknowledgements.
      const acked = await pushAndKill(20 + Math.floor(Math.random() * 250));
      const { node, close } = await openLmdbNode(folder);
      const { entities } = await node.query({ database: 'default', collection: 'notes', consistency: 'strong', limit: 1_000 });
      const rows = new Map(entities.map(({ id, title }) => [id as string, title as string]));
      const expected = new Map<string, string>();
      for (const clientId of CRASH_CLIENTS) {
        const lmid = await lmidOf(node, clientId);
        expect(lmid).toBeGreaterThanOrEqual(acked.get(clientId) ?? 0);
        for (const [key, title] of expectedRows(clientId, lmid)) expected.set(key, title);
      }
      expect(rows).toEqual(expected);
      const [channel] = node.inspect().channels;
      expect(channel).toMatchObject({ divergences: 0 });
      expect(channel!.position).toBeGreaterThan(0);
      sealed.add(channel!.sealedPosition);
      await close();
    }
    expect(sealed.size).toBeGreaterThan(1);
  }, 60_000);
});

async function lmidOf(node: Awaited<ReturnType<typeof openLmdbNode>>['node'], clientId: string): Promise<number> {
  const [channel] = node.catalog.find('default', 'notes')!.partitions.get('_default')!;
  let lmid: number | undefined;
  const session = node.openSession(`look ${clientId}`, (message) => {
    if (message.type === 'subscribed') lmid = message.known.lmid;
  });
  const principal = { session: `look ${clientId}`, clientId, term: 2, subject: clientId, canWrite: false };
  session.route(principal, { type: 'subscribe', channel: channel!, subscription: 1, credit: 1, formers: [] });
  await until('the answer', () => lmid !== undefined);
  session.close();
  return lmid!;
}
