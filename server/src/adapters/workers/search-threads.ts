import { availableParallelism } from 'node:os';
import type { AbortSignalLike } from '@terndb/core';
import { type JobExecutor, runJob, type VectorJob } from '@terndb/engine/parts';
import { type Kernel, KernelError, type ScanHits } from '@terndb/kernel';
import { createSearchPool, type SearchPool } from '@terndb/kernel/node';

/** More would wait for memory, not for processors. */
const MAX_DEFAULT_THREADS = 8;
/**
 * From here on a search goes to a thread: some 0.15 ms, 10,400 rows of 384 dimensions scanned or a walk with `ef` 220. Two messages cost 25 µs and a switch
 * of threads: handing over walks with `ef` 128 took a tenth to a quarter of the throughput (docs/benchmarks/server.md).
 */
const MIN_PRODUCTS = 4_000_000;
/** What may be wrong with a thread and not with the search. */
const OF_THREADS: ReadonlySet<string> = new Set(['WORKER_LOST', 'MEMORY_LIMIT']);

/** For tests. */
export interface SearchThreadsOptions {
  readonly minProducts?: number;
  /** What a thread runs. */
  readonly script?: URL;
}

/** By default: one per processor beside that of this thread, which has enough to do with requests (measured with two: docs/benchmarks/server.md). */
export function defaultSearchThreads(): number {
  return Math.min(MAX_DEFAULT_THREADS, availableParallelism() - 1);
}

/** Does larger searches of sealed rows on threads that share the kernel's memory, others at once. */
export class SearchThreads implements JobExecutor {
  readonly #pool: SearchPool;
  readonly #minProducts: number;
  #sent = 0;

  private constructor(pool: SearchPool, minProducts: number) {
    this.#pool = pool;
    this.#minProducts = minProducts;
  }

  /** @throws MEMORY_LIMIT when there is no address space for a shared memory, WORKER_LOST when no thread can be started. */
  static async open(threads: number, { minProducts = MIN_PRODUCTS, script }: SearchThreadsOptions = {}): Promise<SearchThreads> {
    return new SearchThreads(await createSearchPool({ threads, ...(script && { script }) }), minProducts);
  }

  /** Searches that were handed to threads. */
  get sent(): number {
    return this.#sent;
  }

  /** Those that run now: a lost one is replaced when there is work for it. */
  get threads(): number {
    return this.#pool.threads;
  }

  /** Everything that is to be searched is made in it. */
  get kernel(): Kernel {
    return this.#pool.kernel;
  }

  run(jobs: readonly VectorJob[], signal?: AbortSignalLike): readonly ScanHits[] | Promise<readonly ScanHits[]> {
    if (!jobs.some((job) => this.#isWorth(job))) return jobs.map(runJob);
    // Threads begin while this one does its own.
    const sent = jobs.map((job) => (this.#isWorth(job) ? this.#send(job, signal) : job));
    return allOf(sent.map((job) => (job instanceof Promise ? job : attempt(() => runJob(job)))));
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  #isWorth({ isSealed, products, target }: VectorJob): boolean {
    return isSealed && products >= this.#minProducts && this.#pool.holds(target);
  }

  /** A search whose thread died, or has no room, is done here. */
  async #send(job: VectorJob, signal: AbortSignalLike | undefined): Promise<ScanHits> {
    this.#sent++;
    try {
      return await this.#pool.search(job.target, job.options, signal);
    } catch (error) {
      if (error instanceof KernelError && OF_THREADS.has(error.code)) return runJob(job);
      throw error;
    }
  }
}

/** The first failure, when all have ended: until then they read what is pinned for them. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

async function attempt<T>(work: () => T): Promise<T> {
  return work();
}
