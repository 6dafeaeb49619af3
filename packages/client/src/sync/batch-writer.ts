import { DbError } from '@terndb/core';
import type { ClientEffect } from '@terndb/sync';

export type Persist = Extract<ClientEffect, { readonly type: 'persist' }>;

export interface BatchPorts {
  /** All of them as one transaction. */
  readonly commit: (batches: readonly Persist[]) => Promise<void>;
  readonly onPersisted: (batch: Persist) => void;
  /** The first of those that were refused; all that came after it are dropped. */
  readonly onRefused: (batch: Persist, error: DbError) => void;
  /** Nothing is begun any more. */
  readonly isOver: () => boolean;
}

/** Makes batches durable in their order: one transaction at a time, those that came meanwhile together in the next one. */
export class BatchWriter {
  readonly #ports: BatchPorts;
  #batches: Persist[] = [];
  #writing: Promise<void> | undefined;

  constructor(ports: BatchPorts) {
    this.#ports = ports;
  }

  /** Begun a turn later, so that one write's entries are together. */
  add(batch: Persist): void {
    this.#batches.push(batch);
    this.#writing ??= Promise.resolve()
      .then(() => this.#writeAll())
      .finally(() => {
        this.#writing = undefined;
      });
  }

  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #writeAll(): Promise<void> {
    const { commit, onPersisted, onRefused, isOver } = this.#ports;
    while (this.#batches.length > 0 && !isOver()) {
      const batches = this.#batches;
      this.#batches = [];
      try {
        await commit(batches);
      } catch (thrown) {
        this.#batches = [];
        onRefused(batches[0]!, DbError.from(thrown));
        return;
      }
      for (const batch of batches) onPersisted(batch);
    }
  }
}
