import type { LogBroker, LogEntry, StoredEntry } from '@terndb/core';

/** A log whose appends can be held up, so that a test says when something becomes durable. */
export class HeldLog implements LogBroker {
  readonly #log: LogBroker;
  #held: Promise<void> = Promise.resolve();
  #release: () => void = () => {};

  constructor(log: LogBroker) {
    this.#log = log;
  }

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release();
  }

  async append(stream: string, expectedLast: number, entries: readonly LogEntry[]): Promise<number> {
    await this.#held;
    return this.#log.append(stream, expectedLast, entries);
  }

  read(stream: string, fromSequence: number, options: { maxBytes: number }): Promise<readonly StoredEntry[]> {
    return this.#log.read(stream, fromSequence, options);
  }

  bounds(stream: string): Promise<{ first: number; last: number }> {
    return this.#log.bounds(stream);
  }

  truncate(stream: string, upTo: number): Promise<void> {
    return this.#log.truncate(stream, upTo);
  }
}
