import { crc32c, MemoryObjectStore, type Timestamp, ZERO_HASH } from '@terndb/core';
import { type Manifest, writeManifest } from '@terndb/engine/parts';
import { encodeBootstrapReference } from '@terndb/sync';
import { describe, expect, it } from 'vitest';
import { BootstrapDownloader, PART_BYTES } from './bootstrap.ts';
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
    const objects = new MemoryObjectStore();
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
    const objects = new MemoryObjectStore();
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

  it('refuses an index that is not what the manifest says, and a manifest of another channel', async () => {
    const wrong = offer(writeManifest(manifestOf(crc32c(index) ^ 1)));
    const first = new BootstrapDownloader({ objects: new MemoryObjectStore(), network: serve(wrong.files).network, endpoint });
    await expect(first.download({ channel: CHANNEL, reference: wrong.reference, signal })).rejects.toMatchObject({
      code: 'CHECKSUM_MISMATCH',
    });
    const { files, reference } = offer(manifest);
    const second = new BootstrapDownloader({ objects: new MemoryObjectStore(), network: serve(files).network, endpoint });
    await expect(second.download({ channel: 'other/p/0', reference, signal })).rejects.toMatchObject({ code: 'FORMAT_INVALID' });
  });

  it('gives up an address that is not valid any more at once: the next offer has new ones', async () => {
    const { files, reference } = offer(manifest);
    const { network, asked } = serve(files, ({ url }) => (url.endsWith('/s') ? 410 : undefined));
    const downloader = new BootstrapDownloader({ objects: new MemoryObjectStore(), network, endpoint });
    await expect(downloader.download({ channel: CHANNEL, reference, signal })).rejects.toMatchObject({ code: 'OFFLINE' });
    expect(asked.filter((one) => one.includes('/s '))).toHaveLength(1);
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
