import { DbError } from '../../errors/db-error.ts';
import type { AbortSignalLike, Locks } from '../locks.ts';

/** Name → those waiting for it, in order; a name without an entry is free. Shared by what would be tabs. */
export type MemoryLockTable = Map<string, (() => void)[]>;

/** Locks among instances on one table: for a tab without Web Locks, and for tests. */
export class MemoryLocks implements Locks {
  readonly #table: MemoryLockTable;

  constructor(table: MemoryLockTable = new Map()) {
    this.#table = table;
  }

  async hold(name: string, options: { signal?: AbortSignalLike }, held: () => Promise<void>): Promise<void> {
    await this.#acquire(name, options.signal);
    try {
      await held();
    } finally {
      const next = this.#table.get(name)?.shift();
      if (next === undefined) this.#table.delete(name);
      else next();
    }
  }

  #acquire(name: string, signal: AbortSignalLike | undefined): Promise<void> {
    const aborted = (): DbError => new DbError('ABORTED', `lock ${name}: waiting was aborted`, { details: { lock: name } });
    if (signal?.aborted) return Promise.reject(aborted());
    const waiting = this.#table.get(name);
    if (waiting === undefined) {
      this.#table.set(name, []);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(enter), 1);
        signal?.removeEventListener('abort', leave);
        reject(aborted());
      };
      waiting.push(enter);
      signal?.addEventListener('abort', leave);
    });
  }
}
