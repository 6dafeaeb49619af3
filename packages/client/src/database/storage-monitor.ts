import type { StorageStatus } from '../api/status.ts';
import { ValueStore } from './value-store.ts';

/** `navigator.storage.estimate` costs a round trip to the browser; a figure for people needs no more than this. */
const REFRESH_MS = 2000;

/** Keeps `db.storage` true enough: asks when the database opens and some time after writes. */
export class StorageMonitor {
  readonly store: ValueStore<StorageStatus> = new ValueStore<StorageStatus>({
    mode: 'memory',
    persisted: false,
    usageBytes: 0,
    quotaBytes: 0,
    state: 'ok',
    lossDetected: false,
  });
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #full = false;

  start(mode: StorageStatus['mode']): void {
    this.store.update({ mode });
    void this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  onWritten(): void {
    this.#full = false;
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#refresh();
    }, REFRESH_MS);
  }

  /** A write was refused for want of space. */
  onFull(): void {
    this.#full = true;
    this.store.update({ state: 'full' });
  }

  async #refresh(): Promise<void> {
    // A chunk of its own, as it is never waited for. A figure for people only: the next refresh may succeed.
    const read = import('./estimate-storage.ts').then(({ estimateStorage }) => estimateStorage()).catch(() => undefined);
    const estimate = await read;
    if (estimate !== undefined) this.store.update({ ...estimate, state: this.#full ? 'full' : estimate.state });
  }
}
