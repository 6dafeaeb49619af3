/** The engine worker's entry: `dist/worker.js`. */
import { expose } from 'comlink';
import { browserClock } from './adapters/clock.ts';
import { loadBrowserKernel } from './adapters/kernel.ts';
import { browserLocks } from './adapters/locks.ts';
import { createBrowserRng } from './adapters/rng.ts';
import { installErrorTransfer } from './worker/error-transfer.ts';
import { WorkerHost } from './worker/host.ts';

installErrorTransfer();
const rng = createBrowserRng();
expose(
  new WorkerHost({
    clock: browserClock,
    rng,
    locks: browserLocks(),
    tab: `${rng.nextUint32().toString(36)}${rng.nextUint32().toString(36)}${rng.nextUint32().toString(36)}`,
    loadKernel: loadBrowserKernel,
  }),
);
