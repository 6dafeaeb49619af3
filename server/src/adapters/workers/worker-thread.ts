import { Worker } from 'node:worker_threads';
import { DbError, type ObjectStore } from '@terndb/core';
import type { IndexBuilder, IndexFile, IndexJob } from '@terndb/engine/parts';
import { type FromWorker, ownBuffer, type ToWorker } from './protocol.ts';

type BuildContext = Parameters<IndexBuilder['build']>[1];

/** The terms of a text index are the only thing of a build that lies in the JavaScript heap and grows with its segment. */
const MAX_HEAP_MB = 1_024;

interface Running {
  readonly context: BuildContext;
  readonly resolve: (file: IndexFile) => void;
  readonly reject: (error: unknown) => void;
  /** `pause` is being awaited. */
  isPausing: boolean;
}

/** One index worker, seen from the server's thread. Does one job at a time. */
export class WorkerThread {
  readonly #objects: ObjectStore;
  readonly #worker: Worker;
  #running: Running | undefined;
  #isDead = false;

  constructor(objects: ObjectStore, script: URL) {
    this.#objects = objects;
    // From sources, packages are sources, too.
    const execArgv = script.pathname.endsWith('.ts') ? ['--conditions=@terndb/source'] : [];
    this.#worker = new Worker(script, { execArgv, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    this.#worker.on('message', (message: FromWorker) => this.#take(message));
    this.#worker.on('messageerror', (cause) => this.#died(cause));
    this.#worker.on('error', (cause) => this.#died(cause));
    this.#worker.on('exit', (code) => this.#died(new Error(`exit code ${code}`)));
    this.#worker.unref();
  }

  /** Ended, by itself or by `end`: it takes no more jobs. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** WORKER_LOST when the thread dies before it has answered. What `pause` throws ends job and thread. */
  run(job: IndexJob, context: BuildContext): Promise<IndexFile> {
    return new Promise((resolve, reject) => {
      this.#running = { context, resolve, reject, isPausing: false };
      this.#worker.ref();
      this.#tell({ type: 'build', job });
    });
  }

  async end(): Promise<void> {
    this.#isDead = true;
    await this.#worker.terminate();
  }

  #take(message: FromWorker): void {
    switch (message.type) {
      case 'progress':
        void this.#progress(message.done);
        return;
      case 'head':
        void this.#answer(message.request, async () => {
          const info = await this.#objects.head(message.name);
          this.#tell({ type: 'size', request: message.request, bytes: info?.bytes });
        });
        return;
      case 'read':
        void this.#progress(0);
        void this.#answer(message.request, async () => {
          const found = await this.#objects.read(message.name, message.offset, message.length);
          const bytes = found && ownBuffer(found);
          this.#tell({ type: 'bytes', request: message.request, bytes }, bytes === undefined ? [] : [bytes.buffer]);
        });
        return;
      case 'built':
        this.#settle(({ resolve }) => resolve(message.file));
        return;
      case 'failed':
        this.#settle(({ reject }) => reject(DbError.fromMessage(message.error)));
    }
  }

  /** A build that is not wanted any more ends with its thread: that is what stops it at once, and gives its memory back. */
  async #progress(done: number): Promise<void> {
    const running = this.#running;
    if (running === undefined || running.isPausing) return;
    running.isPausing = true;
    running.context.onProgress(done);
    try {
      await running.context.pause();
      running.isPausing = false;
    } catch (error) {
      if (this.#running === running) this.#settle(({ reject }) => reject(error));
      await this.end();
    }
  }

  async #answer(request: number, read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      this.#tell({ type: 'refused', request, error: DbError.from(error).toJSON() });
    }
  }

  #tell(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    if (!this.#isDead) this.#worker.postMessage(message, transfer);
  }

  #died(cause: unknown): void {
    this.#isDead = true;
    this.#settle(({ reject }) =>
      reject(new DbError('WORKER_LOST', `index worker: an answer expected, it ended: ${String(cause)}`, { cause })),
    );
  }

  #settle(settle: (running: Running) => void): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    this.#worker.unref();
    settle(running);
  }
}
