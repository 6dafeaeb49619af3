import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../sync/server-process.ts';
import type { ServerContender } from './contender.ts';

const SCRIPT = fileURLToPath(new URL('./peer-process.ts', import.meta.url));
const headers = { 'content-type': 'application/json' };
const NAMES = { lance: 'LanceDB HNSW-SQ behind Fastify', pgvector: 'PGlite + pgvector behind Fastify' };

export async function openPeer(kind: keyof typeof NAMES, dim: number): Promise<ServerContender> {
  const folder = await mkdtemp(join(tmpdir(), 'terndb-bench-peer-'));
  const served = await startProcess(SCRIPT, [kind, String(dim), join(folder, 'data')], { NODE_OPTIONS: '' });
  const call = async (path: string, body: object): Promise<void> => {
    const response = await fetch(`${served.url}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  };
  return {
    name: NAMES[kind],
    pid: served.pid,
    url: served.url,
    headers,
    // LanceDB wants no less than what it scores again.
    efs: [64, 128, 256, 512],
    insert: (from, rows) => call('insert', { from, rows }),
    index: () => call('index', {}),
    request: (vector, options) => ({ path: '/search', body: JSON.stringify({ vector, ...options }) }),
    ids: (answer) => (JSON.parse(answer) as { readonly ids: readonly number[] }).ids,
    async stop() {
      await served.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
