/**
 * The one place that names the worker's file. Bundlers look for this very expression, so it stays literal; the package's build writes
 * `./worker.js` in its place, where the built worker lies.
 */
export function createWorker(): Worker {
  return new Worker(new URL('./engine-worker.ts', import.meta.url), { type: 'module' });
}
