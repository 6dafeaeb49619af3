import { crc32c, type Timestamp, ZERO_HASH } from '@terndb/core';
import { type Manifest, writeManifest } from '@terndb/engine/parts';
import { encodeBootstrapReference } from '@terndb/sync';
import { describe, expect, it } from 'vitest';
import { MemoryObjectsInParts } from '../storage/object-parts.ts';
import { BootstrapDownloader } from './bootstrap.ts';
import { PART_BYTES } from './bootstrap-parts.ts';
import { endpointOf, type HttpRequest, type Network } from './network.ts';

const endpoint = endpointOf('https://server/sync/')!;
const CHANNEL = 'c/p/0';
const segment = new Uint8Array(PART_BYTES + 1000).map((_, index) => index % 251);
const index = Uint8Array.of(1, 2, 3);

function manifestOf(checksum: number): Manifest {
  const indexes = [{ field: 'vec', type: 'hnsw', name: 'c/p/0/index-1', bytes: index.length, checksum }];
  const one = { id: 's', name: 'c/p/0/segment-1', rows: 1, bytes: segment.length, dead: null, indexes };
  return {
    logEpoch: 'e',
    channel: CHANNEL,
    version: 3,
    upTo: 9,
    brokerCursor: 9,
    floor: 0 as Timestamp,
    maxHlc: 5 as Timestamp,
    hash: ZERO_HASH,
    schemaVersion: 1,
    segments: [one],
    tombstones: { type: 'none' },
    lmids: [],
  };
}

/** Serves ranges; `fail` may answer in its place. */
function serve(files: Record<string, Uint8Array>, fail: (request: HttpRequest) => number | undefined = () => undefined) {
  const asked: string[] = [];
  const network: Network = {
    openSocket: () => {
      throw new Error('no socket');
    },
    request: async (request) => {
      const range = request.headers!['range']!;
      asked.push(`${request.url} ${range}`);
      const status = fail(request);
      if (status === 0) throw new TypeError('network');
      if (status !== undefined) return { status, bytes: async () => new Uint8Array() };
      const [from, to] = /bytes=(\d+)-(\d+)/.exec(range)!.slice(1).map(Number) as [number, number];
      return { status: 206, bytes: async () => files[request.url]!.slice(from, to + 1) };
    },
  };
  return { network, asked };
}

function offer(manifest: Uint8Array): { files: Record<string, Uint8Array>; reference: Uint8Array } {
  const files = { 'https://server/sync/m': manifest, 'https://server/sync/s': segment, 'https://objects/i?ticket': index };
  const reference = encodeBootstrapReference({
    manifest: { name: 'c/p/0/manifest-3', bytes: manifest.length, url: 'm' },
    objects: [
      { name: 'c/p/0/segment-1', bytes: segment.length, url: 's' },
      { name: 'c/p/0/index-1', bytes: index.length, url: 'https://objects/i?ticket' },
    ],
  });
  return { files, reference };
}
const signal = new AbortController().signal;

describe('a bootstrap', () => {
  const manifest = writeManifest(manifestOf(crc32c(index)));

  it('brings the manifest and everything it names, in parts, and says how much is here', async () => {
    const objects = new MemoryObjectsInParts();
    const { files, reference } = offer(manifest);
    const { network, asked } = serve(files);
    const progress: number[] = [];
    const downloader = new BootstrapDownloader({ objects, network, endpoint });
    const got = await downloader.download({
      channel: CHANNEL,
      reference,
      signal,
      onProgress: (done, total) => progress.push(done / total),
    });
    expect(got.manifest).toMatchObject({ channel: CHANNEL, upTo: 9 });
    expect(await objects.read('c/p/0/segment-1', 0, segment.length)).toEqual(segment);
    expect(await objects.head(got.manifestObject)).toMatchObject({ bytes: manifest.length });
    expect(progress.at(-1)).toBe(1);
    expect(asked).toHaveLength(4);
    await downloader.download({ channel: CHANNEL, reference, signal });
    expect(asked).toHaveLength(5);
  });

  it('asks again for a part that was cut, and after a failure only for what is missing', async () => {
    const objects = new MemoryObjectsInParts();
    const { files, reference } = offer(manifest);
    let isCut = true;
    const { network, asked } = serve(files, ({ headers }) =>
      isCut && headers!['range']!.startsWith(`bytes=${PART_BYTES}-`) ? 0 : undefined,
    );
    const downloader = new BootstrapDownloader({ objects, network, endpoint });
    await expect(downloader.download({ channel: CHANNEL, reference, signal })).rejects.toMatchObject({ code: 'OFFLINE' });
    const before = asked.length;
    isCut = false;
    await downloader.download({ channel: CHANNEL, reference, signal });
    const again = asked.slice(before).filter((one) => one.includes('/s '));
    expect(again).toEqual([`https://server/sync/s bytes=${PART_BYTES}-${segment.length - 1}`]);
  });

  it('goes on after a restart with the parts that are stored, and sums them as well', async () => {
    const objects = new MemoryObjectsInParts();
    const large = new Uint8Array(2 * PART_BYTES + 10).map((_, at) => at % 13);
    const make = (checksum: number) => {
      const { segments } = manifestOf(0);
      const indexes = [{ field: 'vec', type: 'hnsw', name: 'c/p/0/index-1', bytes: large.length, checksum }];
      const file = writeManifest({ ...manifestOf(0), segments: [{ ...segments[0]!, indexes }] });
      const files = { 'https://server/sync/m': file, 'https://server/sync/s': segment, 'https://server/sync/i': large };
      const reference = encodeBootstrapReference({
        manifest: { name: 'c/p/0/manifest-3', bytes: file.length, url: 'm' },
        objects: [
          { name: 'c/p/0/segment-1', bytes: segment.length, url: 's' },
          { name: 'c/p/0/index-1', bytes: large.length, url: 'i' },
        ],
      });
      return { files, reference };
    };
    const good = make(crc32c(large));
    const cut = serve(good.files, ({ url, headers }) => (url.endsWith('/i') && headers!['range']!.startsWith(`bytes=0-`) ? 0 : undefined));
    await expect(
      new BootstrapDownloader({ objects, network: cut.network, endpoint }).download({
        channel: CHANNEL,
        reference: good.reference,
        signal,
      }),
    ).rejects.toMatchObject({ code: 'OFFLINE' });
    expect(await objects.listUnfinished('')).toEqual(['c/p/0/index-1']);
    expect(await objects.head('c/p/0/index-1')).toBeUndefined();

    const stored = await objects.beginParts('c/p/0/index-1');
    expect(stored.size).toBeGreaterThan(0);
    const { network, asked } = serve(good.files);
    await new BootstrapDownloader({ objects, network, endpoint }).download({ channel: CHANNEL, reference: good.reference, signal });
    expect(asked.filter((one) => one.includes('/i '))).toHaveLength(3 - stored.size);
    expect(await objects.read('c/p/0/index-1', 0, large.length)).toEqual(large);
    expect(await objects.listUnfinished('')).toEqual([]);
  });

  it('says which segments are whole with their indexes, the smallest first, and not of the last one', async () => {
    const parts = ['a', 'b', 'c'].map((id, at) => {
      const body = new Uint8Array([3000, 1000, 2000][at]!).fill(at);
      const graph = Uint8Array.of(at, 1, 2);
      const indexes = [{ field: 'vec', type: 'hnsw', name: `c/p/0/index-${id}`, bytes: 3, checksum: crc32c(graph) }];
      return { segment: { id, name: `c/p/0/segment-${id}`, rows: 1, bytes: body.length, dead: null, indexes }, body, graph };
    });
    const file = writeManifest({ ...manifestOf(0), segments: parts.map((part) => part.segment) });
    const files: Record<string, Uint8Array> = { 'https://server/sync/m': file };
    const objects = parts.flatMap(({ segment: { id, name, bytes }, body, graph }) => {
      files[`https://server/sync/s${id}`] = body;
      files[`https://server/sync/i${id}`] = graph;
      return [
        { name, bytes, url: `s${id}` },
        { name: `c/p/0/index-${id}`, bytes: 3, url: `i${id}` },
      ];
    });
    const reference = encodeBootstrapReference({ manifest: { name: 'c/p/0/manifest-3', bytes: file.length, url: 'm' }, objects });
    const store = new MemoryObjectsInParts();
    const told: (readonly string[])[] = [];
    const onSegments = (_manifest: Manifest, ready: readonly string[]): void => {
      told.push(ready);
    };
    const downloader = new BootstrapDownloader({ objects: store, network: serve(files).network, endpoint });
    await downloader.download({ channel: CHANNEL, reference, signal, onSegments });
    expect(told).toEqual([['b'], ['b', 'c']]);
  });

  it('refuses an index that is not what the manifest says, and a manifest of another channel', async () => {
    const wrong = offer(writeManifest(manifestOf(crc32c(index) ^ 1)));
    const first = new BootstrapDownloader({ objects: new MemoryObjectsInParts(), network: serve(wrong.files).network, endpoint });
    await expect(first.download({ channel: CHANNEL, reference: wrong.reference, signal })).rejects.toMatchObject({
      code: 'CHECKSUM_MISMATCH',
    });
    const { files, reference } = offer(manifest);
    const second = new BootstrapDownloader({ objects: new MemoryObjectsInParts(), network: serve(files).network, endpoint });
    await expect(second.download({ channel: 'other/p/0', reference, signal })).rejects.toMatchObject({ code: 'FORMAT_INVALID' });
  });

  it('gives up an address that is not valid any more at once: the next offer has new ones', async () => {
    const { files, reference } = offer(manifest);
    const { network, asked } = serve(files, ({ url }) => (url.endsWith('/s') ? 410 : undefined));
    const downloader = new BootstrapDownloader({ objects: new MemoryObjectsInParts(), network, endpoint });
    await expect(downloader.download({ channel: CHANNEL, reference, signal })).rejects.toMatchObject({ code: 'OFFLINE' });
    // Parts are asked for side by side, each of them once.
    const parts = asked.filter((one) => one.includes('/s '));
    expect(parts.length).toBeGreaterThan(0);
    expect(new Set(parts).size).toBe(parts.length);
  });
});

describe('a sync endpoint', () => {
  it('is the same for http and ws, with and without a slash at its end', () => {
    for (const url of ['https://a.b/sync', 'wss://a.b/sync/', 'https://a.b/sync/']) {
      expect(endpointOf(url)).toEqual({ http: 'https://a.b/sync', socket: 'wss://a.b/sync' });
    }
    expect(endpointOf('ws://localhost:80/x')).toEqual({ http: 'http://localhost/x', socket: 'ws://localhost/x' });
    for (const url of ['ftp://a', 'nonsense', '']) expect(endpointOf(url)).toBeUndefined();
  });
});
