import { DbError, type SchemaDefinition, utf8Decode } from '@terndb/core';
import { CONNECTION_KEY, type ConnectionRecord, type ConnectRequest, schemaOf } from './connection-record.ts';
import type { SyncReads } from './reads.ts';
import type * as replication from './replication.ts';
import type { SyncPorts } from './service-ports.ts';
import type { RowStore } from './store/row-store.ts';
import type { SyncReport } from './sync-report.ts';
import type { SyncService } from './sync-service.ts';

export type Replication = typeof replication;
export type LoadReplication = () => Promise<Replication>;
type Listen = (report: SyncReport) => void;

/** Between two tries to load the code: a file of the page's own server. */
const RETRY_MS = 5_000;

const MISSING = 'code-missing';
const OFF: SyncReport = {
  status: { state: { name: 'off' }, outbox: 0, rejected: 0, partitions: [] },
  isNew: true,
  token: null,
  rejectedVersion: 0,
  conflicts: [],
};

/**
 * The worker's way to replication, whose code a database that was never connected does not load. Closed, it answers like one that is off; it
 * opens with the first call that needs it.
 */
export class SyncDoor {
  readonly #ports: SyncPorts;
  readonly #load: LoadReplication;
  #opening: Promise<SyncService> | undefined;
  #service: SyncService | undefined;
  #reads: SyncReads | undefined;
  readonly #listeners = new Set<Listen>();
  #report: SyncReport = OFF;
  #wanted: ConnectRequest | undefined;
  #isClosed = false;

  private constructor(ports: SyncPorts, load: LoadReplication) {
    this.#ports = ports;
    this.#load = load;
  }

  /** Takes up what was followed before; no network but for the code. OFFLINE when that is not there. */
  static async open(ports: SyncPorts, load: LoadReplication): Promise<SyncDoor> {
    const door = new SyncDoor(ports, load);
    if ((await ports.rows.meta(CONNECTION_KEY)) !== undefined) await door.service();
    return door;
  }

  /** The server's part of the schema, as last heard, and which of its collections the app opened by name; for opening the engine. */
  static async knownSchema(rows: RowStore): Promise<{ readonly schema: SchemaDefinition; readonly opened: readonly string[] } | undefined> {
    const bytes = await rows.meta(CONNECTION_KEY);
    if (bytes === undefined) return undefined;
    // What cannot be read is refused by the service, which reads it again and says why.
    try {
      const { answer, opened = [] } = (JSON.parse(utf8Decode(bytes)) as { readonly value: ConnectionRecord }).value;
      return { schema: schemaOf(answer), opened };
    } catch {
      return undefined;
    }
  }

  /** Something is followed, or is about to be. */
  get isConnected(): boolean {
    return this.#service?.isConnected === true;
  }

  /** Reads go this way; undefined: the engine answers. */
  get reads(): SyncReads | undefined {
    return this.#reads;
  }

  /** The service, if it is loaded. */
  get loaded(): SyncService | undefined {
    return this.#service;
  }

  /** Loads what is missing; a try that failed is repeated by the next call. */
  service(): Promise<SyncService> {
    this.#opening ??= this.#open().catch((thrown: unknown) => {
      this.#opening = undefined;
      throw thrown;
    });
    return this.#opening;
  }

  /** Begins a connection; where the code is not there yet it is fetched until it is, or another call takes this one's place. */
  async connect(request: ConnectRequest): Promise<void> {
    this.#wanted = request;
    try {
      const service = await this.service();
      if (this.#wanted === request) service.connect(request);
    } catch (thrown) {
      if (this.#wanted !== request || this.#isClosed || !isMissing(thrown)) throw thrown;
      this.#tell({ ...OFF, isNew: false, status: { ...OFF.status, state: { name: 'offline', retryInMs: RETRY_MS } } });
      this.#ports.clock.after(RETRY_MS, () => {
        if (this.#wanted === request && !this.#isClosed) void this.connect(request).catch(() => {});
      });
    }
  }

  disconnect(): void {
    this.#wanted = undefined;
    if (this.#service === undefined) this.#tell(OFF);
    this.#service?.disconnect();
  }

  /** Told at once, and whenever something changed. Returns the way to stop. */
  onReport(listener: (report: SyncReport) => void): () => void {
    let stop: (() => void) | undefined;
    const listen: Listen = (report) => {
      if (this.#service === undefined) listener(report);
      else stop ??= this.#service.onReport(listener);
    };
    this.#listeners.add(listen);
    listen(this.#report);
    return () => {
      this.#listeners.delete(listen);
      stop?.();
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
    await this.#opening?.catch(() => {});
    await this.#service?.close();
  }

  async #open(): Promise<SyncService> {
    const { SyncReads, SyncService } = await this.#code();
    const service = await SyncService.open(this.#ports);
    if (this.#isClosed) {
      await service.close();
      throw new DbError('DATABASE_CLOSED', 'replication: an open database expected, got one that is closed');
    }
    const { clock, engine } = this.#ports;
    this.#reads = new SyncReads(engine, service, clock);
    this.#service = service;
    this.#tell(OFF);
    return service;
  }

  /** What is true while the service is not loaded; with it, it tells by itself. */
  #tell(report: SyncReport): void {
    this.#report = report;
    for (const listen of [...this.#listeners]) listen(report);
  }

  async #code(): Promise<Replication> {
    try {
      return await this.#load();
    } catch (cause) {
      throw new DbError('OFFLINE', 'replication: its code beside the worker expected, got none; try again', {
        details: { reason: MISSING },
        cause,
      });
    }
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof DbError && thrown.details['reason'] === MISSING;
}
