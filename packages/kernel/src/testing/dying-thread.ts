/** A search thread that dies of a search for `DEADLY_K` rows, whatever else is asked with it. */
import { parentPort } from 'node:worker_threads';
import type { ToThread } from '../threads/protocol.ts';

const DEADLY_K = 4_444;

parentPort!.on('message', (message: ToThread) => {
  if (message.type === 'search' && message.searches.some(({ options }) => options.k === DEADLY_K)) process.exit(7);
});
await import('../threads/search-thread.ts');
