import type { Clock } from '@terndb/core';
import { degraded, type Finding, OK } from '../../node/health/finding.ts';
import { TokenBucket } from '../sync/token-bucket.ts';
import { CODES, MilvusError } from './errors.ts';

export type LaneName = 'ddl' | 'write' | 'read';

/**
 * Work of one kind: so many at a time, so many that wait. What is more is refused at once, so that a flood of searches neither fills the memory nor
 * holds up a write, and a script that makes collections holds up nobody.
 */
export const LANES: Readonly<Record<LaneName, { readonly running: number; readonly waiting: number }>> = {
  // One after the other, as the catalog changes anyway.
  ddl: { running: 1, waiting: 64 },
  // They share the leader's group commits: many in flight are few appends.
  write: { running: 64, waiting: 1024 },
  read: { running: 64, waiting: 4096 },
};
/** Buckets of those who asked last; the others' are full again by now. */
const MAX_BUCKETS = 10_000;

export class Lanes {
  readonly #lanes = new Map<LaneName, Lane>();
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #perSecond: number;
  readonly #clock: Pick<Clock, 'nowMs'>;

  constructor(perSecond: number, clock: Pick<Clock, 'nowMs'>) {
    this.#perSecond = perSecond;
    this.#clock = clock;
    for (const [name, { running, waiting }] of Object.entries(LANES) as [LaneName, (typeof LANES)[LaneName]][])
      this.#lanes.set(name, new Lane(name, running, waiting));
  }

  /** Code 8 when the caller asks too often, or too many wait already. Who is not waited for any more (`signal`) leaves the lane: its reason. */
  async run<T>(name: LaneName, subject: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#checkRate(subject);
    const lane = this.#lanes.get(name)!;
    await lane.enter(signal);
    try {
      return await work();
    } finally {
      lane.leave();
    }
  }

  /** A lane in which as many wait as may: others are refused. */
  check(): Finding {
    const full = [...this.#lanes].filter(([, lane]) => lane.isFull).map(([name]) => name);
    return full.length === 0 ? OK : degraded(`as many requests wait as may (${full.join(', ')}): others are refused`);
  }

  #checkRate(subject: string): void {
    const nowMs = this.#clock.nowMs();
    const bucket = this.#buckets.get(subject) ?? new TokenBucket(this.#perSecond, nowMs);
    // Asked last, forgotten last.
    this.#buckets.delete(subject);
    this.#buckets.set(subject, bucket);
    if (this.#buckets.size > MAX_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value!);
    const waitMs = bucket.take(nowMs);
    if (waitMs > 0)
      throw new MilvusError(
        CODES.rateLimited,
        `rate limit exceeded[rate=${this.#perSecond}]: ${subject}: requests, try again in ${waitMs} ms`,
      );
  }
}

class Lane {
  readonly #name: LaneName;
  readonly #most: number;
  readonly #mostWaiting: number;
  /** In order. */
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(name: LaneName, most: number, mostWaiting: number) {
    this.#name = name;
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  get isFull(): boolean {
    return this.#waiting.size >= this.#mostWaiting;
  }

  async enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#running < this.#most) {
      this.#running += 1;
      return;
    }
    if (this.isFull)
      throw new MilvusError(CODES.rateLimited, `rate limit exceeded: at most ${this.#mostWaiting} waiting ${this.#name} requests expected`);
    // Whoever leaves hands its place on.
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.#waiting.delete(begin);
        signal?.removeEventListener('abort', giveUp);
      };
      const begin = (): void => {
        done();
        resolve();
      };
      const giveUp = (): void => {
        done();
        reject(signal!.reason as Error);
      };
      signal?.addEventListener('abort', giveUp);
      this.#waiting.add(begin);
    });
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
