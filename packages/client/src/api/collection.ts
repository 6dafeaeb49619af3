import type {
  CollectionDefinition,
  DbError,
  DefaultFields,
  Entity,
  FieldName,
  Filter,
  Insert,
  JsonValue,
  Key,
  Patch,
  PrimaryKey,
  Shape,
  Where,
} from '@terndb/core';
import type { AggregateField, AggregateGroup, AggregateQuery, AggregateResult, Aggregates } from './aggregates.ts';
import type { CountResult, Query, QueryResult, ReadOptions, Token } from './reading.ts';
import type { Search, SearchResult } from './search.ts';

/** `local`: durable on this device. `acked`: in the server's log. `indexed`: visible to global search at the token. */
export type Level = 'local' | 'acked' | 'indexed';

/**
 * `await` waits for `local`; it is never delayed by the network. Bad input rejects (FIELD_INVALID, ENTITY_TOO_LARGE, STORAGE_FULL …), nothing is
 * thrown synchronously. Writes of one tab apply in the order of the calls. A failure of a handle that nobody awaits goes to `on('rejected')`.
 */
export interface WriteHandle<T> extends PromiseLike<T> {
  /**
   * Offline, `acked` and `indexed` stay pending; on a database that was never connected they reject with NOT_CONNECTED. Rejects with the code of
   * the refusal, TIMEOUT or ABORTED; the last two do not undo the write.
   */
  wait(level: Level, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<Token>;
}
export interface Write<Ky = PrimaryKey> extends WriteHandle<Ky> {
  readonly key: Ky;
}
/** `keys` in the order of the entities. */
export interface WriteMany<Ky = PrimaryKey> extends WriteHandle<readonly Ky[]> {
  readonly keys: readonly Ky[];
}
export interface PartitionOption {
  /** Default for a put `_default`; else where this device holds the key, PARTITION_REQUIRED if it cannot tell. */
  partition?: string;
}
/** At least one of the two, so that nothing deletes everything by accident. */
export type DeleteBy<S extends Shape> = ({ where: Where<S>; filter?: string } | { where?: undefined; filter: string }) & {
  filterParams?: Readonly<Record<string, JsonValue>>;
  partitions?: readonly string[];
};

export interface Collection<S extends Shape> {
  readonly name: string;
  readonly definition: CollectionDefinition;
  /** Inserts, or replaces the entity with this key. `.key` is known at once. */
  put(entity: Insert<S>, options?: PartitionOption): Write<Key<S>>;
  /** All or nothing on this device; the log takes one batch per shard. */
  putMany(entities: readonly Insert<S>[], options?: PartitionOption): WriteMany<Key<S>>;
  /** Sets the named fields, each last-writer-wins. Never creates or revives: an absent key is no error and has no effect. */
  patch(key: Key<S>, fields: Patch<S>, options?: PartitionOption): Write<Key<S>>;
  /** An absent key is no error. */
  delete(key: Key<S>, options?: PartitionOption): Write<Key<S>>;
  /** Deletes what matches on this device at the time of the call; gives the keys, unordered. */
  delete(by: DeleteBy<S>): WriteHandle<readonly Key<S>[]>;

  get<const Sel extends FieldName<S> = DefaultFields<S>>(
    key: Key<S>,
    options?: ReadOptions & { select?: readonly Sel[] },
  ): Promise<Entity<S, Sel> | undefined>;
  /** In the order of the keys, `undefined` for absent ones. */
  getMany<const Sel extends FieldName<S> = DefaultFields<S>>(
    keys: readonly Key<S>[],
    options?: ReadOptions & { select?: readonly Sel[] },
  ): Promise<(Entity<S, Sel> | undefined)[]>;
  query<const Sel extends FieldName<S> = DefaultFields<S>>(query?: Query<S, Sel>): Promise<QueryResult<Entity<S, Sel>, Key<S>>>;
  count(options?: Filter<S> & ReadOptions): Promise<CountResult>;
  /** Counts, sums, averages, smallest and largest values of what passes the filter, in groups. Loads its code at the first call. */
  aggregate<const G extends AggregateField<S> = never, const A extends Aggregates<S> = Record<never, never>>(
    query: AggregateQuery<S, G, A>,
  ): Promise<AggregateResult<AggregateGroup<S, G, A>>>;
  search<const Sel extends FieldName<S> = DefaultFields<S>>(search: Search<S, Sel>): Promise<SearchResult<Entity<S, Sel>, Key<S>>>;
  /**
   * Whole results, not differences: local first, then merged with the server's; at most one per frame, only when something changed. An unchanged
   * entity keeps its identity. Errors go to `onError` and do not end it. Returns the way to stop; none is delivered after that.
   */
  live<const Sel extends FieldName<S> = DefaultFields<S>>(
    search: Search<S, Sel>,
    onResult: (result: SearchResult<Entity<S, Sel>, Key<S>>) => void,
    onError?: (error: DbError) => void,
  ): () => void;
  liveQuery<const Sel extends FieldName<S> = DefaultFields<S>>(
    query: Query<S, Sel>,
    onResult: (result: QueryResult<Entity<S, Sel>, Key<S>>) => void,
    onError?: (error: DbError) => void,
  ): () => void;
}
