import { availableParallelism } from 'node:os';
import type { BlockHome } from '../block/home.ts';
import { KernelError } from '../errors.ts';
import type { HnswSearchOptions } from '../index/types.ts';
import { homeOf, mustBeWithin } from '../kernel.ts';
import type { ListIndex, ListSearchOptions } from '../lists/types.ts';
import { loadModule, type WasmSource } from '../load.ts';
import type { Region } from '../memory/arena.ts';
import type { BinaryBlock, BinaryScanOptions, Kernel, ScanHits, ScanOptions, VectorBlock } from '../types.ts';
import type { WasmMemory, WasmModule } from '../wasm/platform.ts';
import type { SentOptions, SentSearch } from './protocol.ts';
import { extentOf, type Held, isHeld, mustHold, type Searched, type Shared, share, versionOf } from './shared.ts';
import { createSharedKernel } from './shared-memory.ts';
import { type Job, SearchThread } from './thread.ts';
import { Tickets } from './tickets.ts';

const MAX_THREADS = 64;
/** One runs, one waits in its mailbox, so that a thread need not wait for this one. */
const MAX_BATCHES = 2;
/** Searches of one message: telling costs as much as a quick search. More would only make the first of them wait. */
const MAX_BATCH = 16;
/** A thread's own memory: pool and frontier of a walk (0.7 MB), hits, probed lists and candidates of the largest searches, and then some. */
const THREAD_BYTES = 4 * 2 ** 20;
/** Of them, for what grows with rows and dimensions. */
const SPARE_BYTES = 2 ** 20;
/** Beside them: visited marks, a bitmap and the rows that a change of room copies; queries, their codes and planes. */
const BYTES_PER_ROW = 3;
const BYTES_PER_DIM = 256;

export interface SearchPoolOptions {
  /** Default: as many as the machine has processors; at most 64. */
  readonly threads?: number;
  /** The shared memory never grows beyond this (default 3.5 GiB, at most 4 GiB). Address space is taken at once, pages when they are written. */
  readonly maxBytes?: number;
  /** The build for threads: address, bytes or compiled module. Default: `kernel.threads.wasm` of this package. */
  readonly wasm?: WasmSource;
  /** @internal For tests: what a thread runs. */
  readonly script?: URL;
}

type OptionsOf<Target extends Searched> = Target extends VectorBlock
  ? ScanOptions
  : Target extends BinaryBlock
    ? BinaryScanOptions
    : Target extends ListIndex
      ? ListSearchOptions
      : HnswSearchOptions;

/** The part of an `AbortSignal` that is needed. */
interface GivenUp {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Threads that search blocks and indexes of one kernel, whose memory they share. */
export interface SearchPool {
  /** Make blocks, graphs and lists in it as in any kernel; their bytes are the same. It also searches by itself, on this thread. */
  readonly kernel: Kernel;
  /** Threads that are there now. A lost one is replaced when there is work. */
  readonly threads: number;
  /** Searches that were asked for and have no answer yet. */
  readonly waiting: number;
  /** Whether it can be searched here: made in `kernel`, not freed. */
  holds(target: unknown): target is Searched;
  /**
   * What `target.search(options)` (of a block: `scan`) gives, found by some thread. Options are copied, but for a bitmap over a `SharedArrayBuffer`. Until
   * it is answered, target and block must not be changed (OPTION_INVALID) and are not freed (`free` takes effect afterwards).
   * @throws what the call itself throws; OPTION_INVALID for what is not of this pool's kernel; WORKER_LOST when the thread died: ask again;
   * ABORTED once the pool is closed, or when `signal` is aborted before a thread has begun. Cost: two messages between threads (some 20 µs) beside the search; many at once share them.
   */
  search<Target extends Searched>(target: Target, options: OptionsOf<Target>, signal?: GivenUp): Promise<ScanHits>;
  /** Ends all threads; what was not answered is ABORTED. The kernel stays usable. */
  close(): Promise<void>;
}

/** Starts the threads. Throws INTERNAL, MEMORY_LIMIT, OPTION_INVALID, WORKER_LOST. */
export async function createSearchPool(options: SearchPoolOptions = {}): Promise<SearchPool> {
  const threads = mustBeWithin('threads', options.threads ?? Math.min(MAX_THREADS, availableParallelism()), 1, MAX_THREADS);
  const module = await loadModule(options.wasm ?? new URL('../../dist/kernel.threads.wasm', import.meta.url));
  const pool = new WorkerPool(module, { threads, maxBytes: options.maxBytes, script: options.script ?? scriptUrl() });
  try {
    await pool.start();
    return pool;
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** The same name beside this file, whether it is a source or was built. */
function scriptUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './search-thread.ts' : './search-thread.js', import.meta.url);
}

interface PoolJob extends Job {
  /** Target, then block: as they were when the search was asked for, and are until its end. */
  readonly reads: readonly { readonly number: number; readonly shared: Shared }[];
  readonly options: SentOptions;
  /** Bytes that its thread must have of its own. */
  readonly needs: number;
  /** Once it was sent. */
  ticket?: number;
}

class WorkerPool implements SearchPool {
  readonly kernel: Kernel;
  private readonly home: BlockHome;
  private readonly module: WasmModule;
  private readonly memory: WasmMemory;
  private readonly script: URL;
  private readonly wanted: number;
  private readonly all = new Set<SearchThread>();
  private readonly queue: PoolJob[] = [];
  private readonly numbers = new WeakMap<object, number>();
  private readonly tickets = new Tickets();
  private lastNumber = 0;
  private unanswered = 0;
  private isDispatching = false;
  private isClosed = false;

  constructor(module: WasmModule, options: { threads: number; maxBytes: number | undefined; script: URL }) {
    this.module = module;
    this.wanted = options.threads;
    this.script = options.script;
    ({ kernel: this.kernel, memory: this.memory } = createSharedKernel(module, options.maxBytes));
    this.home = homeOf(this.kernel);
    this.home.pins.onFreed = (owner) => this.forget(owner);
  }

  get threads(): number {
    return this.all.size;
  }

  get waiting(): number {
    return this.unanswered;
  }

  async start(): Promise<void> {
    this.addThreads();
    if (this.all.size === 0) throw new KernelError('MEMORY_LIMIT', `search pool: ${THREAD_BYTES} bytes for a thread do not fit`);
    await Promise.all([...this.all].map(({ ready }) => ready));
  }

  holds(target: unknown): target is Searched {
    return isHeld(this.home, target);
  }

  async search<Target extends Searched>(target: Target, options: OptionsOf<Target>, signal?: GivenUp): Promise<ScanHits> {
    if (this.isClosed) throw closed();
    if (signal?.aborted === true) throw givenUp();
    const held = mustHold(this.home, target);
    const { block: given, ...rest } = options as HnswSearchOptions;
    const block = given && mustHold(this.home, given);
    const pinned = block ? [held, block] : [held];
    for (const owner of pinned) this.home.pins.pin(owner);
    this.unanswered++;
    try {
      const reads = pinned.map((owner) => ({ number: this.numberOf(owner), shared: share(owner) }));
      const sent = { ...rest, ...ownArrays(rest), ...(block && { block: reads[1]!.number }) };
      return await this.answered({ reads, options: sent, needs: bytesFor(reads) }, signal);
    } finally {
      this.unanswered--;
      for (const owner of pinned) this.home.pins.unpin(owner);
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.refuse(closed());
    await Promise.all([...this.all].map((thread) => thread.end(closed())));
  }

  private answered(asked: Pick<PoolJob, 'reads' | 'options' | 'needs'>, signal: GivenUp | undefined): Promise<ScanHits> {
    return new Promise<ScanHits>((resolve, reject) => {
      const done = (): void => {
        signal?.removeEventListener('abort', withdraw);
        this.tickets.giveBack(job.ticket);
      };
      const job: PoolJob = {
        ...asked,
        resolve: (hits) => {
          done();
          resolve(hits);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      const withdraw = (): void => this.withdraw(job);
      signal?.addEventListener('abort', withdraw);
      this.queue.push(job);
      this.dispatchSoon();
    });
  }

  /** One that waits here is answered at once; one that waits for its thread when its turn comes; one that runs goes on. */
  private withdraw(job: PoolJob): void {
    const at = this.queue.indexOf(job);
    if (at < 0) this.tickets.withdraw(job.ticket);
    else {
      this.queue.splice(at, 1);
      job.reject(givenUp());
    }
  }

  /** What is asked for in one turn goes out together. */
  private dispatchSoon(): void {
    if (this.isDispatching) return;
    this.isDispatching = true;
    queueMicrotask(() => {
      this.isDispatching = false;
      this.dispatch();
    });
  }

  private dispatch(): void {
    while (this.queue.length > 0 && !this.isClosed) {
      const thread = this.freeThread(this.queue[0]!.needs);
      if (!thread) {
        this.addThreads();
        return;
      }
      if (!this.makeRoom(thread, this.queue[0]!)) continue;
      const most = Math.min(MAX_BATCH, Math.ceil(this.queue.length / this.all.size));
      let count = 1;
      while (count < most && this.queue[count]!.needs <= thread.own.bytes) count++;
      const batch = this.queue.splice(0, count);
      this.send(thread, batch);
    }
  }

  /** Options that no message can carry (functions, proxies) refuse their search and no other. */
  private send(thread: SearchThread, batch: PoolJob[]): void {
    try {
      const searches = batch.map((job) => this.prepare(thread, job));
      thread.search(searches, batch);
    } catch (cause) {
      if (batch.length > 1) for (const job of batch) this.send(thread, [job]);
      else
        batch[0]!.reject(new KernelError('OPTION_INVALID', `search pool: options cannot be sent to a thread: ${String(cause)}`, { cause }));
    }
  }

  /** The one with least to do; only one that does nothing can get more memory. */
  private freeThread(needs: number): SearchThread | undefined {
    let best: SearchThread | undefined;
    for (const thread of this.all) {
      if (thread.isLost || thread.batches >= MAX_BATCHES || (thread.batches > 0 && thread.own.bytes < needs)) continue;
      if (!best || thread.batches < best.batches) best = thread;
    }
    return best;
  }

  /** False: the job is refused, for want of memory. */
  private makeRoom(thread: SearchThread, job: PoolJob): boolean {
    if (thread.own.bytes >= job.needs) return true;
    try {
      const own = this.home.arena.allocate(job.needs);
      this.home.arena.release(thread.own);
      thread.move(own);
      return true;
    } catch (error) {
      this.queue.shift();
      job.reject(error as KernelError);
      return false;
    }
  }

  private prepare(thread: SearchThread, job: PoolJob): SentSearch {
    const { reads, options } = job;
    for (const { number, shared } of reads) thread.attach(number, shared, versionOf(shared));
    job.ticket ??= this.tickets.take();
    return { target: reads[0]!.number, options, ticket: job.ticket };
  }

  /** Those that are missing, as far as there is memory. With none at all the queue is refused. */
  private addThreads(): void {
    const { module, memory } = this;
    while (this.all.size < this.wanted && !this.isClosed) {
      let own: Region;
      try {
        own = this.home.arena.allocate(THREAD_BYTES);
      } catch (error) {
        if (this.all.size === 0) this.refuse(error as KernelError);
        return;
      }
      const events = {
        onIdle: () => this.dispatch(),
        onGone: (gone: SearchThread, wasReady: boolean) => this.lost(gone, wasReady),
      };
      this.all.add(new SearchThread(this.script, { module, memory, own, withdrawn: this.tickets.withdrawn }, events));
    }
  }

  /** A thread that never began will not begin the next time either: what waits for it is not left waiting. */
  private lost(thread: SearchThread, wasReady: boolean): void {
    this.all.delete(thread);
    this.home.arena.release(thread.own);
    if (!wasReady && this.all.size === 0) this.refuse(new KernelError('WORKER_LOST', 'search pool: no thread can be started'));
    this.dispatch();
  }

  private refuse(error: KernelError): void {
    for (const job of this.queue.splice(0)) job.reject(error);
  }

  private numberOf(held: Held): number {
    const number = this.numbers.get(held) ?? ++this.lastNumber;
    this.numbers.set(held, number);
    return number;
  }

  private forget(owner: object): void {
    const number = this.numbers.get(owner);
    if (number !== undefined) for (const thread of this.all) thread.detach(number);
  }
}

/** A message carries the whole buffer of an array, however little of it the array is: parts are copied, what is shared is not. */
function ownArrays({ query, bitmap }: Pick<HnswSearchOptions, 'query' | 'bitmap'>): Pick<HnswSearchOptions, 'query' | 'bitmap'> {
  return { query: own(query), ...(bitmap && { bitmap: own(bitmap) }) };
}

function own<View extends Float32Array | Uint32Array>(view: View): View {
  const { buffer, byteLength } = view;
  return buffer instanceof SharedArrayBuffer || buffer.byteLength === byteLength ? view : (view.slice() as View);
}

function bytesFor(reads: PoolJob['reads']): number {
  const extents = reads.map(({ shared }) => extentOf(shared));
  const most = (of: 'rows' | 'dim'): number => Math.max(...extents.map((extent) => extent[of]));
  const extra = most('rows') * BYTES_PER_ROW + most('dim') * BYTES_PER_DIM;
  return THREAD_BYTES + Math.ceil(Math.max(0, extra - SPARE_BYTES) / THREAD_BYTES) * THREAD_BYTES;
}

function givenUp(): KernelError {
  return new KernelError('ABORTED', 'search pool: its caller has given it up');
}

function closed(): KernelError {
  return new KernelError('ABORTED', 'search pool: an open one expected, it was closed');
}
