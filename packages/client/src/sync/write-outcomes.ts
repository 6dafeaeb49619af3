import { type Clock, DbError } from '@terndb/core';
import { type Engine, encodeToken } from '@terndb/engine';
import type { Level } from '../api/collection.ts';
import { RefusedWrites } from './refused-writes.ts';
import type { SyncStore } from './store/sync-store.ts';
import type { SyncHost } from './sync-host.ts';
import { type PendingWrite, rejection, WriteWaiters } from './write-waiters.ts';

/** Between two questions whether what was written is indexed, while the server cannot say. */
const RETRY_MS = 500;
/** How long the server may take to index before it is asked again, and what the way there and back may take beside it. */
const INDEXED_MS = 10_000;
const INDEXED_ANSWER_MS = 15_000;

export interface OutcomePorts {
  readonly clock: Clock;
  readonly store: SyncStore;
  readonly engine: Engine;
  readonly term: number;
  readonly read: (what: string, body: unknown, timeoutMs: number) => Promise<unknown>;
  readonly positionOf: (channel: string) => number;
  readonly logEpoch: () => string | undefined;
  /** The list of refused writes is another one. */
  readonly onChange: () => void;
}

/** What became of the writes of this device: who waits for it, and those that the log refused. */
export class WriteOutcomes {
  readonly refused: RefusedWrites;
  readonly #ports: OutcomePorts;
  readonly #waiters = new WriteWaiters();
  #isClosed = false;

  constructor(ports: OutcomePorts) {
    this.#ports = ports;
    this.refused = new RefusedWrites(ports.store, ports.engine);
  }

  /**
   * The token of positions at which the log has these writes. NOT_CONNECTED, or the code of a refusal; while the server cannot be reached it
   * waits.
   */
  async wait(level: Exclude<Level, 'local'>, writes: readonly PendingWrite[] | undefined, host: SyncHost | undefined): Promise<string> {
    if (host === undefined || writes === undefined) throw notConnected(`wait('${level}')`);
    const positions = new Map<string, number>();
    for (const { channel, position } of await Promise.all(writes.map((write) => this.#settled(host, write)))) {
      positions.set(channel, Math.max(position, positions.get(channel) ?? 0));
    }
    const token = encodeToken({ logEpoch: this.#ports.logEpoch() ?? '', positions });
    if (level === 'indexed' && positions.size > 0) await this.#waitIndexed(token);
    return token;
  }

  acked(channel: string, id: number, position: number): void {
    this.#waiters.acked(channel, id, position);
  }

  async rejected(channel: string, id: number, code: string): Promise<void> {
    // A patch of a key that is gone by now has no effect, as on this device (API: never creates or revives).
    if (code === 'NOT_FOUND') {
      this.#waiters.acked(channel, id, this.#ports.positionOf(channel));
      await this.dismiss(channel, id).catch(() => {});
      return;
    }
    this.#waiters.rejected(channel, id, code);
    await this.readRefused().catch(() => {});
  }

  async dismiss(channel: string, id: number): Promise<void> {
    await this.#ports.store.dismiss(this.#ports.term, channel, id);
    await this.readRefused();
  }

  async readRefused(): Promise<void> {
    await this.refused.read();
    this.#ports.onChange();
  }

  /** Positions of another universe. */
  forget(): void {
    this.#waiters.forget();
  }

  close(): void {
    this.#isClosed = true;
    this.#waiters.end(new DbError('DATABASE_CLOSED', 'wait: the database is closed'));
  }

  async #settled(host: SyncHost, write: PendingWrite): Promise<{ readonly channel: string; readonly position: number }> {
    const { channel, id } = write;
    const outcome = this.#waiters.outcome(write);
    if (typeof outcome === 'string') throw rejection(channel, outcome);
    if (outcome !== undefined) return { channel, position: outcome };
    if (host.follows(channel) && host.outboxOf(channel).some((entry) => entry.id === id))
      return { channel, position: await this.#waiters.wait(write) };
    const code = this.refused.codeOf(channel, id);
    if (code !== undefined) throw rejection(channel, code);
    return { channel, position: this.#ports.positionOf(channel) };
  }

  async #waitIndexed(token: string): Promise<void> {
    const { read, clock } = this.#ports;
    for (;;) {
      try {
        await read('wait', { token, timeoutMs: INDEXED_MS }, INDEXED_ANSWER_MS);
        return;
      } catch (thrown) {
        const error = DbError.from(thrown);
        if (error.kind !== 'unavailable' || this.#isClosed) throw error;
        await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
      }
    }
  }
}

function notConnected(what: string): DbError {
  const message = `${what}: a write to a partition that a server replicates expected, got one that stays on this device`;
  return new DbError('NOT_CONNECTED', message, { details: { what } });
}
