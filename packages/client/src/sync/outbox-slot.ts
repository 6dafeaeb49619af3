import { DbError, type Op, type Timestamp } from '@terndb/core';
import type { OutboxPort, OverlayEntry } from '@terndb/engine';
import type { PendingWrite } from './write-waiters.ts';

/** The engine's outbox: whichever host runs now. It also tells who asks which entries a write made. */
export class OutboxSlot implements OutboxPort {
  host: OutboxPort | undefined;
  #captured: PendingWrite[] | undefined;

  add(channel: string, op: Op, options?: { readonly hlc?: Timestamp }): { readonly entry: OverlayEntry; readonly durable: Promise<void> } {
    if (this.host === undefined)
      throw new DbError('STORAGE_UNAVAILABLE', `write to ${channel}: an open outbox expected, got none; try again`);
    const added = this.host.add(channel, op, options);
    this.#captured?.push({ channel, id: added.entry.id });
    return added;
  }

  /** Runs a write; `run` is synchronous. */
  capture<T>(run: () => T): { readonly result: T; readonly writes: readonly PendingWrite[] } {
    const captured: PendingWrite[] = [];
    this.#captured = captured;
    try {
      return { result: run(), writes: captured };
    } finally {
      this.#captured = undefined;
    }
  }
}
