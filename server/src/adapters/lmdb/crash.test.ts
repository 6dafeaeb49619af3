import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LmdbLogBroker } from './lmdb-log-broker.ts';
import { LmdbMetaStore } from './lmdb-meta-store.ts';

const KILLS = 6;
/** Of 1,024 bytes. */
const MAX_FILE_BLOCKS = 2_048;
const ALL = { maxBytes: 2 ** 30 };
const CHILD = fileURLToPath(new URL('./appending-process.ts', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-lmdb-'));
});
afterEach(() => rm(folder, { recursive: true }));

function startAppending(): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, ['--conditions=@terndb/source', CHILD, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return { child, said: () => text };
}

async function until(condition: () => boolean, child: ChildProcess): Promise<void> {
  while (!condition()) {
    if (child.exitCode !== null) throw new Error(`the appending process ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Everything acknowledged is there, whole and in order. Returns how much is held. */
async function checkHeld(acknowledged: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const held = new Map<string, number>();
  const broker = await LmdbLogBroker.open(folder);
  for (const [stream, last] of acknowledged) {
    const entries = await broker.read(stream, 1, ALL);
    expect(entries.length).toBeGreaterThanOrEqual(last);
    expect(await broker.bounds(stream)).toEqual({ first: 1, last: entries.length });
    const wrong = entries.filter(({ sequence, bytes, channel }, index) => {
      const text = Buffer.from(bytes).toString();
      const whole = `${stream}${sequence};`.repeat(text.length).slice(0, text.length);
      const length = 1 + ((sequence * 7_919) % 9_000);
      return sequence !== index + 1 || text !== whole || text.length !== length || channel !== `channel-${sequence % 5}`;
    });
    expect(wrong).toEqual([]);
    held.set(stream, entries.length);
  }
  await broker.close();
  return held;
}

describe('a process killed in the middle of appends', () => {
  it('has lost nothing acknowledged, and left nothing torn and no hole, however often', async () => {
    const acknowledged = new Map<string, number>();
    for (let kill = 0; kill < KILLS; kill++) {
      const { child, said } = startAppending();
      // A random moment after the first acknowledgements.
      const lines = 5 + Math.floor(Math.random() * 150);
      await until(() => said().split('\n').length > lines, child);
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
      for (const [, stream, last] of said().matchAll(/^(\w) (\d+)\n/gm)) acknowledged.set(stream!, Number(last));

      await checkHeld(acknowledged);
    }
    expect(acknowledged.size).toBe(3);
  });
});

describe('a disk that refuses to grow', () => {
  it('fails the appends of the transaction with nothing of them there, and leaves the process alive and readable', async () => {
    // A file's size is limited for this process: as good as a full disk, and needs no rights.
    const limited = `trap '' XFSZ; ulimit -f ${MAX_FILE_BLOCKS}; exec "$0" --conditions=@terndb/source "$1" "$2"`;
    const child = spawn('bash', ['-c', limited, process.execPath, CHILD, folder], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    const acknowledged = new Map<string, number>();
    for (const [, stream, last] of said.matchAll(/^(\w) (\d+)\n/gm)) acknowledged.set(stream!, Number(last));
    expect(acknowledged.size).toBe(3);
    for (const [stream, last] of acknowledged) {
      expect(said).toContain(`${stream} failed STORAGE_UNAVAILABLE\n`);
      expect(said).toContain(`${stream} holds ${last}\n`);
    }
    expect(await checkHeld(acknowledged)).toEqual(acknowledged);
  });
});

describe('an environment', () => {
  it('commits concurrent appends together, each with its own outcome', async () => {
    const broker = await LmdbLogBroker.open(folder);
    const one = [{ channel: 'c', bytes: new Uint8Array(10) }];
    const appends = Array.from({ length: 3_000 }, (_, index) => broker.append(`s${index % 10}`, Math.floor(index / 10), one));
    const refused = broker.append('s0', 0, one);
    expect((await Promise.all(appends)).at(-1)).toBe(300);
    await expect(refused).rejects.toMatchObject({ code: 'APPEND_CONFLICT', details: { last: 300 } });
    await broker.close();
  });

  it('refuses what comes after close and finishes what came before', async () => {
    const store = await LmdbMetaStore.open(folder);
    const written = store.compareAndSet('k', 0, Uint8Array.of(1));
    const closed = store.close();
    await expect(store.get('k')).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
    await expect(store.compareAndSet('l', 0, Uint8Array.of(1))).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
    expect(await written).toBe(1);
    await closed;
    const again = await LmdbMetaStore.open(folder);
    expect(await again.get('k')).toEqual({ key: 'k', value: Uint8Array.of(1), revision: 1 });
    await again.close();
  });

  it('removes a long truncated log in slices, and appends get their turn between them', async () => {
    const broker = await LmdbLogBroker.open(folder);
    const many = Array.from({ length: 5_000 }, () => ({ channel: 'c', bytes: new Uint8Array(8) }));
    await broker.append('s', 0, many);
    const truncated = broker.truncate('s', 4_999);
    expect(await broker.append('s', 5_000, many.slice(0, 1))).toBe(5_001);
    await truncated;
    expect(await broker.bounds('s')).toEqual({ first: 5_000, last: 5_001 });
    await broker.close();
  });

  it('is not opened where something else is', async () => {
    await writeFile(join(folder, 'data.mdb'), 'something else entirely'.repeat(1_000));
    await expect(LmdbLogBroker.open(folder)).rejects.toMatchObject({ code: 'FORMAT_INVALID' });
  });
});
