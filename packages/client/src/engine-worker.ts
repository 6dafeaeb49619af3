/** The engine worker's entry: `dist/worker.js`. */
import { DbError } from '@terndb/core';
import { expose } from 'comlink';
import { browserClock } from './adapters/clock.ts';
import { loadBrowserKernel } from './adapters/kernel.ts';
import { browserLocks } from './adapters/locks.ts';
import { browserNetwork } from './adapters/network.ts';
import { createBrowserRng } from './adapters/rng.ts';
import { listenForEmbedder } from './embedding/listen.ts';
import { loadReplication } from './load-replication.ts';
import { installErrorTransfer } from './worker/error-transfer.ts';
import { WorkerHost } from './worker/host.ts';

installErrorTransfer();
const rng = createBrowserRng();
const host = new WorkerHost({
  clock: browserClock,
  rng,
  locks: browserLocks(),
  tab: `${rng.nextUint32().toString(36)}${rng.nextUint32().toString(36)}${rng.nextUint32().toString(36)}`,
  network: browserNetwork,
  loadKernel: loadBrowserKernel,
  loadHnswlib: async () => (await import('./hnswlib/hnswlib-library.ts')).loadHnswlib(DbError),
  loadReplication,
  embedder: listenForEmbedder(globalThis as unknown as Worker),
});
expose(host);
addEventListener('online', () => host.wake());
