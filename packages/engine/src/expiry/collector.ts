import type { Clock } from '@terndb/core';

/** After an open: first results come first. */
const FIRST_MS = 5_000;
/** Rows are collected so long after their grace, at most. */
const INTERVAL_MS = 30_000;
/** Others have their turn between two records of one round. */
const PAUSE_MS = 20;

export interface CollectorPorts {
  readonly clock: Clock;
  /** One record, for one channel. False: none is due. */
  readonly collect: () => boolean;
}

/** Takes expired rows away now and then, where this device leads. */
export class ExpiryCollector {
  readonly #ports: CollectorPorts;
  #cancel: () => void = () => {};
  #isClosed = false;

  constructor(ports: CollectorPorts) {
    this.#ports = ports;
    this.#after(FIRST_MS);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #after(delayMs: number): void {
    this.#cancel = this.#ports.clock.after(delayMs, () => {
      const isMore = this.#ports.collect();
      if (!this.#isClosed) this.#after(isMore ? PAUSE_MS : INTERVAL_MS);
    });
  }
}
