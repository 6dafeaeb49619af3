import { type CollectionDefinition, DbError, type DynamicShape, type Schema, type Shapes } from '@terndb/core';
import type { Collection } from '../api/collection.ts';
import type {
  Connection,
  ConnectOptions,
  Database,
  DatabaseEvents,
  DatabaseMembers,
  ImportOptions,
  InspectOptions,
  TransferOptions,
} from '../api/database.ts';
import type { EmbeddingStore, StorageStatus, Store, SyncStatus } from '../api/status.ts';
import { CollectionProxy } from './collection.ts';
import type { Session } from './session.ts';

/** What one `open` gave: a handle on the page's session for that name. */
class DatabaseHandle implements DatabaseMembers<any> {
  readonly name: string;
  readonly schema: Schema<any>;
  readonly sync: Store<SyncStatus>;
  readonly storage: Store<StorageStatus>;
  readonly embedding: EmbeddingStore;
  readonly #session: Session;
  #closed: Promise<void> | undefined;
  readonly #lives = new Set<() => void>();

  constructor(session: Session, schema: Schema<any>) {
    this.#session = session;
    this.name = session.name;
    this.schema = schema;
    this.sync = session.sync;
    this.storage = session.storage.store;
    this.embedding = session.embedding;
  }

  connect(options: ConnectOptions): Connection {
    this.#mustBeOpen();
    const { url, getToken, partitions = [] } = options ?? {};
    const base = globalThis.document?.baseURI;
    if (!URL.canParse(url, base) || typeof getToken !== 'function' || !Array.isArray(partitions) || !partitions.every(isWanted)) {
      const got = JSON.stringify(options);
      throw new DbError('OPTION_INVALID', `connect: url, getToken, partitions (names or { name, keep, budgetBytes }) expected, got ${got}`);
    }
    const page = this.#session.page();
    const connected = page.then((sync) => sync.connect(options, new URL(url, base).href));
    connected.catch((error) => console.warn('terndb: connect', error));
    return { disconnect: async () => (await page).disconnect(options) };
  }

  on<E extends keyof DatabaseEvents<any>>(event: E, listener: (value: DatabaseEvents<any>[E]) => void): () => void {
    if (event !== 'lossDetected') this.#session.page().catch(() => {});
    return this.#session.events.on(event, listener as (value: unknown) => void);
  }

  async inspect(options?: InspectOptions): Promise<any> {
    this.#mustBeOpen();
    return await this.#session.connection.call('inspect', options);
  }

  export(options?: TransferOptions & { collections?: readonly string[] }): Promise<Blob>;
  export(options: TransferOptions & { collections?: readonly string[]; to: WritableStream<Uint8Array> }): Promise<void>;
  async export(options: TransferOptions & { collections?: readonly string[]; to?: WritableStream<Uint8Array> } = {}): Promise<any> {
    this.#mustBeOpen();
    const { exportDatabase } = await import('./export.ts');
    return await exportDatabase(this.#session.connection, DbError, options);
  }

  async import(source: Blob | ReadableStream<Uint8Array>, options: ImportOptions = {}): Promise<{ readonly entities: number }> {
    this.#mustBeOpen();
    const { importDatabase } = await import('./import.ts');
    return await importDatabase(this.#session.connection, DbError, { source, ...options });
  }

  async openCollection(name: string): Promise<Collection<DynamicShape>> {
    this.#mustBeOpen();
    const known = this.schema.definition.collections[name];
    return this._collection(name, known ?? (await this.#session.connection.call('openCollection', { name })));
  }

  async logout({ unsynced }: { unsynced: 'upload' | 'keep' | 'discard' }): Promise<void> {
    this.#mustBeOpen();
    const { leave } = await import('./leave.ts');
    const stays = await leave(unsynced, this.#session.connection, DbError);
    this.#closed ??= stays ? this.#session.close() : this.#session.destroy();
    return await this.#closed;
  }

  close(): Promise<void> {
    this.#closed ??= this.#release();
    return this.#closed;
  }

  /** Not a member: `db.<name>` is made from it. */
  _collection(name: string, definition: CollectionDefinition): CollectionProxy {
    return new CollectionProxy({ session: this.#session, name, definition, check: () => this.#check(), lives: this.#lives });
  }

  async #release(): Promise<void> {
    // Another `open` of this page may keep the session: what this one began ends with it.
    for (const stop of this.#lives) stop();
    this.#session.users--;
    if (this.#session.users === 0) await this.#session.close();
    else await this.#session.connection.call('flush', undefined);
  }

  #check(): DbError | undefined {
    return this.#closed === undefined ? undefined : new DbError('DATABASE_CLOSED', `database ${this.name}: closed by this page`);
  }

  #mustBeOpen(): void {
    const closed = this.#check();
    if (closed !== undefined) throw closed;
  }
}

/** Whether it says which partition to replicate, and how much of it. */
function isWanted(one: any): boolean {
  if (typeof one === 'string') return true;
  const { name, keep = 'all', budgetBytes } = one ?? {};
  if (typeof name !== 'string' || !['all', 'recent', 'search-only'].includes(keep)) return false;
  return budgetBytes === undefined || (keep === 'recent' && budgetBytes > 0);
}

/** A database object over the session: its members, and one collection per name in the schema. */
export function createDatabase<C extends Shapes>(session: Session, schema: Schema<C>): Database<C> {
  const handle = new DatabaseHandle(session, schema);
  session.users++;
  for (const [name, definition] of Object.entries(schema.definition.collections)) {
    Object.defineProperty(handle, name, { value: handle._collection(name, definition), enumerable: true });
  }
  return handle as unknown as Database<C>;
}
