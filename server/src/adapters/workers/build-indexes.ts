/** A thread that builds index files: reads the segment through the server's thread, builds in a kernel of its own, hands the file over. */
import { parentPort } from 'node:worker_threads';
import { DbError, type ObjectStore } from '@terndb/core';
import { fromKernel, type IndexJob, runIndexJob } from '@terndb/engine/parts';
import { createKernel, loadModule } from '@terndb/kernel';
import { type FromWorker, ownBuffer, type ToWorker } from './protocol.ts';

/** Progress is told this often, and is when a build that nobody wants any more is noticed. */
const PROGRESS_MS = 20;

const port = parentPort!;
const waiting = new Map<number, { readonly resolve: (value: never) => void; readonly reject: (error: DbError) => void }>();
let requests = 0;
/** Compiled once. A kernel is made per job: its memory never shrinks. */
const module = loadModule();

function ask<T>(message: { type: 'head'; name: string } | { type: 'read'; name: string; offset: number; length: number }): Promise<T> {
  requests += 1;
  const request = requests;
  return new Promise<T>((resolve, reject) => {
    waiting.set(request, { resolve: resolve as (value: never) => void, reject });
    tell({ ...message, request });
  });
}

function tell(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

const refuse = (): never => {
  throw new DbError('INTERNAL', 'index worker: it only reads objects');
};
const objects: ObjectStore = {
  put: refuse,
  list: refuse,
  delete: refuse,
  head: async (name) => {
    const bytes = await ask<number | undefined>({ type: 'head', name });
    return bytes === undefined ? undefined : { name, bytes };
  },
  read: (name, offset, length) => ask({ type: 'read', name, offset, length }),
};

async function build(job: IndexJob): Promise<void> {
  let toldMs = performance.now();
  let done = 0;
  try {
    const file = await runIndexJob(job, {
      objects,
      kernel: createKernel(await module),
      onProgress: (now) => {
        done = now;
      },
      pause: () => {
        if (performance.now() - toldMs >= PROGRESS_MS) {
          toldMs = performance.now();
          tell({ type: 'progress', done });
        }
        return Promise.resolve();
      },
    });
    const parts = file.parts.map(ownBuffer);
    tell(
      { type: 'built', file: { ...file, parts } },
      parts.map(({ buffer }) => buffer),
    );
  } catch (error) {
    tell({ type: 'failed', error: fromKernel(error).toJSON() });
  }
}

function answer({ request, ...message }: Exclude<ToWorker, { type: 'build' }>): void {
  const asked = waiting.get(request);
  waiting.delete(request);
  if (message.type === 'refused') asked?.reject(DbError.fromMessage(message.error));
  else asked?.resolve(message.bytes as never);
}

port.on('message', (message: ToWorker) => {
  if (message.type === 'build') void build(message.job);
  else answer(message);
});
