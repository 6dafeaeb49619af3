import { DbError } from '@terndb/core';
import type { Level, Write, WriteHandle, WriteMany } from '../api/collection.ts';
import type { Token } from '../api/reading.ts';
import type { WorkerConnection } from '../worker/connection.ts';
import { withLimits } from '../worker/limits.ts';
import type { WriteAnswer } from '../worker/protocol.ts';

export interface HandleOptions<T> {
  /** The write, already sent. */
  readonly answer: Promise<WriteAnswer>;
  call: WorkerConnection['call'];
  /** What the handle resolves to. */
  result(answer: WriteAnswer): T;
  /** The write failed and nobody has looked at the handle. */
  onUnobserved(error: DbError): void;
}

/** Thenable, and quiet: a failure that nobody awaits goes to `onUnobserved`, not to the page's unhandled rejections. */
class Handle<T> implements WriteHandle<T> {
  readonly #options: HandleOptions<T>;
  #observed = false;

  constructor(options: HandleOptions<T>) {
    this.#options = options;
    options.answer.catch((thrown: unknown) => {
      // One turn later: `await` on the next line of the caller counts as looking.
      setTimeout(() => this.#observed || options.onUnobserved(DbError.from(thrown)), 0);
    });
  }

  // biome-ignore lint/suspicious/noThenProperty: a write handle is awaited (design 7).
  then<A = T, B = never>(
    onDone?: ((value: T) => A | PromiseLike<A>) | null,
    onFailed?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#observed = true;
    return this.#options.answer.then((answer) => this.#options.result(answer)).then(onDone, onFailed);
  }

  wait(level: Level, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<Token> {
    this.#observed = true;
    if (level !== 'local' && level !== 'acked' && level !== 'indexed')
      return Promise.reject(new DbError('OPTION_INVALID', `wait: level local, acked or indexed expected, got ${String(level)}`));
    // The limits end the waiting; the write goes on.
    const reached = ({ token, writes }: WriteAnswer): Promise<string> | string =>
      level === 'local' ? token : this.#options.call('wait', { level, writes });
    return withLimits('wait', options, () => this.#options.answer.then(reached)) as Promise<Token>;
  }
}

export function createHandle<T>(options: HandleOptions<T>): WriteHandle<T> {
  return new Handle(options);
}
export function createWrite<Ky>(key: Ky, options: HandleOptions<Ky>): Write<Ky> {
  return Object.assign(new Handle(options), { key });
}
export function createWriteMany<Ky>(keys: readonly Ky[], options: HandleOptions<readonly Ky[]>): WriteMany<Ky> {
  return Object.assign(new Handle(options), { keys });
}
