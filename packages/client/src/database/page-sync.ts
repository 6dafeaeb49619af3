import type { DbError } from '@terndb/core';
import type { ConnectOptions } from '../api/database.ts';
import type { ConnectRequest } from '../sync/connection-record.ts';
import type { RejectedItem, SyncReport } from '../sync/sync-report.ts';
import type { Calls, Method } from '../worker/protocol.ts';

/**
 * The page's part of replication: tokens, and events about writes. A chunk of its own, loaded by the first `connect` or by a listener that needs
 * it, so it imports nothing at run time: what it uses of the page's code is given to it.
 */
export interface PageSyncPorts {
  call<M extends Method>(method: M, request: Calls[M]['in']): Promise<Calls[M]['out']>;
  toError(message: RejectedItem['error']): DbError;
  isLeader(): boolean;
  emit(event: 'rejected' | 'conflict', value: unknown): void;
  /** Delivered to listeners that come later; changed in place. */
  readonly keptRejected: unknown[];
}

/** Tabs that do not lead wait so long before they answer: usually the leader's page has. */
const FOLLOWER_WAIT_MS = 1_000;

export class PageSync {
  readonly #ports: PageSyncPorts;
  #options: ConnectOptions | undefined;
  #request: ConnectRequest | undefined;
  #answered = 0;
  #report: SyncReport | undefined;
  #rejectedVersion = -1;
  /** By channel and entry; a batch is one entry of several events. */
  #known = new Set<string>();
  #lastConflict: number | undefined;

  constructor(ports: PageSyncPorts) {
    this.#ports = ports;
  }

  async connect(options: ConnectOptions, url: string): Promise<void> {
    const { partitions = ['_default'] } = options as Partial<ConnectOptions>;
    this.#options = options;
    this.#request = {
      url,
      partitions: partitions.map((one) => (typeof one === 'string' ? { name: one, keep: 'all' } : { ...one, keep: one.keep ?? 'all' })),
    };
    await this.#ports.call('connect', this.#request);
    this.#answer();
  }

  /** Ends the connection that these options began; another one since is left alone. */
  async disconnect(options: ConnectOptions): Promise<void> {
    if (this.#options !== options) return;
    this.#options = undefined;
    this.#request = undefined;
    await this.#ports.call('disconnect', undefined);
  }

  onReport(report: SyncReport): void {
    this.#report = report;
    // A leader that is new does not know of this page's connection.
    if (report.isNew && this.#request !== undefined) this.#ports.call('connect', this.#request).catch(() => {});
    this.#answer();
    const last = report.conflicts.at(-1)?.id ?? 0;
    for (const { id, ...conflict } of report.conflicts) if (id > (this.#lastConflict ?? last)) this.#ports.emit('conflict', conflict);
    this.#lastConflict = last;
    if (report.rejectedVersion === this.#rejectedVersion) return;
    this.#rejectedVersion = report.rejectedVersion;
    this.#ports.call('rejected', undefined).then(
      (items) => this.#onRejected(items),
      () => {
        this.#rejectedVersion = -1;
      },
    );
  }

  #answer(): void {
    const wanted = this.#report?.token;
    const options = this.#options;
    if (wanted === null || wanted === undefined || options === undefined || wanted.id === this.#answered) return;
    this.#answered = wanted.id;
    const { id, reason } = wanted;
    const give = async (): Promise<void> => {
      if (this.#report?.token?.id !== id || this.#options !== options) return;
      let token: string | null = null;
      try {
        token = await options.getToken({ reason });
      } catch (error) {
        console.warn('terndb: getToken failed', error);
      }
      await this.#ports.call('token', { id, token });
    };
    setTimeout(() => void give().catch(() => {}), this.#ports.isLeader() ? 0 : FOLLOWER_WAIT_MS);
  }

  #onRejected(items: readonly RejectedItem[]): void {
    const { keptRejected, call, emit, toError } = this.#ports;
    const before = this.#known;
    this.#known = new Set(items.map(nameOf));
    const events = items.map((item) => {
      const { channel, id, collection, partition, key, error, op } = item;
      const dismiss = async (): Promise<void> => {
        await call('dismiss', { channel, id });
        // Who listens from now on is not told of it.
        const at = keptRejected.indexOf(event);
        if (at >= 0) keptRejected.splice(at, 1);
      };
      const event = { collection, partition, key, op, error: toError(error), dismiss };
      return { item, event };
    });
    keptRejected.splice(0, keptRejected.length, ...events.map(({ event }) => event));
    for (const { item, event } of events) if (!before.has(nameOf(item))) emit('rejected', event);
  }
}

function nameOf({ channel, id, key }: RejectedItem): string {
  return `${channel} ${id} ${typeof key}${String(key)}`;
}
