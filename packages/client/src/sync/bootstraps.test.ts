import { DbError, type Timestamp, ZERO_HASH } from '@terndb/core';
import type { Replication } from '@terndb/engine';
import { type Manifest, writeManifest } from '@terndb/engine/parts';
import { encodeBootstrapReference } from '@terndb/sync';
import { describe, expect, it } from 'vitest';
import { MemoryObjectsInParts } from '../storage/object-parts.ts';
import { BootstrapDownloader } from './bootstrap.ts';
import { Bootstraps } from './bootstraps.ts';
import { endpointOf, type Network } from './network.ts';

const endpoint = endpointOf('https://server/sync')!;
const CHANNEL = 'c/p/0';
const NEWEST = 77 as Timestamp;

/** Three segments, the smallest first: a, b, c. */
const bodies = new Map(['a', 'b', 'c'].map((id, at) => [id, new Uint8Array(1000 * (at + 1)).fill(at)]));
const segments = [...bodies].map(([id, { length }]) => ({
  id,
  name: `c/p/0/segment-${id}`,
  rows: 1,
  bytes: length,
  dead: null,
  indexes: [],
}));
const manifest: Manifest = {
  logEpoch: 'e',
  channel: CHANNEL,
  version: 3,
  upTo: 9,
  brokerCursor: 9,
  floor: 0 as Timestamp,
  maxHlc: NEWEST,
  hash: ZERO_HASH,
  schemaVersion: 1,
  segments,
  tombstones: { type: 'none' },
  lmids: [],
};
const file = writeManifest(manifest);
const reference = encodeBootstrapReference({
  manifest: { name: 'c/p/0/manifest-3', bytes: file.length, url: 'm' },
  objects: segments.map(({ id, name, bytes }) => ({ name, bytes, url: id })),
});

/** Bootstraps over a network that gives `c` only when `release` is called; the engine's part is written down. */
function start(engine: Partial<Pick<Replication, 'stage' | 'preview'>> = {}) {
  let release: () => void = () => {};
  const isReleased = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked: string[] = [];
  const network: Network = {
    openSocket: () => {
      throw new Error('no socket');
    },
    request: async ({ url, headers }) => {
      const name = url.split('/').at(-1)!;
      asked.push(name);
      if (name === 'c') await isReleased;
      const [from, to] = /bytes=(\d+)-(\d+)/.exec(headers!['range']!)!.slice(1).map(Number) as [number, number];
      return { status: 206, bytes: async () => (name === 'm' ? file : bodies.get(name)!).slice(from, to + 1) };
    },
  };
  const told: unknown[] = [];
  const waiting: (() => void)[] = [];
  const replication = {
    preview: async (_channel: string, _manifest: Manifest, ready: readonly string[]) => {
      told.push(['preview', ready]);
    },
    stage: async () => ({ position: 9, maxHlc: NEWEST }),
    dropStaged: () => {},
    ...engine,
  } as unknown as Replication;
  const objects = new MemoryObjectsInParts();
  const bootstraps = new Bootstraps({
    replication,
    downloader: new BootstrapDownloader({ objects, network, endpoint }),
    budgetOf: () => null,
    dispatch: (event) => {
      told.push(event.type === 'seen' ? ['seen', event.hlc] : event.type);
      if (event.type !== 'seen') for (const resolve of waiting.splice(0)) resolve();
    },
    onProgress: () => {},
  });
  const done = new Promise<void>((resolve) => waiting.push(resolve));
  const fetch = () => void bootstraps.fetch({ type: 'fetch', channel: CHANNEL, fetch: 1, offer: { upTo: 9, reference }, clientIds: [] });
  return { bootstraps, objects, told, asked, release, done, fetch };
}
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('a bootstrap under way', () => {
  it('[R10] is shown as its segments come, after the machine heard which stamps are seen with it', async () => {
    const { told, release, done, fetch } = start();
    fetch();
    await settle();
    expect(told.slice(0, 2)).toEqual([
      ['seen', NEWEST],
      ['preview', ['a']],
    ]);
    expect(told.at(-1)).toEqual(['preview', ['a', 'b']]);
    release();
    await done;
    expect(told.at(-1)).toBe('fetched');
  });

  it('shows nothing more once it is dropped, and a segment that cannot be shown does not end it', async () => {
    const damaged = new DbError('CHECKSUM_MISMATCH', 'damaged');
    let previews = 0;
    const preview = async (): Promise<void> => {
      previews += 1;
      throw damaged;
    };
    const first = start({ preview });
    first.fetch();
    await settle();
    expect(previews).toBeGreaterThan(0);
    first.release();
    await first.done;
    expect(first.told.at(-1)).toBe('fetched');

    const second = start();
    second.fetch();
    await settle();
    const before = second.told.length;
    second.bootstraps.drop(1);
    second.release();
    await settle();
    expect(second.told).toHaveLength(before);
  });

  it('deletes what turned out to be damaged, so that the next one brings it again and nothing else', async () => {
    const { bootstraps, objects, told, asked, release, done, fetch } = start({
      stage: async () => {
        throw new DbError('CHECKSUM_MISMATCH', 'damaged', { details: { objects: ['c/p/0/segment-b'] } });
      },
    });
    release();
    fetch();
    await done;
    expect(told.at(-1)).toBe('fetch-failed');
    expect((await objects.list('')).map(({ name }) => name)).not.toContain('c/p/0/segment-b');
    asked.length = 0;
    await bootstraps.fetch({ type: 'fetch', channel: CHANNEL, fetch: 2, offer: { upTo: 9, reference }, clientIds: [] });
    expect(asked).toEqual(['m', 'b']);
  });
});
