import { type Clock, comparePrimaryKeys, DbError, type PrimaryKey, type SingleOp } from '@terndb/core';
import type {
  AggregateRequest,
  AggregateResult,
  CountRequest,
  CountResult,
  Engine,
  GetRequest,
  GetResult,
  QueryRequest,
  QueryResult,
  ReadScope,
  SearchHit,
  SearchRequest,
  SearchResult,
} from '@terndb/engine';
import type {
  GlobalAggregateAnswer,
  GlobalCountAnswer,
  GlobalGetAnswer,
  GlobalQueryAnswer,
  GlobalReadInfo,
  GlobalSearchAnswer,
} from '@terndb/sync';
import { contentVersion, mergeHits, orderOf } from './merge-answers.ts';
import { levelOf, levelUnavailable } from './read-level.ts';
import { type Budgeted, HYBRID_BUDGET_MS, joinInfo, type Plan, ReadPlanner } from './read-plan.ts';
import type { SyncService } from './sync-service.ts';
import { underOutbox } from './under-outbox.ts';

const DEFAULT_LIMITS = { query: 100, search: 10 } as const;

/**
 * Reads of a database that follows a server, at the scope and consistency they ask for. One source per partition: this device where it has all
 * rows and they are fresh enough, else the server; the outbox is laid over both.
 */
export class SyncReads {
  readonly #engine: Engine;
  readonly #sync: SyncService;
  readonly #planner: ReadPlanner;

  constructor(engine: Engine, sync: SyncService, clock: Clock) {
    this.#engine = engine;
    this.#sync = sync;
    this.#planner = new ReadPlanner(engine, sync, clock);
  }

  async get(request: GetRequest & Budgeted): Promise<GetResult> {
    if (!this.#isMine(request)) return this.#engine.get(request);
    const plan = await this.#planner.plan(request);
    const local = plan.scope === 'global' ? undefined : this.#engine.get(this.#hereOf(request));
    if (plan.there.length === 0) return { ...local!, ...this.#planner.info(plan, local, undefined) };
    const opsOf = (key: unknown): readonly SingleOp[] => this.#pendingOps(request.collection, plan.there, toKey(key));
    // Where the server answers, this device knows its own writes only: its rows may be some of them, or old.
    const isOwn = (key: unknown, index: number): boolean => {
      if (local === undefined) return false;
      const ops = opsOf(key);
      return ops.length > 0 && (local.entities[index] !== undefined || ops.some(({ type }) => type === 'put' || type === 'delete'));
    };
    const here = this.#planner.known(request.collection, plan.here);
    const sure = local === undefined || here.length === 0 ? undefined : this.#engine.get({ ...localOf(request), partitions: here });
    const missing = request.keys.filter((key, index) => sure?.entities[index] === undefined && !isOwn(key, index));
    if (missing.length === 0) return { ...local!, ...this.#planner.info(plan, local, undefined) };
    const answer = await this.#ask<GlobalGetAnswer, GetRequest & Budgeted>('get', { ...request, keys: missing }, plan);
    const definition = this.#engine.definition(request.collection);
    const found = new Map(
      missing.map((key, index) => {
        const entity = answer?.entities[index] ?? undefined;
        return [key, entity && underOutbox(definition, { key: toKey(key), entity }, opsOf(key)).entity];
      }),
    );
    const entities = request.keys.map((key, index) =>
      isOwn(key, index) || answer === undefined ? local?.entities[index] : (sure?.entities[index] ?? found.get(key)),
    );
    return { entities, ...this.#planner.info(plan, local, answer) };
  }

  async count(request: CountRequest & Budgeted): Promise<CountResult> {
    if (!this.#isMine(request)) return this.#engine.count(request);
    const plan = await this.#planner.plan(request);
    const local =
      plan.here.length === 0
        ? undefined
        : this.#engine.count({ ...localOf(request), partitions: this.#planner.known(request.collection, plan.here) });
    const answer =
      plan.there.length === 0 ? undefined : await this.#ask<GlobalCountAnswer, CountRequest & Budgeted>('count', request, plan);
    return { count: (local?.count ?? 0) + (answer?.count ?? 0), ...this.#planner.info(plan, local, answer) };
  }

  /** As counts: each partition from one source, without what its outbox has where that is the server. Parts of both are joined before the order and the limit. */
  async aggregate(request: AggregateRequest & Budgeted): Promise<AggregateResult> {
    if (!this.#isMine(request)) return await this.#engine.aggregate(request);
    const plan = await this.#planner.plan(request);
    const isShared = plan.here.length > 0;
    const wanted = isShared ? { ...request, orderBy: undefined, limit: undefined, partial: true } : request;
    const answer =
      plan.there.length === 0 ? undefined : await this.#ask<GlobalAggregateAnswer, AggregateRequest & Budgeted>('aggregate', wanted, plan);
    if (answer !== undefined && !isShared) return { groups: answer.groups, ...this.#planner.info(plan, undefined, answer) };
    const partitions = this.#planner.known(request.collection, plan.here);
    const local = await this.#engine.aggregate({ ...localOf(request), partitions }, answer?.groups);
    return { groups: local.groups, ...this.#planner.info(plan, isShared ? local : undefined, answer) };
  }

  async query(request: QueryRequest & Budgeted): Promise<QueryResult> {
    if (!this.#isMine(request)) return this.#engine.query(request);
    const plan = await this.#planner.plan(request);
    const { limit = DEFAULT_LIMITS.query, offset = 0 } = request;
    const window = { offset: 0, limit: limit + offset };
    if (plan.there.length === 0) {
      const local = this.#engine.query(this.#hereOf(request));
      return { ...local, ...this.#planner.info(plan, local, undefined) };
    }
    const answer = await this.#ask<GlobalQueryAnswer, QueryRequest & Budgeted>(
      'query',
      { ...request, ...window, select: this.#selectFor(request) },
      plan,
    );
    const rows = new Map<PrimaryKey, { readonly entity: Readonly<Record<string, unknown>>; readonly version: number }>();
    const theirs = new Map<PrimaryKey, Readonly<Record<string, unknown>>>();
    for (const [index, key] of (answer?.keys ?? []).entries()) theirs.set(toKey(key), answer!.entities[index]!);
    const pending = new Set<PrimaryKey>();
    for (const [key, given] of theirs) {
      const { entity, isPending } = this.#underOutbox(request.collection, plan.there, { key, entity: given });
      if (entity !== undefined) rows.set(key, { entity, version: contentVersion(entity) });
      if (isPending) pending.add(key);
    }
    const { sure, own } = this.#sides(request, plan, (partitions) => this.#engine.query({ ...localOf(request), ...window, partitions }));
    for (const side of [sure, own]) {
      const mine = new Set(side?.pendingKeys.map(toKey));
      for (const [index, key] of (side?.keys.map(toKey) ?? []).entries()) {
        if (side === own && answer !== undefined && !mine.has(key)) continue;
        rows.set(key, { entity: side!.entities[index]!, version: side!.versions[index]! });
        if (mine.has(key)) pending.add(key);
      }
    }
    const compare = orderOf(request.orderBy);
    const sorted = [...rows]
      .sort(([a, x], [b, y]) => compare(x.entity, y.entity) || comparePrimaryKeys(a, b))
      .slice(offset, offset + limit);
    return {
      keys: sorted.map(([key]) => key),
      entities: sorted.map(([, { entity }]) => entity),
      versions: sorted.map(([, { version }]) => version),
      pendingKeys: sorted.map(([key]) => key).filter((key) => pending.has(key)),
      ...this.#planner.info(plan, answer === undefined ? joinInfo(sure, own) : sure, answer),
    };
  }

  async search(request: SearchRequest & Budgeted): Promise<SearchResult> {
    if (!this.#isMine(request)) return this.#engine.search(request);
    const plan = await this.#planner.plan(request);
    const { limit = DEFAULT_LIMITS.search, offset = 0 } = request;
    if (plan.there.length === 0) {
      const local = this.#engine.search(this.#hereOf(request));
      return { ...local, ...this.#planner.info(plan, local, undefined) };
    }
    // What the overlay masks of the server's hits must not leave the list short.
    const masked = plan.there.reduce((sum, partition) => sum + this.#outboxOf(request.collection, partition), 0);
    const window = { offset: 0, limit: limit + offset };
    const wide = { ...request, offset: 0, limit: Math.min(limit + offset + masked, 16_384) };
    const answer = await this.#ask<GlobalSearchAnswer, SearchRequest & Budgeted>('search', wide, plan);
    const { sure, own } = this.#sides(request, plan, (partitions) => this.#engine.search({ ...localOf(request), ...window, partitions }));
    const ownHits = own?.hits.filter(({ pending }) => pending || answer === undefined) ?? [];
    const mine = [...(sure?.hits ?? []), ...ownHits];
    const known = new Set(mine.map(({ key }) => toKey(key)));
    const theirs = (answer?.hits ?? []).flatMap((hit): SearchHit[] => {
      const pk = toKey(hit.key);
      if (known.has(pk)) return [];
      const { entity, isPending } = this.#underOutbox(request.collection, plan.there, { key: pk, entity: hit.entity });
      if (entity === undefined) return [];
      return [{ ...(hit as SearchHit), key: pk, entity, from: 'global', pending: isPending, version: contentVersion(entity) }];
    });
    // Scores of words depend on all texts of a side, and fused ones on its ranks, so they are compared by rank.
    const byRank = [request.text, request.vectors].some((value) => value !== undefined && value !== null);
    const hits = mergeHits(mine, theirs, byRank).slice(offset, offset + limit);
    const exact = (sure?.exact ?? true) && (ownHits.length === 0 || own!.exact) && (answer?.exact ?? true);
    return { hits, exact, ...this.#planner.info(plan, answer === undefined ? joinInfo(sure, own) : sure, answer) };
  }

  /** Whether the server has a part in the answer now, as far as can be said without waiting. */
  asksServer(request: Budgeted): boolean {
    if (!this.#isMine(request) || !this.#sync.isOnline || request.scope === 'local') return false;
    const { collection } = request;
    const isThere = (partition: string): boolean => this.#sync.followed.channelsOf(collection, partition).length > 0;
    return this.#planner
      .wanted(request)
      .some((one) => isThere(one) && (request.scope === 'global' || !this.#planner.isComplete(collection, one)));
  }

  /** The part of a request that this device answers. */
  hereOf<R extends Budgeted>(request: R): R {
    return this.#isMine(request) ? this.#hereOf(request) : request;
  }

  /** Without replication the engine answers, refusals included. */
  #isMine({ scope, consistency }: ReadScope): boolean {
    if (!this.#sync.isConnected) return false;
    const known = scope === undefined || scope === null || scope === 'local' || scope === 'global' || scope === 'hybrid';
    return known && levelOf(consistency) !== undefined;
  }

  /** Without partitions that are only searched: nothing of them is here, and the result says so. */
  #hereOf<R extends Budgeted>(request: R): R {
    const { partitions } = request;
    const local = localOf(request);
    return partitions === undefined || partitions === null
      ? local
      : { ...local, partitions: this.#planner.known(request.collection, partitions) };
  }

  /**
   * This device's part of a read that the server has one in: `sure` of the partitions that it answers for, and `own` of those that the server
   * answers for. Of these only what is pending counts beside the server's answer: the rest may be some of the rows, or old ones.
   */
  #sides<R>(request: ReadScope, plan: Plan, read: (partitions: readonly string[]) => R): { readonly sure?: R; readonly own?: R } {
    if (plan.scope === 'global') return {};
    const here = this.#planner.known(request.collection, plan.here);
    const there = this.#planner.shown(request).filter((partition) => plan.there.includes(partition));
    return { ...(here.length === 0 ? {} : { sure: read(here) }), ...(there.length === 0 ? {} : { own: read(there) }) };
  }

  #underOutbox(collection: string, partitions: readonly string[], row: Parameters<typeof underOutbox>[1]): ReturnType<typeof underOutbox> {
    const ops = this.#pendingOps(collection, partitions, row.key);
    return underOutbox(this.#engine.definition(collection), row, ops);
  }

  #outboxOf(collection: string, partition: string): number {
    return this.#sync.followed
      .channelsOf(collection, partition)
      .reduce((sum, { channel }) => sum + this.#sync.followed.outboxSizeOf(channel), 0);
  }

  #pendingOps(collection: string, partitions: readonly string[], key: PrimaryKey): readonly SingleOp[] {
    return partitions.flatMap((partition) =>
      this.#sync.followed.channelsOf(collection, partition).flatMap(({ channel }) => this.#sync.followed.pendingOps(channel, key)),
    );
  }

  /** The server's part; undefined when a hybrid read goes on without it. */
  async #ask<R extends GlobalReadInfo, Q extends Budgeted>(what: string, request: Q, plan: Plan): Promise<R | undefined> {
    const { scope: _, timeoutMs: __, partitions: ___, consistency, ...rest } = request;
    // What this device waits for by itself needs no guarantee of the server.
    const level = consistency ?? (plan.scope === 'global' ? 'session' : 'eventually');
    const body = {
      ...rest,
      partitions: plan.there,
      consistency: level === 'session' ? { atLeast: this.#planner.sessionToken(request.collection) } : level,
      timeoutMs: plan.budgetMs,
    };
    try {
      return (await this.#sync.read(what, body, plan.budgetMs)) as R;
    } catch (thrown) {
      const error = DbError.from(thrown);
      if (error.kind !== 'unavailable') throw error;
      if (plan.scope !== 'global' && plan.budgetMs > HYBRID_BUDGET_MS) {
        if (error.code === 'TIMEOUT') throw error;
        throw levelUnavailable(request, `the server does not answer (${error.code})`);
      }
      if (plan.scope === 'global')
        throw consistency === 'strong' && error.code !== 'TIMEOUT'
          ? levelUnavailable(request, `the server does not answer (${error.code})`)
          : error;
      return undefined;
    }
  }

  #selectFor({ select, orderBy }: QueryRequest): readonly string[] | undefined {
    if (select === undefined || select === null) return undefined;
    const terms = (Array.isArray(orderBy) ? orderBy : orderBy === undefined ? [] : [orderBy]) as readonly { readonly field: string }[];
    return [...new Set([...select, ...terms.map(({ field }) => field)])];
  }
}

/** As the engine takes it: here, and as it is; it compares a token with what it shows. */
function localOf<R extends Budgeted>(request: R): R {
  const { scope: _, consistency, timeoutMs: __, ...rest } = request;
  const isToken = typeof consistency === 'object' && consistency !== null && 'atLeast' in consistency;
  return (isToken ? { ...rest, consistency } : rest) as R;
}

/** Int64 keys are numbers where they are safe integers, on both sides. */
function toKey(key: unknown): PrimaryKey {
  return key as PrimaryKey;
}
