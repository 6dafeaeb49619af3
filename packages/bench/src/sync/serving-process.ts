/**
 * `terndb serve` with an ear: the same node behind the same doors, which can also be asked from inside by its parent's messages. Settings as of
 * `terndb serve`, by environment variables.
 */
import { loadManifest } from '@terndb/engine/parts';
import { createApp, openAuthenticator, openNode, openStorage, readConfig, systemClock } from '@terndb/server/testing';

export interface AskedInside {
  readonly collection: string;
  readonly partitions: readonly string[];
  readonly vectors: readonly (readonly number[])[];
  readonly limit: number;
  readonly select: readonly string[];
}
export interface AnsweredInside {
  /** Of each search. */
  readonly ms: readonly number[];
  readonly keys: readonly (readonly unknown[])[];
}

const config = readConfig({ env: process.env });
const storage = await openStorage(config);
const node = await openNode({ ports: storage.ports });
const authenticator = await openAuthenticator(config, systemClock, storage.ports.meta);
const { http } = await createApp({ node, authenticator, clock: systemClock, config });
const url = await http.listen({ host: '127.0.0.1', port: 0 });

async function search({ collection, partitions, vectors, limit, select }: AskedInside): Promise<AnsweredInside> {
  const ms: number[] = [];
  const keys: unknown[][] = [];
  for (const numbers of vectors) {
    const vector = Float32Array.from(numbers);
    const start = performance.now();
    const { hits } = await node.search({ database: 'default', collection, partitions, vector, limit, select, consistency: 'eventually' });
    ms.push(performance.now() - start);
    keys.push(hits.map(({ key }) => key));
  }
  return { ms, keys };
}

/** Of the segments, index files and tombstones that the newest manifests name. */
async function namedBytes(): Promise<number> {
  const { objects } = storage.ports;
  let sum = 0;
  for (const { channel } of node.inspect().channels) {
    const names = (await objects.list(`${channel}/`)).map(({ name }) => name).filter((name) => name.startsWith(`${channel}/manifest-`));
    const manifests = await Promise.all(names.map((name) => loadManifest(objects, name)));
    const newest = manifests.sort((a, b) => b.version - a.version)[0];
    if (newest === undefined) continue;
    for (const { bytes, indexes } of newest.segments) sum += bytes + indexes.reduce((total, index) => total + index.bytes, 0);
    if (newest.tombstones.type === 'object') sum += newest.tombstones.bytes;
  }
  return sum;
}

process.on('message', (message) => {
  if (message === 'bytes') {
    void namedBytes().then((bytes) => process.send?.(bytes));
    return;
  }
  // A compaction resolves when segments have their indexes.
  if (message === 'seal')
    void node
      .flush('default')
      .then(() => node.compact('default'))
      .then(() => process.send?.('sealed'));
  else void search(message as AskedInside).then((answer) => process.send?.(answer));
});
process.on('SIGTERM', () => {
  void http
    .close()
    .then(() => node.close())
    .then(() => storage.close())
    .then(() => process.exit(0));
});
console.log(`ready ${url}`);
