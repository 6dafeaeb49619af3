import { assert, type Clock, DbError, type LogBroker } from '@terndb/core';
import { appendOnce } from './append-once.ts';
import { joinFrames, type SizedFrame } from './frames.ts';
import type { LogTail } from './log-tail.ts';

/** One append stays below this unless a single write is larger: it is one transaction of the store, built whole in memory. */
const MAX_APPEND_BYTES = 8 * 1024 * 1024;
/** Written and not yet durable. More means that the store is far slower than the writer: refusing is better than running out of memory. */
const MAX_UNCOMMITTED_BYTES = 256 * 1024 * 1024;

/** A write whose records are folded already and wait to be durable. */
interface PendingWrite {
  readonly frames: readonly SizedFrame[];
  readonly bytes: number;
  /** What must be durable first, e.g. the partition in the catalog. */
  readonly after: Promise<void> | undefined;
  readonly durable: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: DbError) => void;
}

export interface CommitterOptions {
  readonly log: LogBroker;
  readonly stream: string;
  readonly clock: Clock;
  readonly groupCommitMs: number;
  readonly tail: LogTail;
  /** After an append: these channels have new durable records. */
  readonly onCommitted: (channels: ReadonlySet<string>) => void;
  /**
   * An append failed, so nothing that waits can become durable: its positions build on what is lost. The committer stands still until the
   * engine is back at the durable state, calls `rejectAll` to tell the writers, and `resume`.
   */
  readonly onFailed: (error: DbError) => void;
}

/**
 * Group commit: writes gather while an append is in flight, or for `groupCommitMs`, and go to the log in one append that expects the
 * sequence this writer knows. All frames of one write are in one append, so a write is durable as a whole or not at all.
 */
export class Committer {
  readonly #options: CommitterOptions;
  #tail: LogTail;
  #queue: PendingWrite[] = [];
  #inFlight: readonly PendingWrite[] = [];
  #uncommittedBytes = 0;
  #cancelTimer: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();
  #state: 'idle' | 'appending' | 'failed' = 'idle';
  /** While the state is `failed`. */
  #failure: DbError | undefined;
  readonly #jobs = new Set<(error: DbError) => void>();

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#tail = options.tail;
  }

  /** RATE_LIMITED when too much waits already. To be called before a write is folded. */
  checkRoom(): void {
    if (this.#uncommittedBytes < MAX_UNCOMMITTED_BYTES) return;
    const details = { expected: MAX_UNCOMMITTED_BYTES, got: this.#uncommittedBytes };
    throw new DbError(
      'RATE_LIMITED',
      `writes: at most ${details.expected} bytes that are not durable yet expected, got ${details.got}; wait for some`,
      { details },
    );
  }

  /** @returns a promise of durability. A rejection that nobody looks at is not reported here. */
  add(frames: readonly SizedFrame[], after?: Promise<void>): Promise<void> {
    assert(this.#state !== 'failed', 'committer: a write was added while the engine goes back to the durable state');
    const bytes = frames.reduce((sum, frame) => sum + frame.bytes, 0);
    this.#uncommittedBytes += bytes;
    let settle!: Pick<PendingWrite, 'resolve' | 'reject'>;
    const durable = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    durable.catch(() => {});
    this.#queue.push({ frames, bytes, after, durable, ...settle });
    if (this.#state === 'idle' && this.#cancelTimer === undefined) {
      this.#cancelTimer = this.#options.clock.after(this.#options.groupCommitMs, () => this.#start());
    }
    return durable;
  }

  /** Appends at once; resolves when everything added so far is durable, rejects when some of it was refused. */
  async flush(): Promise<void> {
    const added = [...this.#inFlight, ...this.#queue].map((write) => write.durable);
    if (this.#state === 'idle') this.#start();
    await Promise.all(added);
  }

  /**
   * Like `flush`, but rejects as soon as an append has failed: for a job that the engine waits for before it goes back to the durable state,
   * and so before it refuses the writes.
   */
  async flushForJob(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    let stop!: (error: DbError) => void;
    const failed = new Promise<never>((_, reject) => {
      stop = reject;
    });
    this.#jobs.add(stop);
    try {
      await Promise.race([this.flush(), failed]);
    } finally {
      this.#jobs.delete(stop);
    }
  }

  /** Appends at once; resolves when everything added so far is durable or refused. */
  async settled(): Promise<void> {
    await this.flush().catch(() => {});
    await Promise.allSettled([...this.#inFlight, ...this.#queue].map((write) => write.durable));
  }

  /** Appends at once; resolves when nothing is in flight, be it that all is durable or that an append failed. */
  async quiesce(): Promise<void> {
    if (this.#state === 'idle') this.#start();
    await this.#running;
  }

  /** The frames that are folded and not durable. */
  waiting(): readonly SizedFrame[] {
    return [...this.#inFlight, ...this.#queue].flatMap((write) => write.frames);
  }

  /** After a failure: the stream is as `tail` says. */
  resume(tail: LogTail): void {
    this.#tail = tail;
    this.#state = 'idle';
    this.#failure = undefined;
    if (this.#queue.length > 0) this.#start();
  }

  /** Refuses whatever waits; for a closing engine. */
  rejectAll(error: DbError): void {
    this.#stopTimer();
    const refused = [...this.#inFlight, ...this.#queue];
    this.#inFlight = [];
    this.#queue = [];
    this.#uncommittedBytes = 0;
    for (const write of refused) write.reject(error);
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #start(): void {
    this.#stopTimer();
    if (this.#queue.length === 0) return;
    this.#state = 'appending';
    this.#running = this.#run().catch((error: unknown) => this.#fail(DbError.from(error)));
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      this.#inFlight = this.#take();
      const channels = await this.#append(this.#inFlight);
      const written = this.#inFlight;
      this.#inFlight = [];
      for (const write of written) this.#uncommittedBytes -= write.bytes;
      for (const write of written) write.resolve();
      this.#options.onCommitted(channels);
    }
    this.#state = 'idle';
  }

  /** The next writes that fit one append; at least one. */
  #take(): readonly PendingWrite[] {
    let bytes = this.#queue[0]!.bytes;
    let count = 1;
    while (count < this.#queue.length && bytes + this.#queue[count]!.bytes <= MAX_APPEND_BYTES) bytes += this.#queue[count++]!.bytes;
    return this.#queue.splice(0, count);
  }

  async #append(writes: readonly PendingWrite[]): Promise<ReadonlySet<string>> {
    for (const write of writes) await write.after;
    const entries = joinFrames(writes.flatMap((write) => write.frames));
    const last = await appendOnce(this.#options, this.#tail.last, entries);
    const before = last - entries.length;
    assert(before === this.#tail.last, () => `append: last sequence ${this.#tail.last + entries.length} expected, got ${last}`);
    entries.forEach(({ channel, lastPosition }, index) => {
      this.#tail.add(channel, { sequence: before + 1 + index, lastPosition });
    });
    return new Set(entries.map((entry) => entry.channel));
  }

  #fail(error: DbError): void {
    this.#state = 'failed';
    this.#failure = error;
    this.#stopTimer();
    for (const stop of this.#jobs) stop(error);
    this.#options.onFailed(error);
  }
}
