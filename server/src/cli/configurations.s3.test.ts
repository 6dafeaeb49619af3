import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readS3Config } from '../adapters/s3/s3-config.ts';
import { S3ObjectStore } from '../adapters/s3/s3-object-store.ts';
import { ensureBucket } from '../adapters/s3/testing/ensure-bucket.ts';
import { FACTORS, OWN_PROCESSES, prepare } from './testing/configurations.ts';
import { ask, roundTrip } from './testing/round-trip.ts';
import { serveInProcess } from './testing/serve-in-process.ts';

const config = readS3Config(process.env);
if (config === undefined) throw new Error('these tests need a gateway: npm run test:s3');

let folder: string;
beforeEach(async () => {
  await ensureBucket(config);
  folder = await mkdtemp(join(tmpdir(), 'terndb-configuration-s3-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What differs with S3 is where its settings come from and where objects go: one configuration of each source. */
it.each(FACTORS.source)('objects in S3 as %s says, everything else in the data folder', async (source) => {
  const row = { ...OWN_PROCESSES.find((one) => one.source === source)!, logLevel: 'silent' as const };
  const prefix = `configurations-${process.pid}-${source}/`;
  const { words, env, client, credential, close } = await prepare(row, folder, {
    's3.endpoint': config.endpoint,
    's3.region': config.region,
    's3.bucket': config.bucket,
    's3.accessKeyId': config.accessKeyId,
    's3.secretAccessKey': config.secretAccessKey.reveal(),
    's3.prefix': prefix,
  });
  const server = await serveInProcess(words, env);
  const objects = await S3ObjectStore.open({ ...config, prefix });
  try {
    const door = { url: server.url, client, credential: credential ?? `root:${server.newRootPassword}` };
    await roundTrip(door);
    expect((await ask(door, '/v2/vectordb/collections/flush', { body: { collectionName: 'things' } })).status).toBe(200);
    await server.close();
    expect((await objects.list('')).length).toBeGreaterThan(0);
  } finally {
    for (const { name } of await objects.list('')) await objects.delete(name);
    objects.close();
    await close();
  }
});
