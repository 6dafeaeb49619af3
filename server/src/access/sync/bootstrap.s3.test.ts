import { type CollectionDefinition, defineSchema, f, MemoryObjectStore } from '@terndb/core';
import { openReplica, readManifest, SegmentPool } from '@terndb/engine/parts';
import { loadKernel } from '@terndb/kernel';
import { decodeBootstrapReference } from '@terndb/sync';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readS3Config } from '../../adapters/s3/s3-config.ts';
import { S3ObjectStore } from '../../adapters/s3/s3-object-store.ts';
import { ensureBucket } from '../../adapters/s3/testing/ensure-bucket.ts';
import { startMemoryServer } from '../testing/test-server.ts';

const ROWS = 2_000;
const PART_BYTES = 64 * 1024;
const config = readS3Config(process.env);
if (config === undefined) throw new Error('these tests need a gateway: npm run test:s3');
const definition: CollectionDefinition = defineSchema({ notes: { title: f.text({ search: true }), vec: f.vector(8) } }).definition
  .collections.notes;

let objects: S3ObjectStore;
beforeAll(async () => {
  await ensureBucket(config);
  objects = await S3ObjectStore.open({ ...config, prefix: `bootstrap-${process.pid}/` });
});
afterAll(async () => {
  for (const { name } of await objects.list('')) await objects.delete(name);
  objects.close();
});

/** As the client's downloader: without credentials, in parts by range. */
async function download(url: string, bytes: number): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for (let from = 0; from < bytes; from += PART_BYTES) {
    const last = Math.min(from + PART_BYTES, bytes) - 1;
    const response = await fetch(url, { headers: { range: `bytes=${from}-${last}` } });
    expect(response.status).toBe(206);
    parts.push(new Uint8Array(await response.arrayBuffer()));
  }
  return parts;
}

it('offers a new device URLs of the gateway, from which it has every row without asking the server for their bytes', async () => {
  const server = await startMemoryServer({}, { objects, downloadUrl: (name, seconds) => objects.downloadUrl(name, seconds) });
  const { real: node } = server;
  try {
    const { partitions } = await node.catalog.createCollection('default', 'notes', definition);
    const [channel] = partitions.get('_default')!;
    const entities = Array.from({ length: ROWS }, (_, index) => ({
      id: `k${index}`,
      title: `note ${index}`,
      vec: Float32Array.from({ length: 8 }, (_, at) => Math.sin(index * 8 + at)),
    }));
    await node.write({ database: 'default', type: 'put', collection: 'notes', entities });
    await node.flush('default');
    const socket = await server.socket();
    socket.hello(await server.token({ partitions: { '*': 'read' } }));
    await socket.next('welcome');
    socket.subscribe(channel!);
    const { manifest: offer } = await socket.next('subscribed');
    const reference = decodeBootstrapReference(offer!.reference);
    expect(reference.objects.length).toBeGreaterThan(0);
    const copies = new MemoryObjectStore();
    for (const { name, bytes, url } of reference.objects) {
      expect(url.startsWith(config.endpoint)).toBe(true);
      expect(url).not.toContain(config.secretAccessKey.reveal());
      await copies.put(name, await download(url, bytes));
    }
    // It depends on who asks, so the server makes it.
    const answer = await fetch(new URL(reference.manifest.url, `${server.url}/sync/`));
    const manifest = readManifest(new Uint8Array(await answer.arrayBuffer()), reference.manifest.name);
    const kernel = await loadKernel();
    const pool = new SegmentPool(copies, kernel);
    const replica = await openReplica({ channel: channel!, logEpoch: node.logEpoch, definition, kernel, objects: copies, pool, manifest });
    expect(replica.position).toBe(manifest.upTo);
    const live = replica.entities.blocks.reduce((sum, block) => sum + block.live.count, 0);
    expect(live).toBe(ROWS);
    replica.retire();
  } finally {
    await server.close();
  }
});
