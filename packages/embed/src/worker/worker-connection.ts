import { assertNever, DbError } from '@terndb/core';
import { unavailable } from '../errors.ts';
import type { Answer, Request } from './protocol.ts';

type Call = Exclude<Request, { type: 'cancel' }>;
/** A request without its number; distributes over the union. */
export type CallBody = Call extends infer C ? (C extends Call ? Omit<C, 'call'> : never) : never;
export type Result = Extract<Answer, { type: 'loaded' | 'embedded' }>;
export type Note = Extract<Answer, { type: 'load-progress' | 'embed-progress' | 'truncated' }>;

interface Waiting {
  readonly resolve: (answer: Result) => void;
  readonly reject: (error: Error) => void;
  readonly onNote: ((note: Note) => void) | undefined;
}

/** One worker and the calls that wait for it. When the worker dies they all end with EMBEDDER_UNAVAILABLE (`worker-lost`). */
export class WorkerConnection {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #ended: Error | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#receive(data);
    worker.onerror = (event) => this.end(unavailable('worker-lost', `embed worker failed: ${event.message || 'it did not load'}`));
    worker.onmessageerror = () => this.end(unavailable('worker-lost', 'embed worker sent what could not be read'));
  }

  get alive(): boolean {
    return this.#ended === undefined;
  }

  call(body: CallBody, options: { signal?: AbortSignal | undefined; onNote?: (note: Note) => void } = {}): Promise<Result> {
    const { signal, onNote } = options;
    if (this.#ended) return Promise.reject(this.#ended);
    if (signal?.aborted) return Promise.reject(aborted(signal));
    const call = ++this.#calls;
    let onAbort = (): void => {};
    const promise = new Promise<Result>((resolve, reject) => {
      // The caller is answered at once; the worker stops at its next batch.
      onAbort = () => {
        this.#waiting.delete(call);
        this.#post({ type: 'cancel', call });
        reject(aborted(signal!));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(call, { resolve, reject, onNote });
      this.#post({ ...body, call } as Request);
    });
    return promise.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  /** Ends the worker and, with `reason`, every call that waits. */
  end(reason: Error): void {
    if (this.#ended) return;
    this.#ended = reason;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #post(request: Request): void {
    this.#worker.postMessage(request);
  }

  #receive(answer: Answer): void {
    if (answer.type === 'ready') return;
    const waiting = this.#waiting.get(answer.call);
    // Cancelled meanwhile.
    if (waiting === undefined) return;
    switch (answer.type) {
      case 'loaded':
      case 'embedded':
        this.#waiting.delete(answer.call);
        waiting.resolve(answer);
        return;
      case 'failed':
        this.#waiting.delete(answer.call);
        waiting.reject(DbError.fromMessage(answer.error));
        return;
      case 'load-progress':
      case 'embed-progress':
      case 'truncated':
        waiting.onNote?.(answer);
        return;
      default:
        assertNever(answer, 'answer');
    }
  }
}

function aborted(signal: AbortSignal): DbError {
  return new DbError('ABORTED', 'embedding was aborted', { cause: signal.reason });
}
