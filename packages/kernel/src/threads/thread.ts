import { Worker } from 'node:worker_threads';
import { KernelError } from '../errors.ts';
import type { Region } from '../memory/arena.ts';
import type { ScanHits } from '../types.ts';
import type { FromThread, SentSearch, ThreadData, ToThread } from './protocol.ts';
import type { Shared } from './shared.ts';

/** A caller's search on its way. Settled once. */
export interface Job {
  resolve(hits: ScanHits): void;
  reject(error: KernelError): void;
}

export interface ThreadEvents {
  /** It can take more. */
  onIdle(): void;
  /** It ended, by itself or by `end`; nothing runs in it any more. `wasReady`: it had begun well. */
  onGone(thread: SearchThread, wasReady: boolean): void;
}

/** One thread of a pool, seen from the owner of the memory. */
export class SearchThread {
  readonly ready: Promise<void>;
  own: Region;
  /** Versions of what it was told about, by number. */
  readonly known: Map<number, string> = new Map();
  private readonly worker: Worker;
  private readonly events: ThreadEvents;
  /** Batches without an answer, oldest first. */
  private readonly running: Job[][] = [];
  private isReady = false;
  private lost: KernelError | undefined;
  private begun: { resolve(): void; reject(error: KernelError): void } | undefined;

  constructor(script: URL, data: ThreadData, events: ThreadEvents) {
    this.own = data.own;
    this.events = events;
    this.ready = new Promise((resolve, reject) => {
      this.begun = { resolve, reject };
    });
    this.ready.catch(() => {}); // told through `onGone`, too
    this.worker = new Worker(script, { workerData: data });
    this.worker.on('message', (message: FromThread) => this.take(message));
    this.worker.on('messageerror', (cause) => this.fail(cause));
    this.worker.on('error', (cause) => this.fail(cause));
    this.worker.on('exit', (code) => this.exited(code));
  }

  get batches(): number {
    return this.running.length;
  }

  /** It takes no more. */
  get isLost(): boolean {
    return this.lost !== undefined;
  }

  /** Everything told before is void: nothing may be running. */
  move(own: Region): void {
    this.own = own;
    this.known.clear();
    this.tell({ type: 'move', own });
  }

  attach(target: number, shared: Shared, version: string): void {
    if (this.known.get(target) === version) return;
    this.known.set(target, version);
    this.tell({ type: 'attach', target, shared });
  }

  detach(target: number): void {
    if (this.known.delete(target)) this.tell({ type: 'detach', target });
  }

  /** Throws when a message cannot carry them; nothing is running then. */
  search(searches: readonly SentSearch[], jobs: Job[]): void {
    this.tell({ type: 'search', searches });
    this.running.push(jobs);
    this.worker.ref();
  }

  async end(reason: KernelError): Promise<void> {
    this.lose(reason);
    await this.worker.terminate();
  }

  private take(message: FromThread): void {
    if (message.type === 'ready') {
      this.isReady = true;
      this.worker.unref();
      this.begun?.resolve();
    } else this.settle(message.answers);
    this.events.onIdle();
  }

  private settle(answers: Extract<FromThread, { type: 'answers' }>['answers']): void {
    const jobs = this.running.shift() ?? [];
    if (this.running.length === 0) this.worker.unref();
    jobs.forEach((job, at) => {
      const answer = answers[at]!;
      if ('hits' in answer) job.resolve(answer.hits);
      else job.reject(new KernelError(answer.error.code, answer.error.message, { details: answer.error.details }));
    });
  }

  private fail(cause: unknown): void {
    this.lose(new KernelError('WORKER_LOST', `search pool: a thread ended: ${String(cause)}`, { cause }));
    void this.worker.terminate();
  }

  /** Only now does it surely not touch its memory any more. */
  private exited(code: number): void {
    this.lose(new KernelError('WORKER_LOST', `search pool: a thread ended with exit code ${code}`, { details: { code } }));
    this.events.onGone(this, this.isReady);
  }

  private lose(reason: KernelError): void {
    if (this.lost) return;
    this.lost = reason;
    this.begun?.reject(reason);
    for (const job of this.running.splice(0).flat()) job.reject(reason);
  }

  private tell(message: ToThread): void {
    if (!this.lost) this.worker.postMessage(message);
  }
}
