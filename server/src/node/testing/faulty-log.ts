import { DbError, type LogBroker, type LogEntry, type StoredEntry } from '@terndb/core';

/** `lost`: nothing was appended. `deaf`: all of it was, and nobody was told. */
export type AppendFault = 'none' | 'lost' | 'deaf';

/** A log whose appends wait and fail as a test says, each failure with an outcome that the appender cannot know. */
export class FaultyLog implements LogBroker {
  readonly #log: LogBroker;
  readonly #next: () => AppendFault | Promise<AppendFault>;

  constructor(log: LogBroker, next: () => AppendFault | Promise<AppendFault>) {
    this.#log = log;
    this.#next = next;
  }

  async append(stream: string, expectedLast: number, entries: readonly LogEntry[]): Promise<number> {
    const fault = await this.#next();
    if (fault === 'lost') throw new DbError('STORAGE_UNAVAILABLE', 'faulty log: nothing was appended');
    const last = await this.#log.append(stream, expectedLast, entries);
    if (fault === 'deaf') throw new DbError('STORAGE_UNAVAILABLE', 'faulty log: it was appended');
    return last;
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

/** Its appends can be held up, so that a test says when something becomes durable. */
export class HeldLog extends FaultyLog {
  #held: Promise<void> = Promise.resolve();
  #release: () => void = () => {};

  constructor(log: LogBroker) {
    super(log, () => this.#held.then(() => 'none'));
  }

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release();
  }
}
