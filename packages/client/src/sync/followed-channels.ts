import type { PrimaryKey, SchemaDefinition, SingleOp } from '@terndb/core';
import type { ResolvedChannel } from '@terndb/sync';
import type { ConnectionMemory } from './connection-memory.ts';
import type { ConnectRequest } from './connection-record.ts';
import type { SyncPlace } from './host-types.ts';
import { otherTimesToLive } from './places.ts';
import type { Standing } from './standing.ts';
import type { SyncHost } from './sync-host.ts';
import type { SyncReport } from './sync-report.ts';

export interface FollowedPorts {
  readonly memory: ConnectionMemory;
  readonly standing: Standing;
  /** Of the engine. */
  readonly schema: SchemaDefinition;
  /** Which runs now. */
  readonly host: () => SyncHost | undefined;
}

/** What is known of the channels that a database follows: which there are, how far and how old each is, what is unsent of it. */
export class FollowedChannels {
  /** Of the host that runs. */
  places: readonly SyncPlace[] = [];
  readonly #memory: ConnectionMemory;
  readonly #standing: Standing;
  readonly #schema: SchemaDefinition;
  readonly #host: () => SyncHost | undefined;

  constructor({ memory, standing, schema, host }: FollowedPorts) {
    this.#memory = memory;
    this.#standing = standing;
    this.#schema = schema;
    this.#host = host;
  }

  /** Channels of a partition as the server named them; empty: it is not the server's. */
  channelsOf(collection: string, partition: string): readonly ResolvedChannel[] {
    return this.#memory.record?.answer.channels.filter((one) => one.collection === collection && one.partition === partition) ?? [];
  }

  partitionsOf(collection: string): readonly string[] {
    return [
      ...new Set(this.#memory.record?.answer.channels.filter((one) => one.collection === collection).map(({ partition }) => partition)),
    ];
  }

  isComplete(channel: string): boolean {
    return this.#standing.isComplete(channel);
  }

  isBrought(channel: string): boolean {
    return this.#standing.isBrought(channel);
  }

  positionOf(channel: string): number {
    return this.#standing.positionOf(channel);
  }

  seenOf(channel: string): number {
    return this.#standing.seenOf(channel);
  }

  /** What the outbox has on a key, in its order. */
  pendingOps(channel: string, key: PrimaryKey): readonly SingleOp[] {
    const host = this.#host();
    if (host?.follows(channel) !== true) return [];
    return host.outboxOf(channel).flatMap(({ op }) => (op.type === 'batch' ? op.ops : [op]).filter(({ pk }) => pk === key));
  }

  get logEpoch(): string | undefined {
    return this.#host()?.logEpoch ?? this.#memory.record?.answer.logEpoch;
  }

  /** Age of what is shown of a channel; null: never heard of. */
  stalenessOf(channel: string): number | null {
    return this.#standing.stalenessOf(channel, this.#memory.currentAtMs(channel));
  }

  outboxSizeOf(channel: string): number {
    const host = this.#host();
    return host?.follows(channel) === true ? host.outboxOf(channel).length : 0;
  }

  placeOf(channel: string): SyncPlace | undefined {
    return this.places.find((place) => place.channel === channel);
  }

  channelIn(collection: string, partition: string): string | undefined {
    return this.places.find((place) => place.collection === collection && place.partition === partition)?.channel;
  }

  /** Of all together: how much of what is to be here is, and the age of the oldest. */
  howFar(): { readonly progress: number; readonly stalenessMs: number } {
    const channels = this.places.map(({ channel }) => channel);
    return {
      progress: meanOf(channels.map((channel) => this.#standing.progressOf(channel))),
      stalenessMs: Math.max(0, ...channels.map((channel) => this.stalenessOf(channel) ?? 0)),
    };
  }

  /** Of the partitions that are asked for, or were last. */
  status(request: ConnectRequest | undefined): Pick<SyncReport['status'], 'partitions' | 'otherTimesToLive'> {
    const { record } = this.#memory;
    const wanted = request?.partitions ?? record?.partitions ?? [];
    const partitions = wanted.map(({ name, keep }) => {
      const channels = this.places.filter(({ partition }) => partition === name).map(({ channel }) => this.#standing.coverageOf(channel));
      return { name, keep, coverage: meanOf(channels) };
    });
    const otherTimes = record === undefined ? [] : otherTimesToLive(record.answer, this.#schema, record.opened);
    // Said, not left out: what is told is laid over what was told before.
    return { partitions, otherTimesToLive: otherTimes.length === 0 ? undefined : otherTimes };
  }
}

function meanOf(shares: readonly number[]): number {
  return shares.length === 0 ? 0 : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
