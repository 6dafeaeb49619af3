/**
 * `terndb serve` with an ear: the same node behind the same doors, which can also be asked from inside by its parent's messages. Settings as of
 * `terndb serve`, by environment variables.
 */
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
const authenticator = await openAuthenticator(config, systemClock);
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

process.on('message', (message) => {
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
