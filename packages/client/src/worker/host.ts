import { type Clock, compareDefinitions, DbError, type Locks, mergeDefinitions, type Rng, type SchemaDefinition } from '@terndb/core';
import { type Engine, type EngineOptions, openEngine } from '@terndb/engine';
import { type HnswlibLibrary, kindsWithHnswlib, usesHnswlib } from '@terndb/engine/parts';
import type { Kernel } from '@terndb/kernel';
import { type ProxyMethods, releaseProxy } from 'comlink';
import { BroadcastBus } from '../adapters/bus.ts';
import { EmbeddingService } from '../embedding/embedding-service.ts';
import { DEFAULT_EMBEDDER, type EmbedderSetup } from '../embedding/listen.ts';
import { openOpfsScratch } from '../storage/opfs-scratch.ts';
import { deleteStorage, openStorage, type Storage } from '../storage/storage.ts';
import type { Network } from '../sync/network.ts';
import { OutboxSlot } from '../sync/outbox-slot.ts';
import { PresenceDesk } from '../sync/presence-desk.ts';
import type { SyncPorts } from '../sync/service-ports.ts';
import { type LoadReplication, SyncDoor } from '../sync/sync-door.ts';
import { LeaderDesk } from '../tabs/leader-desk.ts';
import { leaderLock, tabLock } from '../tabs/messages.ts';
import { TabRouter } from '../tabs/router.ts';
import { beginTerm } from '../tabs/term.ts';
import { EngineService } from './engine-service.ts';
import {
  type Call,
  PROTOCOL_VERSION,
  type Started,
  type StartOptions,
  type WatchRequest,
  type WorkerApi,
  type WorkerEvent,
} from './protocol.ts';

export interface HostPorts {
  readonly clock: Clock;
  readonly rng: Rng;
  /** Missing in insecure contexts: every tab then works alone. */
  readonly locks: Locks | undefined;
  /** Names this worker among the tabs; never used twice. */
  readonly tab: string;
  readonly network: Network;
  loadKernel(wasm: string | WebAssembly.Module | undefined): Promise<Kernel>;
  /** For schemas that ask for it; a chunk of its own. */
  loadHnswlib?(): Promise<HnswlibLibrary>;
  /** A file of its own, for databases that are connected. */
  readonly loadReplication: LoadReplication;
  /** Which embedder the page asked for before it started the database; left out: the one that ships with Tern. */
  readonly embedder?: () => EmbedderSetup;
}

/** What runs while this worker leads. */
interface Leadership {
  readonly engine: Engine;
  readonly service: EngineService;
  readonly desk: LeaderDesk | undefined;
  readonly sync: SyncDoor | undefined;
}

/**
 * The engine worker: opens storage, takes part in the election and, while it leads, runs the engine for all tabs. A worker that follows keeps
 * only its storage connection (to hear of deletion) and forwards calls.
 */
export class WorkerHost implements WorkerApi {
  readonly #ports: HostPorts;
  #name = '';
  #onEvent: (event: WorkerEvent) => Promise<void> = async () => {};
  #storage: Storage | undefined;
  #router: TabRouter | undefined;
  #bus: BroadcastBus | undefined;
  #leadership: Leadership | undefined;
  #kernel: Promise<Kernel> | undefined;
  #hnswlib: Promise<HnswlibLibrary> | undefined;
  readonly #watches = new Map<number, () => void>();
  /** Ends waiting for locks. */
  readonly #abort = new AbortController();
  /** Ends holding them. */
  #release: () => void = () => {};
  readonly #released: Promise<void> = new Promise((resolve) => {
    this.#release = resolve;
  });
  #closing: Promise<void> | undefined;

  constructor(ports: HostPorts) {
    this.#ports = ports;
  }

  async start(options: StartOptions, onEvent: (event: WorkerEvent) => Promise<void>): Promise<Started> {
    if (options.protocol !== PROTOCOL_VERSION) throw otherBuild(options.protocol);
    this.#name = options.name;
    this.#onEvent = onEvent;
    const { requirePersistence } = options;
    this.#storage = await openStorage(options.name, { requirePersistence, onVersionChange: () => this.#onDeleted() });
    const { mode, created } = this.#storage;
    try {
      if (mode === 'memory' || this.#ports.locks === undefined) await this.#startAlone(options, this.#storage);
      else await this.#startAmongTabs(options, this.#storage, this.#ports.locks);
    } catch (thrown) {
      await this.#end(DbError.from(thrown));
      throw thrown;
    }
    const lifeLock = this.#bus === undefined ? undefined : tabLock(options.name, this.#ports.tab);
    return { mode, created, leader: this.#router?.leads ?? false, lifeLock };
  }

  call(call: Call): Promise<unknown> {
    if (this.#router === undefined) return Promise.reject(new DbError('DATABASE_CLOSED', `${call.method}: the database was not opened`));
    return this.#router.call(call);
  }

  watch(id: number, watch: WatchRequest): void {
    const stop = this.#router?.watch(watch, {
      onResult: (result) => this.#onEvent({ type: 'result', watch: id, result }),
      onError: (error) => void this.#onEvent({ type: 'error', watch: id, error: error.toJSON() }),
    });
    if (stop !== undefined) this.#watches.set(id, stop);
  }

  unwatch(id: number): void {
    this.#watches.get(id)?.();
    this.#watches.delete(id);
  }

  /** The browser says that the network is back. */
  wake(): void {
    this.#leadership?.sync?.loaded?.wake();
  }

  async close(): Promise<void> {
    await this.#end(new DbError('DATABASE_CLOSED', `database ${this.#name}: closed`));
  }

  async destroy(): Promise<void> {
    const stored = this.#storage?.mode === 'indexeddb';
    await this.close();
    if (stored) await deleteStorage(this.#name);
  }

  async #startAlone(options: StartOptions, storage: Storage): Promise<void> {
    if (storage.mode === 'indexeddb')
      console.warn(`terndb: no Web Locks in this context; tabs of database ${options.name} do not see each other`);
    this.#router = new TabRouter({ database: options.name, tab: this.#ports.tab, clock: this.#ports.clock, schema: options.schema });
    await this.#lead(options, storage, undefined);
  }

  async #startAmongTabs(options: StartOptions, storage: Storage, locks: Locks): Promise<void> {
    const { tab, clock } = this.#ports;
    const bus = new BroadcastBus();
    this.#bus = bus;
    await this.#holdTabLock(locks);
    const router = new TabRouter({ database: options.name, tab, clock, schema: options.schema, bus });
    this.#router = router;
    const led = locks.hold(leaderLock(options.name), { signal: this.#abort.signal }, async () => {
      await this.#lead(options, storage, locks);
      await this.#released;
    });
    // Whoever leads first: this worker (or it fails to), or another one that takes our schema.
    await Promise.race([router.ready(), led]);
    for (const ended of [router.refused, led]) {
      ended.catch((thrown: unknown) => {
        if (!this.#abort.signal.aborted) void this.#fail(DbError.from(thrown));
      });
    }
  }

  #holdTabLock(locks: Locks): Promise<void> {
    return new Promise((resolve, reject) => {
      locks
        .hold(tabLock(this.#name, this.#ports.tab), {}, () => {
          resolve();
          return this.#released;
        })
        .catch(reject);
    });
  }

  /** Opens the engine and takes over the calls. */
  async #lead(options: StartOptions, storage: Storage, locks: Locks | undefined): Promise<void> {
    const term = await beginTerm(storage.meta);
    this.#kernel ??= this.#ports.loadKernel(options.wasm);
    const [kernel] = await Promise.all([this.#kernel, storage.clean()]);
    const service = await this.#openEngine(options, storage, { term, kernel, locks });
    const { tab } = this.#ports;
    const desk = locks && this.#bus && new LeaderDesk({ database: options.name, tab, term, bus: this.#bus, locks }, service);
    this.#leadership = { ...this.#leadership!, desk };
    this.#router?.lead(service);
    desk?.announce();
    void this.#onEvent({ type: 'leader', leader: true });
  }

  /** The same worker as the leader of a new term, with a schema that it has just learnt: calls that wait are asked again of it. */
  async #leadAgain(options: StartOptions, storage: Storage, locks: Locks | undefined): Promise<void> {
    const before = this.#leadership;
    if (before === undefined || this.#closing !== undefined) return;
    try {
      await before.service.exclusive(async () => {
        before.desk?.stop();
        before.service.close();
        await before.sync?.close();
        await before.engine.close();
        await this.#lead(options, storage, locks);
        before.service.retire(this.#leadership!.service);
      });
    } catch (thrown) {
      await this.#fail(DbError.from(thrown));
    }
  }

  /** hnswlib where a field asks for it. Without it (it is not there, or does not start) Tern's own graphs serve. */
  async #indexKinds(schema: SchemaDefinition): Promise<Pick<EngineOptions, 'indexKinds'>> {
    const isWanted = Object.values(schema.collections).some(({ fields }) => fields.some(usesHnswlib));
    if (!isWanted || this.#ports.loadHnswlib === undefined) return {};
    try {
      this.#hnswlib ??= this.#ports.loadHnswlib();
      return { indexKinds: kindsWithHnswlib(await this.#hnswlib) };
    } catch (error) {
      this.#hnswlib = undefined;
      console.warn(`terndb: database ${this.#name}: hnswlib is not here, graphs are Tern's own`, error);
      return {};
    }
  }

  /** The engine with what is followed; again when a server's schema has more than the engine's. */
  async #openEngine(
    options: StartOptions,
    storage: Storage,
    of: { readonly term: number; readonly kernel: Kernel; readonly locks: Locks | undefined },
  ): Promise<EngineService> {
    const { clock, rng, network } = this.#ports;
    const { log, meta, objects, rows } = storage;
    const { term, kernel, locks } = of;
    const outbox = new OutboxSlot();
    const presence = new PresenceDesk();
    const known = await SyncDoor.knownSchema(rows);
    const schema = known === undefined ? options.schema : widen(options.schema, known.schema, known.opened);
    const kinds = await this.#indexKinds(schema);
    const scratch = options.vectors === 'stored' ? await openOpfsScratch(options.name, this.#ports.tab) : undefined;
    const engine = await openEngine({ ports: { log, meta, objects, clock, rng, kernel, scratch }, schema, outbox, ...kinds });
    const service = new EngineService(engine, { clock, outbox, presence, onNewerSchema: () => void this.#fail(newerSchema(options.name)) });
    this.#leadership = { engine, service, desk: undefined, sync: undefined };
    const ports: SyncPorts = {
      clock,
      rng,
      network,
      rows,
      objects,
      engine,
      outbox,
      presence,
      term,
      exclusive: (run) => service.exclusive(run),
      onSchema: () => void this.#leadAgain(options, storage, locks),
      onFailed: (error) => void this.#fail(error),
    };
    const sync = await SyncDoor.open(ports, this.#ports.loadReplication);
    service.replicate(sync);
    if (EmbeddingService.isNeeded(engine)) {
      // Once connected, a row's vector is its author's to make (design 5).
      const mayEmbed = (_partition: string, author: string): boolean => !sync.isConnected || author === engine.clientId;
      const setup = this.#ports.embedder?.() ?? DEFAULT_EMBEDDER;
      service.embed(new EmbeddingService({ engine, clock, meta, mayEmbed, ...setup }));
    }
    this.#leadership = { engine, service, desk: undefined, sync };
    return service;
  }

  /** Another tab deletes the database: what is under way is finished, then everything ends. */
  async #onDeleted(): Promise<void> {
    await this.#fail(new DbError('DATABASE_CLOSED', `database ${this.#name}: deleted or upgraded by another tab`));
  }

  async #fail(error: DbError): Promise<void> {
    await this.#end(error, () => void this.#onEvent({ type: 'closed', error: error.toJSON() })).catch(() => {});
  }

  /** `tell` is called when everything is done but for the locks: the page ends this worker when it hears it. */
  #end(error: DbError, tell: () => void = () => {}): Promise<void> {
    this.#closing ??= this.#endOnce(error, tell);
    return this.#closing;
  }

  async #endOnce(error: DbError, tell: () => void): Promise<void> {
    this.#abort.abort();
    // The desk first: what other tabs still wait for is for the next leader. This tab's own calls are finished by the engine's close.
    this.#leadership?.desk?.stop();
    for (const stop of this.#watches.values()) stop();
    this.#watches.clear();
    this.#leadership?.service.close();
    await this.#leadership?.sync?.close().catch(() => {});
    try {
      await this.#leadership?.engine.close();
    } finally {
      this.#router?.end(error);
      this.#bus?.close();
      await this.#storage?.close();
      tell();
      // Without this the port of the page's function stays open, and with it a process of Node.
      (this.#onEvent as Partial<ProxyMethods>)[releaseProxy]?.();
      this.#release();
    }
  }
}

/**
 * The app's schema with the fields that only the server has, and the collections that were opened by name. What contradicts it is found when the
 * database connects. Times to live stay the app's: the server's are for what is followed.
 */
function widen(wanted: SchemaDefinition, server: SchemaDefinition, opened: readonly string[]): SchemaDefinition {
  const isKnown = (name: string): boolean => wanted.collections[name] !== undefined || opened.includes(name);
  const collections = Object.fromEntries(
    Object.entries(server.collections)
      .filter(([name]) => isKnown(name))
      .map(([name, definition]) => [name, { ...(wanted.collections[name] ?? definition), fields: definition.fields }]),
  );
  const known = { ...server, collections };
  return compareDefinitions(wanted, known).type === 'additive' ? mergeDefinitions(wanted, known) : wanted;
}

function newerSchema(database: string): DbError {
  const message = `database ${database}: another tab opened it with a newer schema; reload this page`;
  return new DbError('SCHEMA_CONFLICT', message, { details: { database, reason: 'newer-schema' } });
}

function otherBuild(got: number): DbError {
  return new DbError(
    'PROTOCOL_INCOMPATIBLE',
    `engine worker: protocol ${PROTOCOL_VERSION} expected, got ${got}; page and worker must come from one build`,
    {
      details: { expected: PROTOCOL_VERSION, got },
    },
  );
}
