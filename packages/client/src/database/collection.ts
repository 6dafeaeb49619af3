import { type CollectionDefinition, DbError, type FieldDefinitionOf, type PrimaryKey } from '@terndb/core';
import type { WriteRequest } from '@terndb/engine';
import type { AggregateResult } from '../api/aggregates.ts';
import type { Collection, PartitionOption, Write, WriteHandle, WriteMany } from '../api/collection.ts';
import type { CountResult, QueryResult } from '../api/reading.ts';
import type { SearchResult } from '../api/search.ts';
import type { CallLimits } from '../worker/limits.ts';
import type { WriteAnswer } from '../worker/protocol.ts';
import { toPublicQuery, toPublicSearch } from './results.ts';
import type { Session } from './session.ts';
import { ownViews } from './values.ts';
import { createHandle, createWrite, createWriteMany, type HandleOptions } from './write-handle.ts';

/** Reads end after this unless told otherwise. */
const READ_TIMEOUT_MS = 10_000;

type Loose = Readonly<Record<string, any>>;

export interface CollectionOptions {
  readonly session: Session;
  readonly name: string;
  readonly definition: CollectionDefinition;
  /** Refuses calls on a closed database object. */
  check(): DbError | undefined;
  /** Ways to stop the live queries of the database object. */
  readonly lives: Set<() => void>;
}

/** `db.<name>`: turns calls into requests. Types are those of the API; what is checked at run time is checked by the engine. */
export class CollectionProxy implements Collection<any> {
  readonly name: string;
  readonly definition: CollectionDefinition;
  /** Not a member: for entries of the package that have no part in this one (`yjs/`). */
  readonly _options: CollectionOptions;
  readonly #key: FieldDefinitionOf<'primaryKey'>;

  constructor(options: CollectionOptions) {
    this._options = options;
    this.name = options.name;
    this.definition = options.definition;
    this.#key = options.definition.fields.find((field) => field.type === 'primaryKey') as FieldDefinitionOf<'primaryKey'>;
  }

  put(entity: Loose, options: PartitionOption = {}): Write<any> {
    const [keyed] = this.#withKeys([entity]) as [Loose];
    const answer = this.#write({ type: 'put', collection: this.name, partition: options.partition, entities: [keyed] });
    const key = keyed?.[this.#key.name] as PrimaryKey;
    return createWrite(
      key,
      this.#handle(answer, { key, partition: options.partition, op: { type: 'put', fields: keyed } }, ({ keys }) => keys[0]!),
    );
  }

  putMany(entities: readonly Loose[], options: PartitionOption = {}): WriteMany<any> {
    const given = Array.isArray(entities);
    const keyed = given ? this.#withKeys(entities) : [];
    const answer = given
      ? this.#write({ type: 'put', collection: this.name, partition: options.partition, entities: keyed })
      : Promise.reject(new DbError('FIELD_INVALID', `${this.name}: putMany: an array of entities expected, got ${typeof entities}`));
    const keys = keyed.map((entity) => entity?.[this.#key.name] as PrimaryKey);
    const what = { key: keys[0], partition: options.partition, op: { type: 'put', fields: keyed[0] } };
    return createWriteMany(
      keys,
      this.#handle(answer, what, (written) => written.keys),
    );
  }

  patch(key: PrimaryKey, fields: Loose, options: PartitionOption = {}): Write<any> {
    const answer = this.#write({ type: 'patch', collection: this.name, partition: options.partition, key, fields: ownViews(fields) });
    return createWrite(
      key,
      this.#handle(answer, { key, partition: options.partition, op: { type: 'patch', fields } }, () => key),
    );
  }

  delete(key: PrimaryKey, options?: PartitionOption): Write<any>;
  delete(by: Loose): WriteHandle<readonly any[]>;
  delete(what: PrimaryKey | Loose, options: PartitionOption = {}): any {
    if (typeof what === 'object' && what !== null) return this.#deleteBy(what);
    const { partition } = options;
    const answer = this.#write({ type: 'delete', collection: this.name, partition, key: what });
    return createWrite(
      what,
      this.#handle(answer, { key: what, partition, op: { type: 'delete' } }, () => what),
    );
  }

  async get(key: PrimaryKey, options: Loose = {}): Promise<any> {
    return (await this.getMany([key], options))[0];
  }

  async getMany(keys: readonly PrimaryKey[], options: Loose = {}): Promise<any[]> {
    const { request, limits } = this.#read(options);
    const result = await this._options.session.connection.call('get', { ...request, collection: this.name, keys }, limits);
    return [...result.entities];
  }

  async query(query: Loose = {}): Promise<QueryResult<any, any>> {
    const { request, limits } = this.#read(query);
    return toPublicQuery(await this._options.session.connection.call('query', request, limits));
  }

  async count(options: Loose = {}): Promise<CountResult> {
    const { request, limits } = this.#read(options);
    return (await this._options.session.connection.call('count', request, limits)) as CountResult;
  }

  async aggregate(query: Loose): Promise<AggregateResult<any>> {
    const { request, limits } = this.#read(query);
    return (await this._options.session.connection.call('aggregate', request, limits)) as AggregateResult<any>;
  }

  async search(search: Loose): Promise<SearchResult<any, any>> {
    const { request, limits } = this.#read(search);
    return toPublicSearch(await this._options.session.connection.call('search', request, limits));
  }

  live(search: Loose, onResult: (result: any) => void, onError: (error: DbError) => void = () => {}): () => void {
    return this.#live('search', search, { onResult, onError });
  }

  liveQuery(query: Loose, onResult: (result: any) => void, onError: (error: DbError) => void = () => {}): () => void {
    return this.#live('query', query, { onResult, onError });
  }

  #live(
    kind: 'query' | 'search',
    options: Loose,
    listener: { onResult: (result: any) => void; onError: (error: DbError) => void },
  ): () => void {
    const { session, lives } = this._options;
    let end: (() => void) | undefined;
    const stop = (): void => {
      lives.delete(stop);
      end?.();
    };
    lives.add(stop);
    const start = async (): Promise<void> => {
      const { request } = this.#read(options);
      // A chunk of its own: not every page has live results.
      const { startLive } = await import('./live.ts');
      const onResult = (result: any): void => listener.onResult('hits' in result ? toPublicSearch(result) : toPublicQuery(result));
      if (lives.has(stop)) end = startLive(session.connection, { kind, request } as never, { ...listener, onResult });
    };
    start().catch((thrown) => lives.has(stop) && listener.onError(DbError.from(thrown)));
    return stop;
  }

  #deleteBy(by: Loose): WriteHandle<readonly any[]> {
    const { where, filter, filterParams, partitions } = by;
    const answer = this.#write({ type: 'deleteBy', collection: this.name, partitions, where, filter, filterParams });
    return createHandle(this.#handle(answer, { key: undefined, partition: undefined, op: { type: 'delete' } }, ({ keys }) => keys));
  }

  /** Splits what the engine answers from what ends the waiting. @throws DATABASE_CLOSED, QUERY_INVALID */
  #read(options: Loose): { request: any; limits: CallLimits } {
    const closed = this._options.check();
    if (closed !== undefined) throw closed;
    if (options === null || typeof options !== 'object')
      throw new DbError('QUERY_INVALID', `${this.name}: an object of options expected, got ${String(options)}`);
    // Scope and consistency are the worker's to answer; the limit tells it how long it may wait for a server.
    const { timeoutMs = READ_TIMEOUT_MS, signal, ...rest } = options;
    return { request: { ...ownViews(rest), timeoutMs, collection: this.name }, limits: { timeoutMs, signal } };
  }

  #write(request: WriteRequest): Promise<WriteAnswer> {
    const closed = this._options.check();
    return closed === undefined ? this._options.session.connection.call('write', request) : Promise.reject(closed);
  }

  #handle<T>(
    answer: Promise<WriteAnswer>,
    what: { key: unknown; partition: string | undefined; op: unknown },
    result: (answer: WriteAnswer) => T,
  ): HandleOptions<T> {
    const { events, storage, connection } = this._options.session;
    answer.then(
      () => storage.onWritten(),
      (error: DbError) => error.code === 'STORAGE_FULL' && storage.onFull(),
    );
    return {
      answer,
      call: connection.call.bind(connection),
      result,
      onUnobserved: (error) => {
        const { key, partition = '_default', op } = what;
        const told = events.emit('rejected', { collection: this.name, key, partition, error, op, dismiss: async () => {} });
        if (!told) console.error(error);
      },
    };
  }

  /** The entities with automatic keys filled in, so that `.key` is known at once and a write sent twice is one write. */
  #withKeys(entities: readonly Loose[]): readonly Loose[] {
    const { name, params } = this.#key;
    const mint = params.autoId && params.keyType === 'varchar';
    return entities.map((entity) => {
      if (entity === null || typeof entity !== 'object' || Array.isArray(entity)) return entity;
      const own = ownViews(entity);
      return mint && own[name] === undefined ? { ...own, [name]: this._options.session.keys.next() } : own;
    });
  }
}
