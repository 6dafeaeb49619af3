import type { Clock } from '@terndb/core';
import { DbError, type Timestamp } from '@terndb/core';
import {
  type AggregateRequest,
  type AggregateResult,
  type CountRequest,
  type CountResult,
  type ExplainRequest,
  type ExplainResult,
  encodeToken,
  type GetRequest,
  type GetResult,
  type PartitionView,
  type QueryRequest,
  type QueryResult,
  type ReadInfo,
  type ReadScope,
  type SearchRequest,
  type SearchResult,
  type TokenPositions,
} from '@terndb/engine';
import {
  fromKernel,
  type JobExecutor,
  matchedBlocks,
  PROBED_READS,
  type ReadContext,
  runAggregate,
  runCount,
  runExplain,
  runGet,
  runQuery,
  searchSteps,
} from '@terndb/engine/parts';
import { unknownPartition } from '../catalog/names.ts';
import type { StoredCatalog } from '../catalog/node-catalog.ts';
import type { ChannelTable } from '../channels/channel-table.ts';
import type { NodeChannel } from '../channels/node-channel.ts';
import { type SlotLeader, tickMs } from '../leader/slot-leader.ts';
import { traced } from '../traced.ts';
import type { CatalogCollectionInfo, NodeRequest } from '../types.ts';
import { budgetOf, type Guarantee, guaranteeOf } from './consistency.ts';
import { type Budget, type PositionWaiters, within } from './position-waiters.ts';
import { runSearchJobs } from './search-jobs.ts';

export interface ReadsOptions {
  readonly clock: Clock;
  readonly catalog: StoredCatalog;
  readonly channels: ChannelTable;
  readonly leaders: readonly SlotLeader[];
  readonly waiters: PositionWaiters;
  readonly logEpoch: string;
  /** Does the work of searches. */
  readonly searchJobs: JobExecutor;
}

interface Partition {
  readonly name: string;
  readonly channel: NodeChannel;
}

interface OpenedRead<Q> {
  readonly context: ReadContext;
  readonly wanted: Q;
  /** What is left of it. */
  readonly budget: Budget;
  /** Once. */
  readonly release: () => void;
}

/** How true an answer is. */
type Truth = Pick<ReadInfo, 'degraded' | 'stalenessMs'>;

/** Reads at a guarantee position (design 7): first the wait, then one pass over pinned views: a synchronous one, but for the jobs of searches. */
export class Reads {
  readonly #options: ReadsOptions;

  constructor(options: ReadsOptions) {
    this.#options = options;
  }

  get(request: NodeRequest<GetRequest>): Promise<GetResult> {
    return this.#read(request, runGet);
  }

  query(request: NodeRequest<QueryRequest>): Promise<QueryResult> {
    return this.#read(request, runQuery);
  }

  count(request: NodeRequest<CountRequest>): Promise<CountResult> {
    return this.#read(request, runCount);
  }

  aggregate(request: NodeRequest<AggregateRequest>): Promise<AggregateResult> {
    return this.#read(request, (context, wanted) => runAggregate(context, wanted, { matched: matchedBlocks }));
  }

  async search(request: NodeRequest<SearchRequest>): Promise<SearchResult> {
    const { clock, searchJobs } = this.#options;
    const { context, wanted, budget, release } = await this.#open(request);
    const steps = searchSteps(context, wanted);
    const searched = runSearchJobs(steps, { jobs: searchJobs, clock, budget, onEnd: release });
    const result = await searched.catch((error: unknown) => {
      throw fromKernel(error);
    });
    return { ...result, hits: result.hits.map((hit) => ({ ...hit, from: 'global' })) };
  }

  explain(request: NodeRequest<ExplainRequest>): Promise<ExplainResult> {
    return this.#read(request, (context, wanted) => runExplain(context, wanted, PROBED_READS));
  }

  /** TIMEOUT; TOKEN_INVALID for a token of another universe: what it names is not here and will not come. */
  async waitFor(token: readonly TokenPositions[], timeoutMs: number): Promise<void> {
    const { logEpoch, channels, waiters } = this.#options;
    const positions = positionsOf(token, logEpoch);
    if (positions === undefined) {
      const got = token.map((universe) => universe.logEpoch);
      throw new DbError('TOKEN_INVALID', `token: one of log epoch ${logEpoch} expected, got ${got.join(', ')}`, {
        details: { expected: logEpoch, got },
      });
    }
    const wanted = [...positions].flatMap(([name, position]) => {
      const channel = channels.find(name);
      return channel === undefined ? [] : [{ channel, position }];
    });
    const isReached = (): boolean => wanted.every(({ channel, position }) => channel.position >= position);
    if (!(await waiters.wait(isReached, { timeoutMs: budgetOf(timeoutMs) }))) throw timedOut('token', timeoutMs);
  }

  async #read<Q extends ReadScope, R>(request: NodeRequest<Q>, run: (context: ReadContext, request: Q) => R): Promise<R> {
    const { context, wanted, release } = await this.#open(request);
    try {
      return run(context, wanted);
    } catch (error) {
      throw fromKernel(error);
    } finally {
      release();
    }
  }

  /** Views at the guarantee position, pinned until `release`, and what is left of the time. */
  async #open<Q extends ReadScope>(request: NodeRequest<Q>): Promise<OpenedRead<Q>> {
    const { clock } = this.#options;
    const begunMs = clock.monotonicMs();
    const { database, timeoutMs, signal, span, onEntity, ...wanted } = request;
    const guarantee = guaranteeOf(request.collection, request.consistency);
    checkScope(request);
    const before = this.#partitions(database, request);
    const budget = { timeoutMs: budgetOf(timeoutMs), signal };
    const truth = await traced(span, 'wait for position', { guarantee: guarantee.type }, () =>
      this.#reach(before.partitions, guarantee, budget),
    );
    // What was dropped or altered meanwhile is so for this read, too.
    const { collection, partitions } = this.#partitions(database, request);
    const views = partitions.map(
      ({ name, channel }): PartitionView => ({ partition: name, view: channel.channel.replica.view(clock.nowMs()) }),
    );
    const definition = partitions[0]?.channel.channel.collection.definition ?? collection.definition;
    return {
      context: {
        definition,
        collection: request.collection,
        partitions: views,
        info: this.#info(partitions, truth),
        ...(span === undefined ? {} : { span }),
        ...(onEntity === undefined ? {} : { onEntity }),
      },
      wanted: { ...(wanted as unknown as Q), scope: undefined, consistency: undefined },
      budget: { ...budget, timeoutMs: Math.max(0, budget.timeoutMs - (clock.monotonicMs() - begunMs)) },
      release: () => {
        for (const { view } of views) view.release();
      },
    };
  }

  /** COLLECTION_UNKNOWN, PARTITION_UNKNOWN, OPTION_INVALID. */
  #partitions(
    database: string,
    request: ReadScope,
  ): { readonly collection: CatalogCollectionInfo; readonly partitions: readonly Partition[] } {
    const collection = this.#options.catalog.mustFind(database, request.collection);
    const { partitions: names } = request;
    if (names !== undefined && names !== null && !Array.isArray(names)) {
      throw new DbError('OPTION_INVALID', `${collection.name}: partitions: an array of names expected, got ${typeof names}`, {
        details: { collection: collection.name, option: 'partitions', got: typeof names },
      });
    }
    const wanted = new Set(names ?? collection.partitions.keys());
    const partitions = [...wanted].flatMap((name) => {
      const channels = collection.partitions.get(name);
      if (channels === undefined) throw unknownPartition(collection.name, name);
      return channels.map((channel): Partition => ({ name, channel: this.#options.channels.get(channel) }));
    });
    return { collection, partitions };
  }

  async #reach(partitions: readonly Partition[], guarantee: Guarantee, budget: Budget): Promise<Truth> {
    switch (guarantee.type) {
      case 'eventually':
        return { degraded: null, stalenessMs: this.#staleness(partitions) };
      case 'strong':
        await this.#tick(this.#leadersOf(partitions), budget);
        return { degraded: null, stalenessMs: 0 };
      case 'bounded': {
        const oldestMs = this.#options.clock.nowMs() - guarantee.stalenessMs;
        const leaders = this.#leadersOf(partitions);
        for (const leader of leaders) leader.noteReader();
        const stale = leaders.filter((leader) => tickMs(leader.lastTick) < oldestMs);
        await this.#tick(stale, budget);
        return { degraded: null, stalenessMs: this.#staleness(partitions) };
      }
      case 'atLeast': {
        const isReached = await this.#reachToken(partitions, guarantee.token, budget);
        return { degraded: isReached ? null : 'behind-token', stalenessMs: this.#staleness(partitions) };
      }
    }
  }

  /** On demand, shared by all who wait. CONSISTENCY_UNAVAILABLE when there is no leader, TIMEOUT. */
  async #tick(leaders: readonly SlotLeader[], budget: Budget): Promise<void> {
    if (leaders.length === 0) return;
    const { clock } = this.#options;
    const ticked = await within<readonly Timestamp[] | undefined>(clock, budget, undefined, (resolve, reject) => {
      Promise.all(leaders.map((leader) => leader.tick())).then(resolve, (cause: unknown) => reject(noLeader(cause)));
      return () => {};
    });
    if (ticked === undefined) throw timedOut('guarantee position', budget.timeoutMs);
  }

  /** A token of another universe is never reached. */
  #reachToken(partitions: readonly Partition[], token: readonly TokenPositions[], budget: Budget): Promise<boolean> {
    const positions = positionsOf(token, this.#options.logEpoch);
    if (positions === undefined) return Promise.resolve(false);
    const isReached = (): boolean => partitions.every(({ channel }) => channel.position >= (positions.get(channel.name) ?? 0));
    return this.#options.waiters.wait(isReached, budget);
  }

  #leadersOf(partitions: readonly Partition[]): readonly SlotLeader[] {
    return [...new Set(partitions.map(({ channel }) => channel.slot))].map((slot) => this.#options.leaders[slot]!);
  }

  /** Since when something acknowledged elsewhere could be missing here; null before the first tick. */
  #staleness(partitions: readonly Partition[]): number | null {
    const ticks = this.#leadersOf(partitions).map((leader) => leader.lastTick);
    const oldest = Math.min(...ticks);
    return ticks.length === 0 || oldest === 0 ? null : Math.max(0, this.#options.clock.nowMs() - tickMs(oldest as Timestamp));
  }

  #info(partitions: readonly Partition[], truth: Truth): ReadInfo {
    const positions = new Map(partitions.map(({ channel }) => [channel.name, channel.position]));
    return {
      ...truth,
      coverage: coverageOf(partitions),
      scope: 'global',
      token: encodeToken({ logEpoch: this.#options.logEpoch, positions }),
    };
  }
}

/** What a token says of this universe; others in it are a device's own. Undefined: it is not of this one. */
function positionsOf(token: readonly TokenPositions[], logEpoch: string): ReadonlyMap<string, number> | undefined {
  return token.find((universe) => universe.logEpoch === logEpoch)?.positions;
}

/** Share of the rows that could be read. A damaged log hides nobody knows how many: at least one. */
function coverageOf(partitions: readonly Partition[]): number {
  let live = 0;
  let missing = 0;
  for (const { channel } of partitions) {
    const { replica, damage } = channel.channel;
    for (const block of replica.entities.blocks) live += block.live.count;
    missing += replica.missingRows + (damage === undefined ? 0 : 1);
  }
  return missing === 0 ? 1 : live / (live + missing);
}

function checkScope({ collection, scope }: ReadScope): void {
  if (scope === undefined || scope === null || scope === 'global') return;
  throw new DbError('QUERY_INVALID', `${collection}: scope: 'global' expected of a server, got ${JSON.stringify(scope)}`, {
    details: { collection, option: 'scope', expected: 'global' },
  });
}

function noLeader(cause: unknown): DbError {
  const because = DbError.from(cause).message;
  return new DbError('CONSISTENCY_UNAVAILABLE', `read: a leader that confirms what is newest expected, got none: ${because}`, { cause });
}

function timedOut(what: string, timeoutMs: number): DbError {
  return new DbError('TIMEOUT', `read: ${what} within ${timeoutMs} ms expected, got none`, { details: { timeoutMs } });
}
