import { createHash } from 'node:crypto';
import { type MakeSubject, objectStoreContract, patternBytes, sameBytes } from '@terndb/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultyGateway } from './faulty-gateway.ts';
import { readS3Config, type S3Config } from './s3-config.ts';
import { S3ObjectStore } from './s3-object-store.ts';
import { ensureBucket } from './testing/ensure-bucket.ts';

const MIB = 2 ** 20;
const api = { describe, it, expect };
const config = readS3Config(process.env);
const control = process.env['S3_TEST_CONTROL'];
if (config === undefined || control === undefined) throw new Error('these tests need a gateway: npm run test:s3');

let prefixes = 0;
/** The store of a folder that nobody else uses. */
const freshConfig = (): S3Config => ({ ...config, prefix: `test-${process.pid}-${prefixes++}/` });

const make: MakeSubject<S3ObjectStore> = async () => {
  const own = freshConfig();
  let store = await S3ObjectStore.open(own);
  return {
    store,
    reopen: async () => {
      store.close();
      store = await S3ObjectStore.open(own);
      return store;
    },
    dispose: async () => {
      for (const { name } of await store.list('')) await store.delete(name);
      store.close();
    },
  };
};

async function gateway(action: 'kill' | 'start'): Promise<void> {
  const response = await fetch(`${control}/${action}`, { method: 'POST' });
  if (!response.ok) throw new Error(`gateway ${action}: ${await response.text()}`);
}

beforeAll(() => ensureBucket(config));

objectStoreContract('s3', make, api);

describe('an S3 object store', () => {
  let store: S3ObjectStore;
  beforeAll(async () => {
    store = await S3ObjectStore.open(freshConfig());
  });
  afterAll(() => store.close());

  it('lets one of eight different writers of a name win, in each of ten races, for everybody at every time', async () => {
    for (let race = 0; race < 10; race++) {
      const own = freshConfig();
      const writers = await Promise.all(Array.from({ length: 8 }, () => S3ObjectStore.open(own)));
      const seen = await Promise.all(
        writers.map(async (writer, index) => {
          await writer.put('same', [new Uint8Array(1_000).fill(index)]);
          return writer.read('same', 0, 1_000);
        }),
      );
      const winner = seen[0]![0]!;
      for (const bytes of seen) expect(sameBytes(bytes, new Uint8Array(1_000).fill(winner))).toBe(true);
      for (const writer of writers) writer.close();
    }
  });

  it('stores 40 MiB in parts and reads it whole and across the parts', async () => {
    const large = patternBytes(40 * MIB + 3, 5);
    await store.put('large', [large.subarray(0, 9 * MIB + 1), large.subarray(9 * MIB + 1)]);
    expect(await store.head('large')).toEqual({ name: 'large', bytes: large.length });
    expect(sameBytes(await store.read('large', 0, large.length), large)).toBe(true);
    for (const at of [8 * MIB - 5, 16 * MIB - 5, large.length - 10]) {
      expect(sameBytes(await store.read('large', at, 10), large.subarray(at, at + 10))).toBe(true);
    }
    await store.put('large', [large]);
    await expect(store.put('large', [large.subarray(1)])).rejects.toThrow('bytes expected on writing it again');
    await store.delete('large');
  });

  it('lists 1,200 objects over several pages, in order', async () => {
    const names = Array.from({ length: 1_200 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
    for (let from = 0; from < names.length; from += 40) {
      await Promise.all(names.slice(from, from + 40).map((name, index) => store.put(name, [new Uint8Array((from + index) % 7)])));
    }
    const listed = await store.list('many/');
    expect(listed).toEqual(names.map((name, index) => ({ name, bytes: index % 7 })));
    expect(await store.list('many/11')).toHaveLength(100);
  });

  it('gives URLs that read an object without credentials, by range too, until they expire', async () => {
    const bytes = patternBytes(100_000, 3);
    await store.put('shared', [bytes]);
    const url = await store.downloadUrl('shared', 60);
    expect(url).not.toContain(config.secretAccessKey.reveal());
    const whole = await fetch(url);
    expect(whole.status).toBe(200);
    expect(sameBytes(new Uint8Array(await whole.arrayBuffer()), bytes)).toBe(true);
    const part = await fetch(url, { headers: { range: 'bytes=500-599' } });
    expect(part.status).toBe(206);
    expect(sameBytes(new Uint8Array(await part.arrayBuffer()), bytes.subarray(500, 600))).toBe(true);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    expect((await fetch(url.replace(/X-Amz-Signature=\w{8}/, 'X-Amz-Signature=00000000'))).status).toBe(403);
    const brief = await store.downloadUrl('shared', 1);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect((await fetch(brief)).status).toBe(403);
    for (const seconds of [0, 301, 1.5])
      await expect(store.downloadUrl('shared', seconds)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('is not opened for a bucket that is not there, or with a wrong key, and tells no secret', async () => {
    for (const wrong of [{ bucket: 'no-such-bucket' }, { accessKeyId: 'nobody' }]) {
      const error: unknown = await S3ObjectStore.open({ ...config, ...wrong }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE', details: { attempts: 1 } });
      expect(JSON.stringify(error)).not.toContain(config.secretAccessKey.reveal());
    }
  });
});

describe('behind a gateway that fails', () => {
  it('every put, read, head, list and delete succeeds though each third answer is 503, lost, or cut', async () => {
    const faulty = await FaultyGateway.start(config.endpoint);
    const store = await S3ObjectStore.open({ ...freshConfig(), endpoint: faulty.url });
    faulty.failEvery(3);
    for (let index = 0; index < 12; index++) {
      const bytes = patternBytes(200_000 + index, index);
      await store.put(`o/${index}`, [bytes]);
      expect(await store.head(`o/${index}`)).toEqual({ name: `o/${index}`, bytes: bytes.length });
      expect(sameBytes(await store.read(`o/${index}`, 17, 150_000), bytes.subarray(17, 150_017))).toBe(true);
    }
    const large = patternBytes(30 * MIB, 1);
    await store.put('large', [large]);
    expect(sameBytes(await store.read('large', 0, large.length), large)).toBe(true);
    expect(await store.list('')).toHaveLength(13);
    for (const { name } of await store.list('')) await store.delete(name);
    expect(await store.list('')).toEqual([]);
    expect(faulty.faults).toBeGreaterThan(20);
    expect(Object.values(faulty.byKind).every((count) => count > 0)).toBe(true);
    store.close();
    await faulty.close();
  });
});

describe('a gateway that is killed in the middle of reads', () => {
  it('is waited for: every read and write asked for meanwhile ends well', async () => {
    const store = await S3ObjectStore.open(freshConfig());
    const objects = Array.from({ length: 8 }, (_, index) => patternBytes(2 * MIB, index));
    const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    await Promise.all(objects.map((bytes, index) => store.put(`o/${index}`, [bytes])));
    let stop = false;
    let reads = 0;
    const readers = objects.map(async (bytes, index) => {
      while (!stop) {
        const read = await store.read(`o/${index}`, 0, bytes.length);
        expect(digest(read!)).toBe(digest(bytes));
        reads += 1;
      }
    });
    for (let kill = 0; kill < 3; kill++) {
      const before = reads;
      while (reads < before + 20) await new Promise((resolve) => setTimeout(resolve, 5));
      await gateway('kill');
      const written = store.put(`while-down/${kill}`, [objects[0]!]);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await gateway('start');
      await written;
      expect(digest((await store.read(`while-down/${kill}`, 0, 2 * MIB))!)).toBe(digest(objects[0]!));
    }
    stop = true;
    await Promise.all(readers);
    expect(reads).toBeGreaterThan(60);
    store.close();
  });
});
