import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readConfig } from '../config/read-config.ts';
import { openNode } from '../node/open-node.ts';
import { openStorage } from './open-storage.ts';

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));
const files = readdirSync(FIXTURES).filter((name) => name.endsWith('.tgz'));

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'terndb-upgrade-'));
});
afterEach(() => rm(data, { recursive: true }));

async function open(): Promise<{ readonly node: Awaited<ReturnType<typeof openNode>>; readonly close: () => Promise<void> }> {
  const storage = await openStorage(readConfig({ env: {}, flags: { data } }));
  const node = await openNode({ ports: storage.ports });
  const close = async (): Promise<void> => {
    await node.close();
    await storage.close();
  };
  return { node, close };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

it.each(files)('opens the data folder %s of an earlier server, whole, goes on writing to it, and opens it again', async (file) => {
  await mkdir(data, { recursive: true });
  expect(spawnSync('tar', ['xzf', join(FIXTURES, file), '-C', data]).status).toBe(0);
  const expected = [...range(0, 64).filter((id) => ![3, 4, 5, 10].includes(id)), ...range(100, 120)];
  const request = { database: 'default', collection: 'remarks', consistency: 'strong', limit: 1000 } as const;
  for (const round of [0, 1, 2]) {
    const { node, close } = await open();
    const { keys, entities } = await node.query({ ...request, select: ['vector'] });
    expect([...keys].map(Number).sort((a, b) => a - b)).toEqual([...expected, ...range(1_000, 1_000 + round)]);
    const seventh = entities[keys.map(Number).indexOf(7)];
    expect(seventh?.['vector']).toEqual(Float32Array.of(7, 1, 2, 3));
    const { hits } = await node.search({ ...request, vector: [61, 1, 2, 3], limit: 1 });
    expect(hits).toMatchObject([{ key: 61 }]);
    expect(node.inspect().channels.map(({ divergences, segments }) => [divergences, segments])).toEqual([
      [0, 1],
      [0, 1],
    ]);
    await node.write({
      database: 'default',
      type: 'put',
      collection: 'notes',
      entities: [{ id: 1_000 + round, vector: [0, 0, 0, round] }],
    });
    // What was written by another release is merged with what is written now.
    if (round === 1) await node.compact('default');
    await close();
  }
});
