import type { Clock } from '@terndb/core';
import type { ChannelTable } from '../channels/channel-table.ts';
import type { SlotLeader } from '../leader/slot-leader.ts';
import type { NodeLimits } from '../limits.ts';
import type { Failures } from './failures.ts';
import { degraded, type Finding, failing, type HealthCheck, OK } from './finding.ts';

/** Of what may be used: above this somebody should make room before nothing is taken any more. */
const HIGH_SHARE = 0.9;
/** A tail of this share of what is busy has missed several seals. */
const LONG_TAIL_SHARE = 0.5;
/** What builds indexes tries again after a minute: a failure that old, with none since, is over. */
const INDEX_FAILURE_MS = 150_000;

export interface NodeParts {
  readonly clock: Clock;
  readonly limits: NodeLimits;
  readonly leaders: readonly SlotLeader[];
  readonly channels: ChannelTable;
  readonly isGone: (channel: string) => boolean;
  readonly kernel: { readonly memoryBytes: number };
  readonly jobs: { readonly health: JobsHealth };
  readonly changes: { readonly readers: number; readonly maxReaders: number };
}

/** What the data jobs know of their own failures. */
export interface JobsHealth {
  /** Channels whose last seal failed. */
  readonly failedSeals: Failures<string>;
  /** Rounds of housekeeping whose last try failed, by what they do. */
  readonly failedRounds: Failures<string>;
  readonly indexing: () => { readonly waiting: number; readonly failed: number; readonly published: number; readonly isBuilding: boolean };
}

export type NodeComponent = 'leaders' | 'partitions' | 'memory' | 'sealing' | 'indexing' | 'housekeeping' | 'changes';

export function nodeChecks(parts: NodeParts): Readonly<Record<NodeComponent, HealthCheck>> {
  return {
    leaders: () => ofLeaders(parts),
    partitions: () => ofPartitions(parts),
    memory: () => ofMemory(parts),
    sealing: () => ofSealing(parts),
    indexing: indexingCheck(parts),
    housekeeping: () => ofHousekeeping(parts),
    changes: () => ofChanges(parts),
  };
}

/** Nobody serves the partitions of a slot without a leader. */
function ofLeaders({ leaders }: NodeParts): Finding {
  const without = leaders.filter(({ state }) => state !== 'serving').length;
  return without === 0 ? OK : failing(`${without} of ${leaders.length} slots have no leader here`);
}

/** Damaged ones take nothing more; of one that diverged nobody knows whether it is right. */
function ofPartitions({ channels, isGone }: NodeParts): Finding {
  const live = [...channels.all()].filter(({ name }) => !isGone(name));
  const damaged = live.filter(({ channel }) => channel.damage !== undefined);
  const diverged = live.filter(({ channel }) => channel.replica.divergences > 0);
  if (damaged.length === 0 && diverged.length === 0) return OK;
  const code = damaged[0]?.channel.damage?.code;
  const reason = `${damaged.length} of ${live.length} are damaged${code === undefined ? '' : ` (${code})`}, ${diverged.length} diverged`;
  return damaged.length === live.length ? failing(reason) : degraded(reason);
}

function ofMemory({ kernel: { memoryBytes }, limits: { maxKernelBytes } }: NodeParts): Finding {
  if (memoryBytes > maxKernelBytes) return failing(`MEMORY_LIMIT: ${memoryBytes} of ${maxKernelBytes} bytes are used, writes are refused`);
  return memoryBytes > maxKernelBytes * HIGH_SHARE ? degraded(`${memoryBytes} of ${maxKernelBytes} bytes are used`) : OK;
}

function ofSealing({ channels, isGone, limits: { maxTailBytes }, jobs }: NodeParts): Finding {
  const { failedSeals } = jobs.health;
  for (const channel of failedSeals.keys()) if (isGone(channel)) failedSeals.ended(channel);
  let [longest, full] = [0, 0];
  for (const { name, tailBytes } of channels.all()) {
    if (isGone(name)) continue;
    longest = Math.max(longest, tailBytes);
    if (tailBytes >= maxTailBytes) full += 1;
  }
  const { oldest, count } = failedSeals;
  const why = oldest === undefined ? '' : `${oldest.code}: the last seal of ${count} partitions failed`;
  if (full > 0) return failing(`${why}${why && '; '}${full} take no writes of devices until they are sealed`, oldest?.sinceMs);
  if (oldest !== undefined) return degraded(why, oldest.sinceMs);
  return longest > maxTailBytes * LONG_TAIL_SHARE ? degraded(`${longest} bytes of one log are not sealed`) : OK;
}

/** Reads go on without: rows are scanned. */
function indexingCheck({ clock, jobs }: NodeParts): HealthCheck {
  let seen = { failed: 0, published: 0 };
  let trouble: { readonly sinceMs: number; readonly lastMs: number } | undefined;
  return () => {
    const { failed, published, waiting, isBuilding } = jobs.health.indexing();
    const nowMs = clock.nowMs();
    if (published > seen.published) trouble = undefined;
    if (failed > seen.failed) trouble = { sinceMs: trouble?.sinceMs ?? nowMs, lastMs: nowMs };
    seen = { failed, published };
    if (trouble !== undefined && !isBuilding && nowMs - trouble.lastMs > INDEX_FAILURE_MS) trouble = undefined;
    return trouble === undefined ? OK : degraded(`${failed} tries to build or open an index failed, ${waiting} wait`, trouble.sinceMs);
  };
}

function ofHousekeeping({ jobs }: NodeParts): Finding {
  const { failedRounds } = jobs.health;
  const { oldest } = failedRounds;
  return oldest === undefined ? OK : degraded(`${oldest.code}: ${[...failedRounds.keys()].join(', ')} failed`, oldest.sinceMs);
}

function ofChanges({ changes: { readers, maxReaders } }: NodeParts): Finding {
  return readers < maxReaders ? OK : degraded(`as many readers as there may be (${maxReaders}): others are refused`);
}
