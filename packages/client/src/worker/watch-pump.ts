import type { WatchResult, WatchSink } from './protocol.ts';

/**
 * Between an engine that says something with every change and a reader that takes one result at a time: holds the newest result only, so that
 * a slow reader costs one result and not a queue.
 */
export class WatchPump {
  readonly #sink: WatchSink;
  #waiting: WatchResult | undefined;
  #busy = false;
  #stopped = false;

  constructor(sink: WatchSink) {
    this.#sink = sink;
  }

  push(result: WatchResult): void {
    if (this.#stopped) return;
    this.#waiting = result;
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
