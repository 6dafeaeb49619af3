import { type Clock, DbError, type PrimaryKey } from '@terndb/core';
import type { Change, QueryRequest, QueryResult, ReadScope, SearchRequest, SearchResult } from '../database/types.ts';
import { expiryMs } from '../expiry/cutoff.ts';
import type { ReadContext } from '../read/context.ts';
import type { Watched } from './watched.ts';
import { watchedQuery } from './watched-query.ts';
import { watchedSearch } from './watched-search.ts';

/** At most one result per frame of a 60 Hz display: nobody sees more. */
export const LIVE_INTERVAL_MS = 16;

/** Between two looks that are made only because rows expire; also the most that a live result shows one for too long. */
export const LIVE_EXPIRY_MS = 250;
/** Timers of browsers end at 24 days. */
const MAX_TIMER_MS = 24 * 60 * 60 * 1000;

export interface LivePorts {
  readonly clock: Clock;
  /** Changes after they became visible. Returns the way to stop. */
  readonly onChange: (listener: (changes: readonly Change[]) => void) => () => void;
  /** Pins views for one evaluation. Throws what a read with this scope would. */
  readonly open: (request: ReadScope) => { readonly context: ReadContext; readonly release: () => void };
}

interface WatchEvents<R> {
  readonly onResult: (result: R) => void;
  readonly onError: (error: DbError) => void;
  readonly onEvaluate: () => void;
}

export interface Live {
  watchQuery(request: QueryRequest, onResult: (result: QueryResult) => void, onError: (error: DbError) => void): () => void;
  watchSearch(request: SearchRequest, onResult: (result: SearchResult) => void, onError: (error: DbError) => void): () => void;
  /** How often watchers have looked at the whole collection; a change that cannot matter does not count. */
  readonly evaluations: number;
  /** Stops every watcher; with an error, tells it: nothing will come any more. */
  close(error?: DbError): void;
}

/**
 * Live queries: the whole result at once, and again at most once per frame when it changed. What changed since the last frame is collected
 * and, in the next one, held against the last result: only if a changed entity is in it, or could come into it, is the request evaluated again.
 * An error goes to `onError` and does not end it: the next change is tried again.
 */
export function createLive(ports: LivePorts): Live {
  let evaluations = 0;
  const stops = new Set<(error?: DbError) => void>();

  function watch<R>(request: ReadScope, watched: Watched<R>, onResult: (result: R) => void, onError: (error: DbError) => void): () => void {
    const watcher = new Watcher(ports, request, watched, { onResult, onError, onEvaluate: () => evaluations++ });
    const stop = (error?: DbError) => {
      if (!stops.delete(stop)) return;
      watcher.stop();
      if (error !== undefined) onError(error);
    };
    stops.add(stop);
    watcher.start();
    return () => stop();
  }

  return {
    watchQuery: (request, onResult, onError) => watch(request, watchedQuery(request), onResult, onError),
    watchSearch: (request, onResult, onError) => watch(request, watchedSearch(request), onResult, onError),
    get evaluations() {
      return evaluations;
    },
    close(error) {
      for (const stop of [...stops]) stop(error);
    },
  };
}

class Watcher<R> {
  readonly #ports: LivePorts;
  readonly #request: ReadScope;
  readonly #watched: Watched<R>;
  readonly #events: WatchEvents<R>;
  #changed = new Map<string, Set<PrimaryKey>>();
  /** Another replica is shown: nothing is known of what changed. */
  #mayAllDiffer = false;
  #last: R | undefined;
  #lastError: string | undefined;
  #lastMs = -Infinity;
  #isStopped = false;
  #cancelFrame: (() => void) | undefined;
  #cancelExpiry: () => void = () => {};
  #unsubscribe: () => void = () => {};

  constructor(ports: LivePorts, request: ReadScope, watched: Watched<R>, events: WatchEvents<R>) {
    this.#ports = ports;
    this.#request = request;
    this.#watched = watched;
    this.#events = events;
  }

  start(): void {
    this.#unsubscribe = this.#ports.onChange((changes) => this.#collect(changes));
    this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#unsubscribe();
    this.#cancelFrame?.();
    this.#cancelExpiry();
  }

  #collect(changes: readonly Change[]): void {
    for (const { collection, partition, keys, all } of changes) {
      if (collection !== this.#request.collection || this.#request.partitions?.includes(partition) === false) continue;
      this.#mayAllDiffer ||= all === true;
      let changed = this.#changed.get(partition);
      if (changed === undefined) {
        changed = new Set();
        this.#changed.set(partition, changed);
      }
      for (const key of keys) changed.add(key);
    }
    if ((this.#changed.size === 0 && !this.#mayAllDiffer) || this.#cancelFrame !== undefined || this.#isStopped) return;
    const waitMs = Math.max(0, this.#lastMs + LIVE_INTERVAL_MS - this.#ports.clock.monotonicMs());
    this.#cancelFrame = this.#ports.clock.after(waitMs, () => {
      this.#cancelFrame = undefined;
      this.#look();
    });
  }

  /** Views are released before anybody is told: a listener may write, read or stop. */
  #look(): void {
    if (this.#isStopped) return;
    let tell: (() => void) | undefined;
    try {
      const result = this.#evaluateIfNeeded();
      if (result !== undefined && (this.#last === undefined || !this.#watched.same(this.#last, result))) {
        this.#last = result;
        this.#lastError = undefined;
        tell = () => this.#events.onResult(result);
      }
    } catch (thrown) {
      tell = this.#failed(DbError.from(thrown));
    }
    tell?.();
  }

  /** Undefined when nothing that changed could matter. */
  #evaluateIfNeeded(): R | undefined {
    const changed = this.#changed;
    const mayAllDiffer = this.#mayAllDiffer;
    this.#changed = new Map();
    this.#mayAllDiffer = false;
    const { context, release } = this.#ports.open(this.#request);
    this.#lookAtExpiry(context);
    try {
      if (this.#last !== undefined && !mayAllDiffer && !this.#watched.couldMatter(context, changed)) return undefined;
      this.#lastMs = this.#ports.clock.monotonicMs();
      this.#events.onEvaluate();
      return this.#watched.evaluate(context);
    } finally {
      release();
    }
  }

  /** Rows expire without a change: looks again when the next one of those that are visible does. */
  #lookAtExpiry({ partitions }: ReadContext): void {
    this.#cancelExpiry();
    // Partitions of one collection may differ: a server has its own time to live.
    const timed = partitions.filter(({ view }) => view.definition.ttlSeconds !== undefined);
    if (timed.length === 0) return;
    const nextMs = Math.min(...timed.map(({ view }) => expiryMs(view.definition, view.oldestPut ?? Number.POSITIVE_INFINITY)));
    const waitMs = nextMs - this.#ports.clock.nowMs();
    if (waitMs === Number.POSITIVE_INFINITY) return;
    this.#cancelExpiry = this.#ports.clock.after(Math.min(MAX_TIMER_MS, Math.max(LIVE_EXPIRY_MS, waitMs)), () => {
      this.#mayAllDiffer = true;
      this.#look();
    });
  }

  /** The same error again is not news. After an error every change is evaluated, and the next result is told even if it is the old one. */
  #failed(error: DbError): (() => void) | undefined {
    this.#last = undefined;
    const name = `${error.code} ${error.message}`;
    if (name === this.#lastError) return undefined;
    this.#lastError = name;
    return () => this.#events.onError(error);
  }
}
