import type { WatchResult, WatchSink } from './protocol.ts';

/** What a reader is told who has not taken the last result yet; default: the newest. */
export type Combine = (waiting: WatchResult, next: WatchResult) => WatchResult;

/**
 * Between an engine that says something with every change and a reader that takes one result at a time: holds the newest result only (or
 * what `combine` makes of both), so that a slow reader costs one result and not a queue.
 */
export class WatchPump {
  readonly #sink: WatchSink;
  readonly #combine: Combine;
  #waiting: WatchResult | undefined;
  #busy = false;
  #stopped = false;

  constructor(sink: WatchSink, combine: Combine = (_waiting, next) => next) {
    this.#sink = sink;
    this.#combine = combine;
  }

  push(result: WatchResult): void {
    if (this.#stopped) return;
    this.#waiting = this.#waiting === undefined ? result : this.#combine(this.#waiting, result);
    if (!this.#busy) void this.#drain();
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting = undefined;
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#waiting !== undefined) {
      const result = this.#waiting;
      this.#waiting = undefined;
      try {
        await this.#sink.onResult(result);
      } catch {
        // The reader is gone; whoever owns the watch hears of it and stops this pump.
        this.stop();
      }
    }
    this.#busy = false;
  }
}
