import type { Clock } from '@terndb/core';
import { type Engine, encodeToken, type ReadInfo, type ReadScope, type TokenPositions } from '@terndb/engine';
import type { GlobalReadInfo } from '@terndb/sync';
import { joinTokens } from './merge-answers.ts';
import { isTooOld, levelOf, levelUnavailable } from './read-level.ts';
import type { SyncService } from './sync-service.ts';

/** A hybrid read does not wait longer for the server. */
export const HYBRID_BUDGET_MS = 150;
/** A read that names no limit of its own (the page's default, less what the way back takes). */
const DEFAULT_BUDGET_MS = 9_500;
/** How often a read that waits for positions looks again. */
const POLL_MS = 10;

export type Budgeted = ReadScope & { readonly timeoutMs?: number | undefined };

/** What a read is to do. */
export interface Plan {
  readonly scope: 'local' | 'global' | 'hybrid';
  /** Partitions that this device answers for, and those the server does. */
  readonly here: readonly string[];
  readonly there: readonly string[];
  /** Of those that this device answers for: nobody knows how much of it is here. */
  readonly missing: number;
  /** Of those that the server answers for: some of it is here, and how much is known. */
  readonly shown: number;
  readonly degraded: ReadInfo['degraded'];
  readonly budgetMs: number;
  readonly stalenessMs: number | null;
}

/** Decides which source answers for which partition of a read, and says afterwards how true the result is. */
export class ReadPlanner {
  readonly #engine: Engine;
  readonly #sync: SyncService;
  readonly #clock: Clock;

  constructor(engine: Engine, sync: SyncService, clock: Clock) {
    this.#engine = engine;
    this.#sync = sync;
    this.#clock = clock;
  }

  /** Waits, where a token is to be reached. CONSISTENCY_UNAVAILABLE. */
  async plan(request: Budgeted): Promise<Plan> {
    const level = levelOf(request.consistency)!;
    const budgetMs = Math.max(1, Math.min(request.timeoutMs ?? DEFAULT_BUDGET_MS, 60_000) - 100);
    const scope = (request.scope ?? (this.#sync.isOnline ? 'hybrid' : 'local')) as Plan['scope'];
    const wanted = this.wanted(request);
    const followed = wanted.filter((partition) => this.#sync.followed.channelsOf(request.collection, partition).length > 0);
    if (Array.isArray(level) && scope !== 'global') await this.#reach(request, level, followed, budgetMs);
    const staleness = this.#staleness(request.collection, followed);
    const isStale = isTooOld(level, staleness);
    if (scope === 'global') return { scope, here: [], there: wanted, missing: 0, shown: 0, degraded: null, budgetMs, stalenessMs: null };
    if (isStale && followed.length > 0 && scope === 'local')
      throw levelUnavailable(request, `this device is ${staleness ?? 'an unknown number of'} ms behind`);
    const there = scope === 'local' ? [] : followed.filter((partition) => isStale || !this.isComplete(request.collection, partition));
    const lacking = followed.filter((partition) => !there.includes(partition) && !this.isComplete(request.collection, partition));
    const missing = lacking.filter((partition) => !this.#isBrought(request.collection, partition)).length;
    // Kept in part, as asked for: a read of this device alone is told by its coverage.
    const isPartly = lacking.length > missing;
    const shown = there.filter((partition) => this.#isBrought(request.collection, partition)).length;
    const isLost = there.length === 0 && (missing > 0 || (isPartly && request.scope !== 'local'));
    const degraded = isLost ? (this.#sync.isOnline ? 'bootstrapping' : 'offline') : null;
    const here = wanted.filter((partition) => !there.includes(partition));
    const budget = isStale ? budgetMs : HYBRID_BUDGET_MS;
    const used = there.length === 0 ? 'local' : scope;
    return { scope: used, here, there, missing, shown, degraded, budgetMs: budget, stalenessMs: staleness };
  }

  /** Default: all that are followed or only searched, and those of this device. */
  wanted({ collection, partitions }: ReadScope): readonly string[] {
    if (partitions !== undefined && partitions !== null) return partitions;
    return [...new Set([...this.#sync.followed.partitionsOf(collection), ...this.#here(collection)])];
  }

  /** Partitions that the engine knows. */
  #here(collection: string): readonly string[] {
    return this.#engine.inspect().partitions.flatMap((one) => (one.collection === collection ? [one.partition] : []));
  }

  /** Those wanted that the engine knows. */
  shown(request: ReadScope): readonly string[] {
    const here = new Set(this.#here(request.collection));
    return this.wanted(request).filter((partition) => here.has(partition));
  }

  /** Partitions that nobody knows stay: the engine says so. */
  known(collection: string, partitions: readonly string[]): readonly string[] {
    const here = new Set(this.#here(collection));
    return partitions.filter((partition) => here.has(partition) || this.#sync.followed.channelsOf(collection, partition).length === 0);
  }

  isComplete(collection: string, partition: string): boolean {
    return this.#sync.followed.channelsOf(collection, partition).every(({ channel }) => this.#sync.followed.isComplete(channel));
  }

  /** What is to be here of it is. */
  #isBrought(collection: string, partition: string): boolean {
    return this.#sync.followed.channelsOf(collection, partition).every(({ channel }) => this.#sync.followed.isBrought(channel));
  }

  #staleness(collection: string, partitions: readonly string[]): number | null {
    let oldest: number | null = 0;
    for (const partition of partitions) {
      for (const { channel } of this.#sync.followed.channelsOf(collection, partition)) {
        const age = this.#sync.followed.stalenessOf(channel);
        if (age === null) return null;
        oldest = Math.max(oldest, age);
      }
    }
    return oldest;
  }

  /** Waits until this device has seen what the token has, or the budget is spent; the engine then says which. */
  async #reach(
    { collection }: ReadScope,
    token: readonly TokenPositions[],
    partitions: readonly string[],
    budgetMs: number,
  ): Promise<void> {
    const positions = token.find(({ logEpoch }) => logEpoch === this.#sync.followed.logEpoch)?.positions ?? new Map<string, number>();
    const channels = partitions.flatMap((partition) => this.#sync.followed.channelsOf(collection, partition).map(({ channel }) => channel));
    const isBehind = (): boolean => channels.some((channel) => (positions.get(channel) ?? 0) > this.#sync.followed.positionOf(channel));
    const endMs = this.#clock.monotonicMs() + budgetMs;
    while (isBehind() && this.#clock.monotonicMs() < endMs && this.#sync.isOnline) {
      await new Promise<void>((resolve) => this.#clock.after(POLL_MS, resolve));
    }
  }

  /** What this device has seen and written, in all partitions of a collection. */
  sessionToken(collection: string): string {
    const positions = new Map<string, number>();
    for (const partition of this.#sync.followed.partitionsOf(collection)) {
      for (const { channel } of this.#sync.followed.channelsOf(collection, partition))
        positions.set(channel, this.#sync.followed.seenOf(channel));
    }
    return encodeToken({ logEpoch: this.#sync.followed.logEpoch ?? '', positions });
  }

  /** What a result says of itself. */
  info(plan: Plan, local: ReadInfo | undefined, answer: GlobalReadInfo | undefined): ReadInfo {
    const isCut = plan.there.length > 0 && answer === undefined;
    const late: ReadInfo['degraded'] = this.#sync.isOnline ? 'server-timeout' : 'offline';
    const staleness = answer?.stalenessMs ?? null;
    return {
      coverage: isCut || plan.degraded === 'offline' ? this.#coverage(plan, local) : Math.min(local?.coverage ?? 1, answer?.coverage ?? 1),
      scope: plan.scope,
      degraded: plan.degraded ?? (isCut ? late : (answer?.degraded ?? local?.degraded ?? null)),
      stalenessMs: plan.here.length === 0 ? staleness : plan.stalenessMs === null ? null : Math.max(plan.stalenessMs, staleness ?? 0),
      token: joinTokens(local?.token, answer?.token),
    };
  }

  /** Without the server's part: the share of partitions, as nobody here knows their rows. */
  #coverage({ here, there, missing, shown }: Plan, local: ReadInfo | undefined): number {
    return ((local?.coverage ?? 1) * (here.length - missing + shown)) / (here.length + there.length);
  }
}

/** Of two parts of this device. */
export function joinInfo(sure: ReadInfo | undefined, own: ReadInfo | undefined): ReadInfo | undefined {
  if (sure === undefined || own === undefined) return sure ?? own;
  const coverage = Math.min(sure.coverage, own.coverage);
  return { ...sure, coverage, degraded: sure.degraded ?? own.degraded, token: joinTokens(sure.token, own.token) };
}
