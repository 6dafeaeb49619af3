import { DbError } from '@terndb/core';
import { proxy, type Remote, wrap } from 'comlink';
import { installErrorTransfer } from './error-transfer.ts';
import { type CallLimits, withLimits } from './limits.ts';
import type { Calls, Method, Started, StartOptions, WatchRequest, WatchSink, WorkerApi, WorkerEvent } from './protocol.ts';

/** Between a worker's last message and the release of its lock both are on their way, by different routes. */
const LAST_WORDS_MS = 250;

export interface ConnectionEvents {
  onLeader(leader: boolean): void;
  /** The worker died or the database was closed from outside: every pending call has failed with this error. */
  onEnd(error: DbError): void;
}

/**
 * The page's side of the border to its engine worker: comlink, plus what it lacks: errors keep their codes, every pending call ends when the
 * worker dies (WORKER_LOST), and a caller may stop waiting (TIMEOUT, ABORTED) without undoing anything.
 */
export class WorkerConnection {
  readonly #worker: Worker;
  readonly #remote: Remote<WorkerApi>;
  readonly #events: ConnectionEvents;
  readonly #pending = new Set<(error: DbError) => void>();
  readonly #watches = new Map<number, WatchSink>();
  readonly #life = new AbortController();
  #nextWatch = 1;
  #ended: DbError | undefined;

  constructor(worker: Worker, events: ConnectionEvents) {
    installErrorTransfer();
    this.#worker = worker;
    this.#events = events;
    this.#remote = wrap<WorkerApi>(worker);
    worker.addEventListener('error', (event) => this.end(workerLost(event.message || 'it could not be loaded')));
    worker.addEventListener('messageerror', () => this.end(workerLost('a message could not be read')));
  }

  async start(options: StartOptions): Promise<Started> {
    const send = (): Promise<Started> =>
      this.#remote.start(
        options,
        proxy((event: WorkerEvent) => this.#onEvent(event)),
      );
    const started = await this.#guard('open', send, {});
    if (started.lifeLock !== undefined) this.#watchLife(started.lifeLock);
    return started;
  }

  /** The request is copied before this returns, so calls reach the worker in their order. */
  call<M extends Method>(method: M, request: Calls[M]['in'], limits: CallLimits = {}): Promise<Calls[M]['out']> {
    return this.#guard(method, () => this.#remote.call({ method, request } as never) as Promise<Calls[M]['out']>, limits);
  }

  watch(watch: WatchRequest, sink: WatchSink): () => void {
    const id = this.#nextWatch++;
    this.#watches.set(id, sink);
    this.#guard('watch', () => this.#remote.watch(id, watch), {}).catch((error: DbError) => this.#watches.get(id)?.onError(error));
    return () => {
      if (this.#watches.delete(id)) this.#guard('unwatch', () => this.#remote.unwatch(id), {}).catch(() => {});
    };
  }

  async close(): Promise<void> {
    // A worker that is gone has nothing to close: its writes were told.
    if (this.#ended !== undefined) return;
    try {
      await this.#guard('close', () => this.#remote.close(), {});
    } finally {
      this.end(new DbError('DATABASE_CLOSED', 'the database is closed'));
    }
  }

  async destroy(): Promise<void> {
    await this.#guard('logout', () => this.#remote.destroy(), {});
    this.end(new DbError('DATABASE_CLOSED', 'the database was removed'));
  }

  /** Ends the worker and fails what is pending. */
  end(error: DbError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#life.abort();
    this.#worker.terminate();
    for (const reject of [...this.#pending]) reject(error);
    for (const sink of [...this.#watches.values()]) sink.onError(error);
    this.#watches.clear();
    this.#events.onEnd(error);
  }

  /** Browsers may end a worker without a word; its lock is granted to us then. */
  #watchLife(lock: string): void {
    // A worker that closes by itself says so first; give that time to arrive.
    const onGranted = (): void => void setTimeout(() => this.end(workerLost('the browser ended it')), LAST_WORDS_MS);
    navigator.locks.request(lock, { signal: this.#life.signal }, onGranted).catch(() => {});
  }

  async #onEvent(event: WorkerEvent): Promise<void> {
    switch (event.type) {
      case 'result':
        await this.#watches.get(event.watch)?.onResult(event.result);
        return;
      case 'error':
        this.#watches.get(event.watch)?.onError(DbError.fromMessage(event.error));
        return;
      case 'leader':
        this.#events.onLeader(event.leader);
        return;
      case 'closed':
        this.end(DbError.fromMessage(event.error));
        return;
    }
  }

  /** The promise of a call, ended by the worker's death too. */
  #guard<T>(what: string, send: () => Promise<T>, limits: CallLimits): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return withLimits(what, limits, send, this.#pending);
  }
}

function workerLost(why: string): DbError {
  return new DbError('WORKER_LOST', `engine worker: ${why}`, { details: { why } });
}
