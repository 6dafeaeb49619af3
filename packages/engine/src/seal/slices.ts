import type { Clock } from '@terndb/core';
import type { Slices } from '../segment/steps.ts';

/** Work between two pauses: a query that arrives waits for at most about this (design 8: slices of at most 8 ms). */
const SLICE_MS = 6;

/** Gives way every few milliseconds; `mustBeWanted` throws when the work is not wanted any more. */
export class ClockSlices implements Slices {
  readonly #clock: Clock;
  readonly #mustBeWanted: () => void;
  #begunMs = 0;

  constructor(clock: Clock, mustBeWanted: () => void) {
    this.#clock = clock;
    this.#mustBeWanted = mustBeWanted;
    this.begin();
  }

  begin(): void {
    this.#begunMs = this.#clock.monotonicMs();
  }

  get isOver(): boolean {
    return this.#clock.monotonicMs() - this.#begunMs >= SLICE_MS;
  }

  async pauseIfOver(): Promise<void> {
    if (this.isOver) await this.pause();
  }

  async pause(): Promise<void> {
    this.#mustBeWanted();
    await new Promise<void>((resolve) => this.#clock.after(0, resolve));
    this.#mustBeWanted();
    this.begin();
  }
}
