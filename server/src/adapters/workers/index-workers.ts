import { availableParallelism } from 'node:os';
import { type Clock, DbError, type ObjectStore } from '@terndb/core';
import type { IndexBuilder, IndexFile, IndexJob } from '@terndb/engine/parts';
import { systemClock } from '../s3/system.ts';
import { WorkerThread } from './worker-thread.ts';

/** A node asks for two at most: the index that a seal waits for, and one in the background. More would only hold memory. */
const MAX_WORKERS = 2;
/** A thread that has had nothing to do for so long ends: it holds some 20 MiB, and the next one starts within a second. */
const IDLE_MS = 30_000;
/** A thread that dies may have been unlucky; a job that kills two is refused. */
const TRIES = 2;

export interface IndexWorkersOptions {
  readonly objects: ObjectStore;
  /** Threads at most. Default: one less than the machine has processors, 1 to 2. */
  readonly workers?: number;
  readonly clock?: Clock;
  /** For tests: what a thread runs. */
  readonly script?: URL;
}

/** Builds index files on threads of their own, so that neither reads nor writes wait for a graph. Threads are started when they are needed. */
export class IndexWorkers implements IndexBuilder {
  readonly #options: Required<IndexWorkersOptions>;
  readonly #idle: { readonly thread: WorkerThread; readonly cancelEnd: () => void }[] = [];
  readonly #busy = new Set<WorkerThread>();
  /** Jobs that wait for a thread. As many as there are callers: each has one. */
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(options: IndexWorkersOptions) {
    const workers = Math.max(1, Math.min(MAX_WORKERS, availableParallelism() - 1));
    this.#options = { workers, clock: systemClock, script: scriptUrl(), ...options };
  }

  /** Threads that run now. */
  get threads(): number {
    return this.#idle.length + this.#busy.size;
  }

  /** A job whose thread died is tried once more. @throws STORAGE_UNAVAILABLE when that one died, too, ABORTED after `close`. */
  async build(job: IndexJob, context: Parameters<IndexBuilder['build']>[1]): Promise<IndexFile> {
    for (let tried = 1; ; tried++) {
      const thread = await this.#take();
      try {
        return await thread.run(job, context);
      } catch (error) {
        if (this.#isClosed) throw closed();
        if (!(error instanceof DbError) || error.code !== 'WORKER_LOST') throw error;
        if (tried < TRIES) continue;
        const details = { object: job.object, field: job.field, type: job.type };
        throw new DbError('STORAGE_UNAVAILABLE', `index of ${job.object}.${job.field}: ${error.message}, ${TRIES} times`, {
          details,
          cause: error,
        });
      } finally {
        this.#release(thread);
      }
    }
  }

  /** Ends all threads; what they were at is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    const idle = this.#idle.splice(0);
    for (const { cancelEnd } of idle) cancelEnd();
    await Promise.all([...idle.map(({ thread }) => thread), ...this.#busy].map((thread) => thread.end()));
  }

  async #take(): Promise<WorkerThread> {
    const { objects, workers, script } = this.#options;
    while (this.#busy.size >= workers && !this.#isClosed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#isClosed) throw closed();
    const kept = this.#idle.pop();
    kept?.cancelEnd();
    const thread = kept === undefined || kept.thread.isDead ? new WorkerThread(objects, script) : kept.thread;
    this.#busy.add(thread);
    return thread;
  }

  #release(thread: WorkerThread): void {
    this.#busy.delete(thread);
    if (!thread.isDead && !this.#isClosed) {
      const cancelEnd = this.#options.clock.after(IDLE_MS, () => {
        const at = this.#idle.findIndex((idle) => idle.thread === thread);
        if (at >= 0) this.#idle.splice(at, 1);
        void thread.end();
      });
      this.#idle.push({ thread, cancelEnd });
    }
    this.#waiting.shift()?.();
  }
}

/** The same name beside this file, whether it is a source or was built. */
function scriptUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './index-worker.ts' : './index-worker.js', import.meta.url);
}

function closed(): DbError {
  return new DbError('ABORTED', 'index workers: open ones expected, they were closed');
}
