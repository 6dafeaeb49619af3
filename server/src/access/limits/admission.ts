import { type Clock, DbError } from '@terndb/core';
import { isDenied } from '../../node/catalog/limit-properties.ts';
import type { CatalogCollectionInfo, ServerNode } from '../../node/types.ts';
import { TokenBucket } from '../sync/token-bucket.ts';
import { isWrite, type PlaceLimits, type Quota, quotasOf, type RateKind, ratesOf } from './place-limits.ts';
import { Usage, type Used } from './usage.ts';

/** Buckets of those who asked last; the others' are full again by now. */
const MAX_BUCKETS = 10_000;

export interface Asked {
  readonly kind: RateKind;
  readonly database: string;
  /** Name or alias. */
  readonly collection?: string | undefined;
  /** Bytes of a write, vectors of a search, else 1. Asked for only where something counts it. */
  readonly cost: () => number;
}

/** Rates and quotas per database and collection, for every door of one process. Nothing is looked up that has no limit. */
export class Admission {
  readonly #node: Pick<ServerNode, 'catalog' | 'inspect'>;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #limits: PlaceLimits;
  readonly #usage: Usage;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(node: Pick<ServerNode, 'catalog' | 'inspect'>, clock: Pick<Clock, 'monotonicMs'>, limits: PlaceLimits) {
    this.#node = node;
    this.#clock = clock;
    this.#limits = limits;
    this.#usage = new Usage(node, clock);
  }

  /**
   * Takes from every rate that the request is held to, or from none.
   * @throws RATE_LIMITED with `retryAfterMs`; QUOTA_EXCEEDED where the database is closed to this.
   */
  take({ kind, database, collection, cost }: Asked): void {
    const found = this.#find(database, collection);
    if (kind !== 'ddl') this.#checkOpen(database, isWrite(kind) ? 'writing' : 'reading');
    const rates = ratesOf(this.#limits, kind, database, found);
    if (rates.length === 0) return;
    const nowMs = this.#clock.monotonicMs();
    const buckets = rates.map(({ key, perSecond }) => this.#bucket(key, perSecond, nowMs));
    for (const [index, bucket] of buckets.entries()) {
      const waitMs = bucket.waitMs(nowMs);
      if (waitMs > 0) throw tooFast(rates[index]!.what, rates[index]!.perSecond, waitMs);
    }
    const amount = cost();
    for (const bucket of buckets) bucket.take(nowMs, amount);
  }

  /**
   * Room for a write that adds this much at most. A quota of bytes refuses what comes when it is used up, one of rows what would exceed it.
   * @throws QUOTA_EXCEEDED.
   */
  checkRoom(database: string, name: string, more: () => Used): void {
    const collection = this.#find(database, name);
    if (collection === undefined) return;
    this.#checkOpen(database, 'writing');
    const quotas = quotasOf(this.#limits, this.#node.catalog.databaseProperties(database), collection.properties);
    if (quotas.length === 0) return;
    const added = more();
    let full = this.#full(quotas, collection, added);
    if (full !== undefined && this.#usage.recount()) full = this.#full(quotas, collection, added);
    if (full !== undefined) throw noRoom(full, full.scope === 'database' ? database : collection.name);
    this.#usage.add(database, collection.name, added);
  }

  #full(quotas: readonly Quota[], { database, name }: CatalogCollectionInfo, added: Used): Quota | undefined {
    return quotas.find(({ scope, unit, most }) => {
      const used = this.#usage.of(database, scope === 'database' ? undefined : name);
      return unit === 'bytes' ? used.bytes >= most : added.rows > 0 && used.rows + added.rows > most;
    });
  }

  #checkOpen(database: string, what: 'reading' | 'writing'): void {
    const { catalog } = this.#node;
    if (!catalog.databases().includes(database) || !isDenied(catalog.databaseProperties(database), what)) return;
    throw new DbError('QUOTA_EXCEEDED', `database ${database}: ${what} has been disabled by its administrator`, {
      details: { database, quota: `force.deny.${what}` },
    });
  }

  #find(database: string, name: string | undefined): CatalogCollectionInfo | undefined {
    return name === undefined ? undefined : this.#node.catalog.find(database, name);
  }

  #bucket(key: string, perSecond: number, nowMs: number): TokenBucket {
    const known = this.#buckets.get(key);
    const bucket = known?.perSecond === perSecond ? known : new TokenBucket(perSecond, nowMs);
    // Asked last, forgotten last.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }
}

function tooFast(what: string, perSecond: number, retryAfterMs: number): DbError {
  return new DbError('RATE_LIMITED', `at most ${perSecond} ${what} a second expected; try again in ${retryAfterMs} ms`, {
    details: { rate: perSecond, retryAfterMs },
  });
}

function noRoom({ scope, unit, most }: Quota, name: string): DbError {
  return new DbError('QUOTA_EXCEEDED', `${scope} ${name}: at most ${most} ${unit} expected, which are there already or would be`, {
    details: { quota: `${scope}.${unit}`, limit: most, name },
  });
}
