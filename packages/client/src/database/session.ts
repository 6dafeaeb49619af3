import { createKeyGenerator, DbError, type KeyGenerator, type SchemaDefinition } from '@terndb/core';
import { browserClock } from '../adapters/clock.ts';
import { createBrowserRng } from '../adapters/rng.ts';
import type { OpenOptions } from '../api/database.ts';
import type { EmbeddingStatus, SyncStatus } from '../api/status.ts';
import { createWorker } from '../create-worker.ts';
import type { SyncReport } from '../sync/sync-report.ts';
import { WorkerConnection } from '../worker/connection.ts';
import { PROTOCOL_VERSION } from '../worker/protocol.ts';
import { type EventMap, Events } from './events.ts';
import { forgetMarker, readMarker, writeMarker } from './loss-marker.ts';
import type { PageSync } from './page-sync.ts';
import { StorageMonitor } from './storage-monitor.ts';
import { ValueStore } from './value-store.ts';

const SYNC_OFF: SyncStatus = { state: { name: 'off' }, outbox: 0, rejected: 0, leader: false, partitions: [] };
const EMBEDDING_OFF: EmbeddingStatus = {
  state: 'off',
  model: null,
  loadedBytes: 0,
  totalBytes: null,
  done: 0,
  waiting: 0,
  paused: false,
  error: null,
};

/** One database of this page: one worker, shared by all that opened it here. */
export class Session {
  readonly name: string;
  readonly schemaText: string;
  readonly connection: WorkerConnection;
  readonly sync: ValueStore<SyncStatus> = new ValueStore(SYNC_OFF);
  readonly embedding: ValueStore<EmbeddingStatus> = new ValueStore(EMBEDDING_OFF);
  readonly storage: StorageMonitor = new StorageMonitor();
  readonly events: Events<EventMap> = new Events();
  readonly keys: KeyGenerator;
  /** Open database objects. */
  users = 0;
  /** Set once it ends: who opens the database then waits, and gets a new session. */
  closing: Promise<void> | undefined;
  #page: Promise<PageSync> | undefined;
  #loaded: PageSync | undefined;
  #report: SyncReport | undefined;
  readonly #onEnd: () => void;
  readonly #end = new AbortController();

  private constructor(name: string, definition: SchemaDefinition, { worker, onEnd }: { worker: Worker; onEnd: () => void }) {
    this.name = name;
    this.schemaText = JSON.stringify(definition);
    this.#onEnd = onEnd;
    this.keys = createKeyGenerator(browserClock, createBrowserRng());
    this.connection = new WorkerConnection(worker, {
      onLeader: (leader) => this.sync.update({ leader }),
      onEnd: () => this.#ended(),
    });
    flushWhenHidden(this.connection, this.#end.signal);
  }

  /** Starts the worker and opens the database in it. `onEnd` is called once, when the session is over for whatever reason. */
  static async open(name: string, options: OpenOptions<any>, onEnd: () => void): Promise<Session> {
    const { schema, assets, requirePersistence = false, vectors } = options;
    let session: Session | undefined;
    try {
      const wasm = assets?.wasm instanceof URL ? assets.wasm.href : resolveUrl(assets?.wasm);
      const worker = startWorker(assets?.worker);
      session = new Session(name, schema.definition, { worker, onEnd });
      // A chunk of its own, for schemas with an embedded field.
      const watchEmbedding =
        session.schemaText.includes('"embed":[') &&
        (await import('../embedding/page-embedding.ts')).startEmbedding(worker, options.embedder);
      const started = await session.connection.start({
        protocol: PROTOCOL_VERSION,
        name,
        schema: schema.definition,
        requirePersistence,
        ...(wasm && { wasm }),
        ...(vectors && { vectors }),
      });
      session.sync.update({ leader: session.sync.get().leader || started.leader });
      session.#watchSync();
      if (watchEmbedding) watchEmbedding(session, DbError.fromMessage);
      session.storage.start(started.mode);
      if (started.mode === 'indexeddb') session.#checkLoss(started.created);
      return session;
    } catch (thrown) {
      const error = DbError.from(thrown);
      session?.connection.end(error);
      throw error;
    }
  }

  /** The page's part of replication, loaded when it is first needed. */
  page(): Promise<PageSync> {
    this.#page ??= import('./page-sync.ts').then(({ PageSync }) => {
      const { connection, events, sync } = this;
      const page = new PageSync({
        call: (method, request) => connection.call(method, request),
        toError: (message) => DbError.fromMessage(message),
        isLeader: () => sync.get().leader,
        emit: (event, value) => void events.emit(event, value),
        keptRejected: events.kept('rejected'),
      });
      if (this.#report !== undefined) page.onReport(this.#report);
      this.#loaded = page;
      return page;
    });
    // Not there now (offline, and not cached): the next call tries again.
    this.#page.catch(() => {
      this.#page = undefined;
    });
    return this.#page;
  }

  close(): Promise<void> {
    this.closing ??= this.connection.close();
    return this.closing;
  }

  /** Removes what is stored, for all tabs. */
  async destroy(): Promise<void> {
    forgetMarker(this.name);
    this.closing ??= this.connection.destroy();
    await this.closing;
  }

  #watchSync(): void {
    this.connection.watch(
      { kind: 'sync' },
      {
        onResult: async (result) => {
          this.#report = result as SyncReport;
          this.sync.update(this.#report.status);
          this.#loaded?.onReport(this.#report);
        },
        onError: () => {},
      },
    );
  }

  #checkLoss(created: boolean): void {
    const marker = readMarker(this.name);
    if (created && marker !== undefined) {
      this.storage.store.update({ lossDetected: true });
      this.events.keep('lossDetected', { lastOpened: marker.lastOpened, outbox: null });
    }
    writeMarker(this.name, browserClock.nowMs());
  }

  #ended(): void {
    this.storage.stop();
    this.#end.abort();
    this.#onEnd();
  }
}

function startWorker(worker: string | URL | (() => Worker) | undefined): Worker {
  if (worker === undefined) return createWorker();
  return typeof worker === 'function' ? worker() : new Worker(worker, { type: 'module' });
}

/** The worker resolves addresses against its own place; the app means the page's. */
function resolveUrl(wasm: string | WebAssembly.Module | undefined): string | WebAssembly.Module | undefined {
  return typeof wasm === 'string' ? new URL(wasm, document.baseURI).href : wasm;
}

/** A page that is hidden may never run again: what waits for its group commit is committed now. */
function flushWhenHidden(connection: WorkerConnection, signal: AbortSignal): void {
  const flush = (): void => void connection.call('flush', undefined).catch(() => {});
  globalThis.document?.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && flush(), { signal });
  globalThis.addEventListener?.('pagehide', flush, { signal });
}
