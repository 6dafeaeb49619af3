import {
  type Clock,
  DbError,
  type LogBroker,
  loadStemmers,
  type MetaStore,
  type ObjectStore,
  type Rng,
  type ScratchFiles,
} from '@terndb/core';
import { type IndexBuilder, type JobExecutor, loadCollab, SegmentPool } from '@terndb/engine/parts';
import type { Kernel } from '@terndb/kernel';
import { StoredCatalog } from './catalog/node-catalog.ts';
import { ensureNodeRecord, takeLeaderEpoch } from './catalog/records.ts';
import { ChangeFeed } from './changes/change-feed.ts';
import { ChannelTable } from './channels/channel-table.ts';
import { FrameCache } from './channels/frame-cache.ts';
import type { NodeChannel } from './channels/node-channel.ts';
import { DataJobs } from './data/data-jobs.ts';
import { nodeChecks } from './health/node-checks.ts';
import { watchStorage } from './health/watched-storage.ts';
import { SlotLeader } from './leader/slot-leader.ts';
import { SlotLog } from './leader/slot-log.ts';
import { Writes } from './leader/writes.ts';
import { checkNodeLimits, checkSlots, type NodeLimits } from './limits.ts';
import { PositionWaiters } from './query/position-waiters.ts';
import { Reads } from './query/reads.ts';
import { INLINE_JOBS } from './query/search-jobs.ts';
import { Sessions } from './sessions.ts';
import { StandaloneNode } from './standalone-node.ts';

/** Everything that is not logic. They stay the caller's to close, after the node. */
export interface NodePorts {
  readonly log: LogBroker;
  readonly meta: MetaStore;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly kernel: Kernel;
  /** Builds the indexes of larger segments elsewhere. Left out: on this thread, in slices. */
  readonly indexBuilder?: IndexBuilder | undefined;
  /** Does the work of searches elsewhere, over the memory of `kernel`. Left out: on this thread, one after the other. */
  readonly searchJobs?: JobExecutor | undefined;
  /** For vectors that need not be in memory. Left out: all are in memory. */
  readonly scratch?: ScratchFiles | undefined;
}

export interface OpenNodeOptions {
  readonly ports: NodePorts;
  /** Taken when the node is made, kept ever after. Default 16. */
  readonly slots?: number;
  readonly limits?: Partial<NodeLimits>;
  /**
   * The storage was restored from a copy: it becomes a universe of its own (R14), so that devices push again what the copy lacks. A log that
   * ends before what manifests have seen is noticed without it.
   */
  readonly newEpoch?: boolean;
  /** Told once when the node cannot lead a slot any more: another process has taken its storage over, or a bug. It should be closed then. */
  readonly onStopped?: (error: DbError) => void;
}

/**
 * Opens a node on these ports, or makes one: catalog, manifests, the tails of the logs, then `lead` in each slot. A node that was open on the
 * same storage is fenced.
 * @throws OPTION_INVALID, FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED, STORAGE_UNAVAILABLE, MEMORY_LIMIT.
 */
export async function openNode(options: OpenNodeOptions): Promise<StandaloneNode> {
  const { checks: storageChecks, ...storage } = watchStorage(options.ports, options.ports.clock);
  const ports: NodePorts = { ...options.ports, ...storage };
  const limits = checkNodeLimits(options.limits);
  const { logEpoch, slots } = await ensureNodeRecord(ports.meta, ports.rng, {
    slots: checkSlots(options.slots),
    newEpoch: options.newEpoch ?? false,
  });
  const catalog = await StoredCatalog.open(ports, limits.maxCollections);
  // Collections with collab fields may be made at any time.
  await Promise.all([loadCollab(), loadStemmers()]);
  const pool = new SegmentPool(ports.objects, ports.kernel, undefined, ports.indexBuilder, ports.scratch);
  const channels = new ChannelTable({ ...ports, pool, logEpoch, slots });
  let isStopped = false;
  const stop = (error: DbError): void => {
    // Not when its user closes it, and once for all its leaders.
    if (isStopped || error.code === 'DATABASE_CLOSED') return;
    isStopped = true;
    options.onStopped?.(error);
  };
  const leaders: SlotLeader[] = [];
  try {
    await channels.open(catalog.places().map((place) => ({ ...place, collection: catalog.engineCollection(place.collectionId)! })));
    if (await hasLostLog(ports.log, channels, { logEpoch, slots })) {
      channels.retire();
      return await openNode({ ...options, newEpoch: true });
    }
    const counters = new Map<string, number>();
    const count = (event: string): unknown => counters.set(event, (counters.get(event) ?? 0) + 1);
    const cache = new FrameCache(limits.frameCacheBytes);
    const waiters = new PositionWaiters(ports.clock);
    const isGone = (channel: string): boolean => !catalog.has(channel);
    let node: StandaloneNode | undefined;
    let jobs: DataJobs | undefined;
    const isBusy = (channel: NodeChannel): boolean => (node?.isBusy ?? true) || catalog.isBehind(channel);
    const sessions = new Sessions({ channels, leaders, isBusy });
    const epochs = await Promise.all(Array.from({ length: slots }, (_, slot) => takeLeaderEpoch(ports.meta, slot)));
    for (const [slot, leaderEpoch] of epochs.entries()) {
      const log = new SlotLog({
        log: ports.log,
        slot,
        logEpoch,
        find: (name) => channels.find(name),
        channels: function* () {
          for (const channel of channels.all()) if (channel.slot === slot) yield channel;
        },
        retainEntries: limits.retainEntries,
      });
      leaders.push(
        new SlotLeader({
          slot,
          logEpoch,
          leaderEpoch,
          log,
          append: (expectedLast, entries) => ports.log.append(log.stream, expectedLast, entries),
          clock: ports.clock,
          channels,
          cache,
          maxTailBytes: limits.maxTailBytes,
          isGone,
          isClosing: (channel) => catalog.isClosing(channel),
          deliver: (session, message) => sessions.deliver(session, message),
          onAppendFailed: () => count('append_failures'),
          onApplied: (applied) => {
            waiters.notify();
            jobs?.sealDue(applied);
          },
          onStopped: stop,
        }),
      );
    }
    await Promise.all(leaders.map((leader) => leader.start()));
    const shared = { clock: ports.clock, rng: ports.rng, catalog, channels, leaders, logEpoch };
    const altered = (channel: string, schemaVersion: number): void => sessions.altered(channel, schemaVersion);
    jobs = await DataJobs.open({ ...shared, ...ports, pool, limits, cache, isGone, altered, count });
    const reads = new Reads({ ...shared, waiters, searchJobs: ports.searchJobs ?? INLINE_JOBS });
    const changes = new ChangeFeed({ ...shared, waiters, maxRangeKeys: limits.maxFoldedKeys });
    const writes = new Writes({ ...shared, serverNumber: STANDALONE_NUMBER });
    const checks = { ...storageChecks, ...nodeChecks({ ...shared, limits, isGone, kernel: ports.kernel, jobs, changes }) };
    const parts = { ports, limits, logEpoch, catalog, channels, leaders, sessions, reads, changes, writes, jobs, counters, checks };
    node = new StandaloneNode(parts);
    return node;
  } catch (error) {
    for (const leader of leaders) leader.stop(DbError.from(error));
    channels.retire();
    throw error;
  }
}

/** The only server there is mints all automatic integers. */
const STANDALONE_NUMBER = 0;

/** A manifest of this universe has seen more of a stream than there is. */
async function hasLostLog(
  log: LogBroker,
  channels: ChannelTable,
  { logEpoch, slots }: { readonly logEpoch: string; readonly slots: number },
): Promise<boolean> {
  for (let slot = 0; slot < slots; slot++) {
    const { last } = await log.bounds(String(slot));
    for (const { slot: of, channel } of channels.all()) {
      const manifest = channel.published?.manifest;
      if (of === slot && manifest?.logEpoch === logEpoch && manifest.brokerCursor > last) return true;
    }
  }
  return false;
}
