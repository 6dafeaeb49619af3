import type { StorageStatus } from '../api/status.ts';
import { ValueStore } from './value-store.ts';

/** `navigator.storage.estimate` costs a round trip to the browser; a figure for people needs no more than this. */
const REFRESH_MS = 2000;
/** Browsers refuse long before nothing is left, for a page or for the disk. */
const LOW_SHARE = 0.9;

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
    // Missing in insecure contexts.
    const manager: StorageManager | undefined = typeof navigator === 'undefined' ? undefined : navigator.storage;
    if (manager === undefined) return;
    try {
      const [{ usage = 0, quota = 0 }, persisted] = await Promise.all([manager.estimate(), manager.persisted()]);
      const low = quota > 0 && usage > quota * LOW_SHARE;
      this.store.update({ usageBytes: usage, quotaBytes: quota, persisted, state: this.#full ? 'full' : low ? 'low' : 'ok' });
    } catch {
      // A figure for people only: the next refresh may succeed.
    }
  }
}
