import {
  assertNever,
  type Clock,
  type CollectionDefinition,
  compareDefinitions,
  DbError,
  type SchemaDefinition,
  schemaConflict,
} from '@terndb/core';
import { decodeToken, type Engine, type QueryResult, type ReadScope, type SearchResult } from '@terndb/engine';
import type { EmbeddingService } from '../embedding/embedding-service.ts';
import { watchByMeaning } from '../embedding/watch-by-meaning.ts';
import { loadTransfers } from '../load-transfers.ts';
import type { OutboxSlot } from '../sync/outbox-slot.ts';
import type { PresenceDesk } from '../sync/presence-desk.ts';
import type { SyncReads } from '../sync/reads.ts';
import type { SyncDoor } from '../sync/sync-door.ts';
import { type LiveEvents, type MergedWatch, watchMerged } from '../sync/watch-merged.ts';
import type { Transfers } from '../transfer/transfers.ts';
import type {
  Call,
  Calls,
  CollabReport,
  LiveResult,
  PresenceReport,
  Service,
  WatchRequest,
  WatchResult,
  WatchSink,
  WriteAnswer,
} from './protocol.ts';
import { WatchPump } from './watch-pump.ts';

/** How long a logout waits for the server to take what is unsent. */
const UPLOAD_TIMEOUT_MS = 20_000;

export interface ServiceOptions {
  readonly clock: Clock;
  readonly outbox: OutboxSlot;
  readonly presence: PresenceDesk;
  /** Another tab wants more than this engine's schema has; its call stays unanswered until the next leader takes it. */
  readonly onNewerSchema: () => void;
}

/** Answers calls with the engine of this worker. */
export class EngineService implements Service {
  readonly #engine: Engine;
  #transfers: Promise<Transfers> | undefined;

  readonly #options: ServiceOptions;
  readonly #outbox: OutboxSlot;
  readonly #presence: PresenceDesk;
  #sync: SyncDoor | undefined;
  #embedding: EmbeddingService | undefined;
  #successor: EngineService | undefined;
  /** While something runs that no call may meet halfway. */
  #gate: Promise<void> | undefined;

  constructor(engine: Engine, options: ServiceOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#outbox = options.outbox;
    this.#presence = options.presence;
  }

  /** From now on what needs a server is asked of it. */
  replicate(sync: SyncDoor): void {
    this.#sync = sync;
  }

  get #reads(): Pick<SyncReads, 'get' | 'query' | 'count' | 'aggregate' | 'search'> | Engine {
    return this.#sync?.reads ?? this.#engine;
  }

  /** Rows of embedded fields get their vectors, and searches by text the text's. */
  embed(embedding: EmbeddingService): void {
    this.#embedding = embedding;
  }

  /** This engine is closed: what still comes goes there. */
  retire(successor: EngineService): void {
    this.#successor = successor;
  }

  /** Runs `run` while no call does; those that come meanwhile follow in their order. */
  async exclusive(run: () => Promise<void>): Promise<void> {
    while (this.#gate !== undefined) await this.#gate;
    let open = (): void => {};
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    try {
      await run();
    } finally {
      this.#gate = undefined;
      open();
    }
  }

  /** The engine's part runs before this returns, so calls take effect in their order. */
  async call(call: Call): Promise<unknown> {
    while (this.#gate !== undefined) await this.#gate;
    if (this.#successor !== undefined) return await this.#successor.call(call);
    switch (call.method) {
      case 'write':
        return await this.#write(call.request);
      case 'get':
        return await this.#reads.get(call.request);
      case 'query':
        return await this.#reads.query(call.request);
      case 'count':
        return await this.#reads.count(call.request);
      case 'aggregate':
        return await this.#reads.aggregate(call.request);
      case 'search':
        return await this.#search(call.request);
      case 'pauseEmbedding':
        return this.#embedding?.setPaused(call.request);
      case 'hint':
        return this.#sync?.loaded?.hints.update(call.request.place, call.request.base, call.request.update);
      case 'presence':
        return this.#presence.say(call.request);
      case 'connect':
        return await this.#mustSync().connect(call.request);
      case 'disconnect':
        return this.#mustSync().disconnect();
      case 'token':
        return this.#mustSync().loaded?.giveToken(call.request.id, call.request.token);
      case 'wait':
        return await (await this.#mustSync().service()).wait(call.request.level, call.request.writes);
      case 'rejected':
        return this.#mustSync().loaded?.rejected() ?? [];
      case 'dismiss':
        return await (await this.#mustSync().service()).dismiss(call.request.channel, call.request.id);
      case 'upload':
        return await (await this.#mustSync().service()).upload(UPLOAD_TIMEOUT_MS);
      case 'openCollection':
        return await this.#openCollection(call.request.name);
      case 'forget':
        return await this.#mustSync().loaded?.forget();
      case 'adopt':
        return await this.#adopt(call.request);
      case 'inspect':
        return await this.#inspect(call.request);
      case 'flush':
        return await this.#engine.flush();
      case 'seal':
        return await this.#engine.seal();
      case 'exportOpen':
        return (await this.#transfer()).exports.open(call.request);
      case 'exportPage':
        return (await this.#transfer()).exports.page(call.request.exportId);
      case 'exportClose':
        return (await this.#transfer()).exports.close(call.request.exportId);
      case 'importOpen':
        return (await this.#transfer()).imports.open();
      case 'importPush':
        return (await this.#transfer()).imports.push(call.request.importId, call.request.bytes);
      case 'importCommit':
        return await (await this.#transfer()).imports.commit(call.request.importId);
      case 'importHnswlib':
        return await (await this.#transfer()).importHnswlib(call.request);
      case 'importClose':
        return (await this.#transfer()).imports.close(call.request.importId);
      default:
        return assertNever(call, 'call');
    }
  }

  watch(watch: WatchRequest, sink: WatchSink): () => void {
    const pump = new WatchPump(sink, watch.kind === 'collab' ? joinReports : watch.kind === 'presence' ? joinNews : undefined);
    const onError = (error: DbError): void => sink.onError(error);
    let stop: () => void;
    try {
      if (watch.kind === 'sync') stop = this.#mustSync().onReport((report) => pump.push(report));
      else if (watch.kind === 'collab') stop = this.#watchCollab(watch, pump, onError);
      else if (watch.kind === 'presence') stop = this.#presence.listen(watch.place, (news) => pump.push({ news: [news] }));
      else if (watch.kind === 'query') stop = this.#watchQuery(watch.request, (result) => pump.push(result), onError);
      else if (watch.kind === 'embedding') stop = this.#watchEmbedding(pump);
      else if (this.#embedding?.concerns(watch.request) === true) {
        stop = watchByMeaning(this.#embedding, { watchSearch: this.#watchSearch }, watch.request, {
          onResult: (result) => pump.push(result),
          onError,
        });
      } else stop = this.#watchSearch(watch.request, (result) => pump.push(result), onError);
    } catch (thrown) {
      sink.onError(DbError.from(thrown));
      return () => {};
    }
    return () => {
      stop();
      pump.stop();
    };
  }

  readonly #watchQuery: Engine['watchQuery'] = (request, onResult, onError) => {
    const read = (): Promise<LiveResult> => Promise.resolve(this.#reads.query(request));
    const watchHere: MergedWatch['watchHere'] = (onHere) => this.#engine.watchQuery(this.#hereOf(request), onHere, onError);
    return this.#watchMerged(request, { read, watchHere }, { onResult: (result) => onResult(result as QueryResult), onError });
  };

  readonly #watchSearch: Engine['watchSearch'] = (request, onResult, onError) => {
    const read = (): Promise<LiveResult> => Promise.resolve(this.#reads.search(request));
    const watchHere: MergedWatch['watchHere'] = (onHere) => this.#engine.watchSearch(this.#hereOf(request), onHere, onError);
    return this.#watchMerged(request, { read, watchHere }, { onResult: (result) => onResult(result as SearchResult), onError });
  };

  #hereOf<R extends ReadScope>(request: R): R {
    return this.#sync?.reads?.hereOf(request) ?? request;
  }

  #watchMerged(request: ReadScope, how: Pick<MergedWatch, 'read' | 'watchHere'>, events: LiveEvents): () => void {
    const asksServer = (): boolean => this.#sync?.reads?.asksServer(request) === true;
    const onLink = (listener: () => void): (() => void) => this.#sync?.onReport(listener) ?? (() => {});
    return watchMerged({ clock: this.#options.clock, asksServer, onLink, ...how }, events);
  }

  /** With what others say of this document before the log does. */
  #watchCollab(
    { place, hints }: Extract<WatchRequest, { kind: 'collab' }>,
    pump: WatchPump,
    onError: (error: DbError) => void,
  ): () => void {
    let leave = (): void => {};
    const stop = this.#engine.watchCollab(
      place,
      (event) => {
        pump.push({ events: [event] });
        if (event.type === 'updates' || !hints) return;
        leave();
        if (event.type === 'document')
          leave = this.#sync?.loaded?.hints.join(place, event.base, (update) => pump.push({ events: [{ type: 'hint', update }] })) ?? leave;
      },
      onError,
    );
    return () => {
      leave();
      stop();
    };
  }

  #watchEmbedding(pump: WatchPump): () => void {
    const embedding = this.#embedding;
    if (embedding === undefined) return () => {};
    pump.push(embedding.report());
    return embedding.onReport(() => pump.push(embedding.report()));
  }

  async #inspect(options: Calls['inspect']['in']): Promise<Calls['inspect']['out']> {
    const recall = options?.recall && (await this.#engine.recall(options.recall));
    const explain = options?.explain && (await this.#engine.explain(options.explain));
    return { ...this.#engine.inspect(), ...(recall && { recall }), ...(explain && { explain }) };
  }

  async #search(request: Calls['search']['in']): Promise<unknown> {
    const embedding = this.#embedding;
    const embedded = embedding?.concerns(request) === true ? await embedding.withVectors(request) : request;
    return await this.#reads.search(embedded);
  }

  async #write(request: Calls['write']['in']): Promise<WriteAnswer> {
    const { result: ticket, writes } = this.#outbox.capture(() => this.#engine.write(request));
    const { token } = await ticket.durable;
    // A write that changed nothing has nothing to wait for.
    const isEmpty =
      writes.length === 0 && this.#sync?.isConnected === true && decodeToken(token).every(({ positions }) => positions.size === 0);
    return writes.length > 0 || isEmpty ? { keys: ticket.keys, token, writes } : { keys: ticket.keys, token };
  }

  async #openCollection(name: string): Promise<CollectionDefinition> {
    const known = this.#engine.schema.collections[name];
    if (known !== undefined) return known;
    // Nobody else could know it.
    if (this.#sync?.isConnected !== true) throw new DbError('COLLECTION_UNKNOWN', `collection ${name}: one of the schema expected`);
    return await (await this.#sync.service()).openCollection(name);
  }

  #mustSync(): SyncDoor {
    if (this.#sync === undefined)
      throw new DbError('STORAGE_UNAVAILABLE', 'replication: an open database expected, got one that is opening; try again');
    return this.#sync;
  }

  #adopt(wanted: SchemaDefinition): Promise<undefined> {
    // What a server added is not the tab's to know.
    const { schema } = this.#engine;
    const known = this.#sync?.isConnected === true ? fill(wanted, schema) : wanted;
    const difference = compareDefinitions(schema, known);
    switch (difference.type) {
      case 'equal':
        return Promise.resolve(undefined);
      case 'additive':
        this.#options.onNewerSchema();
        return new Promise(() => {});
      case 'older':
      case 'conflict':
        throw schemaConflict(difference);
      default:
        return assertNever(difference, 'schema difference');
    }
  }

  /** Gives back what exports pin. */
  close(): void {
    this.#embedding?.close();
    // What never loaded has nothing to give back.
    this.#transfers?.then(({ exports }) => exports.closeAll()).catch(() => {});
  }

  /** Loaded by the first export or import. What fails to load is tried again. */
  #transfer(): Promise<Transfers> {
    this.#transfers ??= loadTransfers().then(({ Transfers }) => new Transfers(this.#engine));
    this.#transfers.catch(() => {
      this.#transfers = undefined;
    });
    return this.#transfers;
  }
}

/** A document that comes whole makes what was to be told before it needless. */
function joinReports(waiting: WatchResult, next: WatchResult): WatchResult {
  const later = (next as CollabReport).events;
  const earlier = later.some(({ type }) => type === 'document' || type === 'gone') ? [] : (waiting as CollabReport).events;
  return { events: [...earlier, ...later] };
}

/** The newest of each. */
function joinNews(waiting: WatchResult, next: WatchResult): WatchResult {
  const news = new Map([...(waiting as PresenceReport).news, ...(next as PresenceReport).news].map((one) => [one.peer, one]));
  return { news: [...news.values()] };
}

/** The wanted collections with the fields that only the engine has, where the two do not contradict each other. */
export function fill(wanted: SchemaDefinition, engine: SchemaDefinition): SchemaDefinition {
  const collections = Object.fromEntries(
    Object.entries(wanted.collections).map(([name, definition]) => {
      const known = engine.collections[name];
      if (known === undefined) return [name, definition];
      const one = { format: 1, version: 1, collections: { [name]: definition } } as const;
      const isOlder = compareDefinitions({ ...one, collections: { [name]: known } }, one).type === 'older';
      return [name, isOlder ? known : definition];
    }),
  );
  return { ...wanted, collections };
}
