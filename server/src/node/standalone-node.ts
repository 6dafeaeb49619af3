import { DbError, type JsonValue, type PrimaryKey } from '@terndb/core';
import type {
  AggregateRequest,
  AggregateResult,
  CountRequest,
  CountResult,
  ExplainRequest,
  ExplainResult,
  GetRequest,
  GetResult,
  QueryRequest,
  QueryResult,
  SearchRequest,
  SearchResult,
  WriteRequest,
} from '@terndb/engine';
import { decodeToken } from '@terndb/engine';
import { type CatalogCollection, inspectChannel, loadManifest, writeManifest } from '@terndb/engine/parts';
import type { ResolveAnswer, ResolveRequest, ServerMessage } from '@terndb/sync';
import type { StoredCatalog } from './catalog/node-catalog.ts';
import { resolveDevice } from './catalog/resolve-device.ts';
import type { ChangeFeed } from './changes/change-feed.ts';
import type { ChangesRequest, FeedEvent } from './changes/types.ts';
import type { ChannelTable } from './channels/channel-table.ts';
import type { DataJobs } from './data/data-jobs.ts';
import type { HealthChecks } from './health/finding.ts';
import type { SlotLeader } from './leader/slot-leader.ts';
import type { Writes } from './leader/writes.ts';
import type { NodeLimits } from './limits.ts';
import type { NodePorts } from './open-node.ts';
import { within } from './query/position-waiters.ts';
import type { Reads } from './query/reads.ts';
import type { Sessions } from './sessions.ts';
import type { NodeCatalog, NodeInspection, NodeRequest, NodeSession, NodeWriteResult, ResolveGrants, ServerNode } from './types.ts';

/** What is under way gets so long to become durable. */
const MAX_DRAIN_MS = 5_000;

export interface NodeParts {
  readonly ports: NodePorts;
  readonly limits: NodeLimits;
  readonly logEpoch: string;
  readonly catalog: StoredCatalog;
  readonly channels: ChannelTable;
  readonly leaders: readonly SlotLeader[];
  readonly sessions: Sessions;
  readonly reads: Reads;
  readonly changes: ChangeFeed;
  readonly writes: Writes;
  readonly jobs: DataJobs;
  readonly counters: ReadonlyMap<string, number>;
  readonly checks: HealthChecks;
}

/** All roles in one process: the doors to them, and when they are open. Coordinates; the work is done by its parts. */
export class StandaloneNode implements ServerNode {
  readonly #parts: NodeParts;
  #state: 'open' | 'draining' | 'closed' = 'open';

  constructor(parts: NodeParts) {
    this.#parts = parts;
    parts.catalog.hooks = {
      added: (places) => {
        for (const place of places)
          this.#add(place.channel, parts.channels.add(place, parts.catalog.engineCollection(place.collectionId)!));
      },
      dropped: (channels) => {
        for (const channel of channels) this.#drop(channel);
      },
      altered: (collection) => this.#altered(collection),
      areEmpty: (names) => this.#areEmpty(names),
    };
  }

  get logEpoch(): string {
    return this.#parts.logEpoch;
  }

  get catalog(): NodeCatalog {
    return this.#parts.catalog;
  }

  get healthChecks(): HealthChecks {
    return this.#parts.checks;
  }

  /** Pushes are answered `busy` then. */
  get isBusy(): boolean {
    return this.#state !== 'open' || this.#isMemoryTight();
  }

  openSession(session: string, send: (message: ServerMessage) => void): NodeSession {
    this.#checkOpen();
    return this.#parts.sessions.open(session, send);
  }

  resolve(request: ResolveRequest, grants: ResolveGrants): Promise<ResolveAnswer> {
    return this.#open(() => resolveDevice(this.#parts.catalog, request, grants, this.logEpoch));
  }

  write(request: NodeRequest<WriteRequest>): Promise<NodeWriteResult> {
    return this.#open(() => {
      this.#checkWritable();
      return this.#parts.writes.write(request);
    });
  }

  get(request: NodeRequest<GetRequest>): Promise<GetResult> {
    return this.#open(() => this.#parts.reads.get(request));
  }

  query(request: NodeRequest<QueryRequest>): Promise<QueryResult> {
    return this.#open(() => this.#parts.reads.query(request));
  }

  count(request: NodeRequest<CountRequest>): Promise<CountResult> {
    return this.#open(() => this.#parts.reads.count(request));
  }

  aggregate(request: NodeRequest<AggregateRequest>): Promise<AggregateResult> {
    return this.#open(() => this.#parts.reads.aggregate(request));
  }

  search(request: NodeRequest<SearchRequest>): Promise<SearchResult> {
    return this.#open(() => this.#parts.reads.search(request));
  }

  explain(request: NodeRequest<ExplainRequest>): Promise<ExplainResult> {
    return this.#open(() => this.#parts.reads.explain(request));
  }

  waitIndexed(token: string, timeoutMs: number): Promise<void> {
    return this.#open(() => this.#parts.reads.waitFor(decodeToken(token), timeoutMs));
  }

  changes(request: NodeRequest<ChangesRequest>): AsyncGenerator<FeedEvent, void, void> {
    this.#checkOpen();
    return this.#parts.changes.open(request);
  }

  readObject(name: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    return this.#open(() => this.#parts.ports.objects.read(name, offset, length));
  }

  headObject(name: string): Promise<{ readonly bytes: number } | undefined> {
    return this.#open(() => this.#parts.ports.objects.head(name));
  }

  clientManifest(channel: string, manifest: string, clientIds: readonly string[]): Promise<Uint8Array | undefined> {
    return this.#open(async () => {
      if (!manifest.startsWith(`${channel}/manifest-`) || this.catalog.placeOf(channel) === undefined) return undefined;
      const { objects } = this.#parts.ports;
      if ((await objects.head(manifest)) === undefined) return undefined;
      const whole = await loadManifest(objects, manifest);
      const lmids = whole.lmids.filter(({ clientId }) => clientIds.includes(clientId));
      // Under a restored log older manifests are this universe's, too.
      return writeManifest({ ...whole, logEpoch: this.logEpoch, lmids });
    });
  }

  absentKeys(channel: string, keys: readonly PrimaryKey[]): number {
    const { entities } = this.#parts.channels.find(channel)?.channel.replica ?? {};
    return entities === undefined ? 0 : [...new Set(keys)].filter((key) => entities.find(key) === undefined).length;
  }

  flush(database: string, collection?: string): Promise<void> {
    return this.#open(() => this.#parts.jobs.seal(this.#channelsOf(database, collection)));
  }

  compact(database: string, collection?: string): Promise<void> {
    return this.#open(() => this.#parts.jobs.compact(this.#channelsOf(database, collection)));
  }

  /** One round of what happens by itself: seals by age, truncation, and, with `sweep`, collection and forgetting. For tests and operators. */
  housekeep(options: { readonly sweep: boolean }): Promise<void> {
    return this.#open(() => this.#parts.jobs.housekeep(options));
  }

  inspect(): NodeInspection {
    this.#checkOpen();
    const { leaders, channels, catalog, counters, ports } = this.#parts;
    const places = [...channels.all()].flatMap((found) => {
      const place = catalog.placeOf(found.name);
      if (place === undefined) return [];
      const { entities, growing, segments, position, divergences } = inspectChannel(found.channel);
      const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
      const { sealedPosition } = found;
      const subscribers = leaders[found.slot]!.subscribers(found.name);
      return [
        {
          channel: found.name,
          ...place,
          position,
          sealedPosition,
          entities,
          growing,
          segments: segments.length,
          bytes,
          unsealedBytes: found.tailBytes,
          subscribers,
          divergences,
        },
      ];
    });
    return {
      logEpoch: this.logEpoch,
      wasmBytes: ports.kernel.memoryBytes,
      slots: leaders.map(({ slot, leaderEpoch, state, log }) => ({ slot, leaderEpoch, state, lastSequence: log.lastSequence })),
      channels: places,
      counters: { ...Object.fromEntries(counters), sessions: this.#parts.sessions.count, change_readers: this.#parts.changes.readers },
    };
  }

  async drain(): Promise<void> {
    if (this.#state === 'open') this.#state = 'draining';
    await this.#parts.catalog.idle();
    // Behind everything that was pushed before; a log that does not answer does not hold up the end.
    const { clock } = this.#parts.ports;
    await within<void>(clock, { timeoutMs: MAX_DRAIN_MS }, undefined, (resolve) => {
      void Promise.allSettled(this.#parts.leaders.map((leader) => leader.tick())).then(() => resolve());
      return () => {};
    });
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    await this.drain();
    this.#state = 'closed';
    await this.#parts.jobs.close();
    for (const leader of this.#parts.leaders) leader.stop(closed());
    this.#parts.channels.retire();
  }

  #add(name: string, channel: ReturnType<ChannelTable['add']>): void {
    this.#parts.leaders[channel.slot]!.announce(this.#parts.channels.get(name));
  }

  #drop(name: string): void {
    const { channels, leaders } = this.#parts;
    const channel = channels.get(name);
    const leader = leaders[channel.slot]!;
    leader.event({ type: 'gone', channel: name });
    channel.drop();
    leader.log.tail.seal(name, Number.POSITIVE_INFINITY);
  }

  async #altered(collection: CatalogCollection): Promise<void> {
    const { channels, catalog, jobs } = this.#parts;
    const behind = [...channels.all()].filter(
      (channel) => channel.channel.collection.collectionId === collection.collectionId && catalog.isBehind(channel),
    );
    const rebuilt = await Promise.allSettled(behind.map((channel) => jobs.rebuild(channel)));
    for (const result of rebuilt) if (result.status === 'rejected') throw result.reason;
  }

  /** Not while a device has one open: it may be about to push under the definition that it knows. */
  async #areEmpty(names: readonly string[]): Promise<boolean> {
    const { channels, leaders, writes } = this.#parts;
    const found = names.map((name) => channels.get(name));
    if (found.some(({ name, slot }) => leaders[slot]!.subscribers(name) > 0)) return false;
    await Promise.all(names.map((name) => writes.settled(name)));
    // A push whose device has left may be in flight: a tick is behind it.
    await Promise.all([...new Set(found.map(({ slot }) => slot))].map((slot) => leaders[slot]!.tick()));
    return found.every(({ position }) => position === 0);
  }

  #channelsOf(database: string, collection: string | undefined): readonly string[] {
    const { catalog } = this.#parts;
    const collections = collection === undefined ? catalog.collections(database) : [catalog.mustFind(database, collection)];
    return collections.flatMap(({ partitions }) => [...partitions.values()].flat());
  }

  #isMemoryTight(): boolean {
    return this.#parts.ports.kernel.memoryBytes > this.#parts.limits.maxKernelBytes;
  }

  #open<T>(run: () => Promise<T>): Promise<T> {
    try {
      this.#checkOpen();
      return run();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #checkOpen(): void {
    if (this.#state === 'closed') throw closed();
  }

  #checkWritable(): void {
    if (this.#state === 'draining')
      throw new DbError('STORAGE_UNAVAILABLE', 'write: an open node expected, got one that shuts down; try again');
    if (!this.#isMemoryTight()) return;
    const details: Record<string, JsonValue> = { expected: this.#parts.limits.maxKernelBytes, got: this.#parts.ports.kernel.memoryBytes };
    throw new DbError('MEMORY_LIMIT', `write: at most ${details['expected']} bytes of kernel memory expected, got ${details['got']}`, {
      details,
    });
  }
}

function closed(): DbError {
  return new DbError('DATABASE_CLOSED', 'node: an open one expected, got one that is closed');
}
