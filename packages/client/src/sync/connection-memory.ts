import type { Clock } from '@terndb/core';
import { CONNECTION_KEY, type ConnectionRecord } from './connection-record.ts';
import type { SyncStore } from './store/sync-store.ts';

/** The stored record of who this database follows, and when what is here was up to date. */
export class ConnectionMemory {
  readonly #ports: { readonly clock: Clock; readonly store: SyncStore; readonly term: number };
  #record: ConnectionRecord | undefined;

  constructor(ports: { readonly clock: Clock; readonly store: SyncStore; readonly term: number }) {
    this.#ports = ports;
  }

  /** Undefined: it never followed anybody. */
  get record(): ConnectionRecord | undefined {
    return this.#record;
  }

  async read(): Promise<void> {
    this.#record = (await this.#ports.store.readRecord(CONNECTION_KEY)) as ConnectionRecord | undefined;
  }

  async keep(record: ConnectionRecord): Promise<void> {
    const { store, term } = this.#ports;
    await store.writeRecord(term, CONNECTION_KEY, JSON.parse(JSON.stringify(record)));
    this.#record = record;
  }

  /** When a channel was up to date before this start, or before it was left; wall clock in ms, null: never. */
  currentAtMs(channel: string): number | null {
    return this.#record?.leftAtMs?.[channel] ?? this.#record?.currentAtMs ?? null;
  }

  /** What is followed was up to date until now: a later start offline can say how old it is. */
  async noteCurrent(): Promise<void> {
    if (this.#record !== undefined) await this.keep({ ...this.#record, currentAtMs: this.#ports.clock.nowMs() }).catch(() => {});
  }

  /** A channel that was left is up to date again: from now on its age is that of the others. */
  async noteJoined(channel: string): Promise<void> {
    if (this.#record?.leftAtMs?.[channel] === undefined) return;
    const { [channel]: _, ...leftAtMs } = this.#record.leftAtMs;
    await this.keep({ ...this.#record, leftAtMs }).catch(() => {});
  }
}
