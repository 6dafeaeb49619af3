import type { Batch, ImportAnswer, ImportRequest } from './protocol.ts';

/** The batches of a file, parsed in a worker of its own, which ends with the iteration. The worker reads on only when asked. */
export async function* parseInWorker(file: File): AsyncGenerator<Batch, void, undefined> {
  const worker = new Worker(new URL('./import-worker.ts', import.meta.url), { type: 'module' });
  try {
    let answer = await ask(worker, { type: 'start', file });
    while (answer.type === 'batch') {
      yield answer.batch;
      answer = await ask(worker, { type: 'next' });
    }
    if (answer.type === 'failed') throw new Error(`${file.name}: ${answer.message}`);
  } finally {
    worker.terminate();
  }
}

function ask(worker: Worker, request: ImportRequest): Promise<ImportAnswer> {
  return new Promise((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<ImportAnswer>) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message || 'the import worker could not start'));
    worker.postMessage(request);
  });
}
