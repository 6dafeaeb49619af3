import type { Locks } from '@terndb/core';
import { expose } from 'comlink';
import { browserClock } from '../../adapters/clock.ts';
import { loadBrowserKernel } from '../../adapters/kernel.ts';
import { browserNetwork } from '../../adapters/network.ts';
import { createBrowserRng } from '../../adapters/rng.ts';
import { loadReplication } from '../../load-replication.ts';
import type { Network } from '../../sync/network.ts';
import { installErrorTransfer } from '../error-transfer.ts';
import { WorkerHost } from '../host.ts';

/**
 * The engine worker's host in this thread, behind a message port. In Node there is no IndexedDB, so it works in memory. `network`: the platform's,
 * or a test's. `locks`: those of the platform make it one tab among others; without them it is alone.
 */
export function startWorkerInNode(network: Network = browserNetwork, locks: Locks | undefined = undefined): Worker {
  installErrorTransfer();
  const rng = createBrowserRng();
  const { port1, port2 } = new MessageChannel();
  const host = new WorkerHost({
    clock: browserClock,
    rng,
    locks,
    tab: `${rng.nextUint32()}-${rng.nextUint32()}`,
    network,
    loadKernel: loadBrowserKernel,
    loadReplication,
  });
  expose(host, port2);
  const terminate = (): void => {
    port1.close();
    port2.close();
  };
  return Object.assign(port1, { terminate, onerror: null }) as unknown as Worker;
}
