import { type Clock, DbError, type LogBroker } from '@terndb/core';
import type { Channel } from '../database/channel.ts';
import type { EngineLimits } from '../database/types.ts';
import type { LogTail } from '../leader/log-tail.ts';
import type { ManifestIndex } from '../manifest/types.ts';
import type { Segment } from '../segment/types.ts';
import { collectObjects } from './collect-objects.ts';
import { isDue, JobQueue, unsealedOf } from './maintenance.ts';
import { publishIndex } from './publish-index.ts';
import { type SealContext, sealChannel } from './seal-channel.ts';

/** After an open: first results come first. */
const FIRST_CHECK_MS = 5_000;
/** A quiet database looks this often whether something is old enough to be sealed. */
const AGE_CHECKS_PER_AGE = 4;

export interface SealerOptions {
  readonly context: Omit<SealContext, 'cursorAt' | 'isShown'>;
  readonly log: LogBroker;
  readonly stream: string;
  readonly clock: Clock;
  readonly limits: EngineLimits;
  /** Both change when the engine goes back to its durable state. */
  readonly channels: () => ReadonlyMap<string, Channel>;
  readonly tail: () => LogTail;
  /** Another writer published: the storage is no longer ours. */
  readonly onConflict: (error: DbError) => void;
  /** A channel has another set of segments than before. */
  readonly onSealed: () => void;
}

/** Decides when to seal, runs one job at a time, and truncates the log behind what all manifests cover. */
export class Sealer {
  readonly #options: SealerOptions;
  readonly #jobs = new JobQueue();
  /** Channels with a seal on its way. */
  readonly #scheduled = new Set<string>();
  /** Channels whose last seal of its own accord failed, with the rows they had: tried again when half as many more have come. */
  readonly #failedRows = new Map<string, number>();
  #cancelTimer: () => void = () => {};
  #isClosed = false;

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#checkAfter(FIRST_CHECK_MS);
  }

  /** Seals these channels now. Rejects with the first error; the other channels are sealed all the same. */
  seal(names: Iterable<string>): Promise<void> {
    return this.#runAll(names, false);
  }

  compact(names: Iterable<string>): Promise<void> {
    return this.#runAll(names, true);
  }

  /** Deletes what a crash left; before any seal, so to be called first. A failure leaves it for the next open. */
  collect(): void {
    const { context, channels } = this.#options;
    this.#jobs.run(() => collectObjects(context.ports, channels())).catch(() => {});
  }

  /** After a commit, or at open: seals what is large or old enough, in the background. A failure leaves the rows growing. */
  sealDue(names: Iterable<string>): void {
    for (const name of names) {
      const rows = this.#dueRows(name);
      if (rows === undefined || this.#scheduled.has(name) || this.#isClosed) continue;
      this.#scheduled.add(name);
      this.#run(name, false)
        .then(() => this.#failedRows.delete(name))
        .catch(() => this.#failedRows.set(name, rows))
        .finally(() => this.#scheduled.delete(name));
    }
  }

  /** Between two seals: a manifest that names the index file of a segment, if the channel still has that. See `publishIndex`. */
  publishIndex(channel: Channel, segment: Segment, index: ManifestIndex): Promise<ManifestIndex | undefined> {
    return this.#jobs.run(async () => {
      if (this.#isClosed || this.#options.channels().get(channel.name) !== channel) return undefined;
      // Nothing is published while the engine goes back to its durable state: the flush is refused then.
      await this.#options.context.flush();
      return this.#orConflict(() => publishIndex(this.#options.context.ports, channel, segment, index));
    });
  }

  /** When no job runs any more. */
  idle(): Promise<void> {
    return this.#jobs.idle();
  }

  /** Starts nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
  }

  #dueRows(name: string): number | undefined {
    const { channels, clock, limits } = this.#options;
    const channel = channels().get(name);
    if (channel === undefined || channel.damage !== undefined) return undefined;
    const unsealed = unsealedOf(channel, clock.nowMs());
    if (!isDue(unsealed, limits)) return undefined;
    const failed = this.#failedRows.get(name);
    return failed !== undefined && unsealed.rows < failed * 1.5 ? undefined : unsealed.rows;
  }

  async #runAll(names: Iterable<string>, forCompaction: boolean): Promise<void> {
    const results = await Promise.allSettled([...names].map((name) => this.#run(name, forCompaction)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #run(name: string, forCompaction: boolean): Promise<void> {
    return this.#jobs.run(async () => {
      const channel = this.#options.channels().get(name);
      if (this.#isClosed || channel === undefined || channel.damage !== undefined) return;
      const context: SealContext = {
        ...this.#options.context,
        cursorAt: (of, position) => this.#options.tail().cursorAt(of, position),
        isShown: (replica) => !this.#isClosed && channel.replica === replica,
      };
      await this.#orConflict(async () => {
        if (!(await sealChannel(context, channel, { forCompaction }))) return;
        this.#options.onSealed();
        await this.#truncate(channel);
      });
    });
  }

  async #orConflict<T>(job: () => Promise<T>): Promise<T> {
    try {
      return await job();
    } catch (error) {
      if (error instanceof DbError && error.code === 'APPEND_CONFLICT') this.#options.onConflict(error);
      throw error;
    }
  }

  async #truncate({ name, published }: Channel): Promise<void> {
    const { log, stream } = this.#options;
    const tail = this.#options.tail();
    if (published !== undefined) tail.seal(name, published.manifest.upTo);
    const upTo = tail.truncatable();
    if (upTo === undefined) return;
    await log.truncate(stream, upTo);
    tail.truncated(upTo);
  }

  #checkAfter(delayMs: number): void {
    const { clock, limits } = this.#options;
    this.#cancelTimer = clock.after(delayMs, () => {
      this.sealDue(this.#options.channels().keys());
      this.#checkAfter(limits.sealAgeMs / AGE_CHECKS_PER_AGE);
    });
  }
}
