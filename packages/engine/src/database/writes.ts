import { createKeyGenerator, DbError, type KeyGenerator } from '@terndb/core';
import type { Catalog, CatalogCollection } from '../catalog/catalog.ts';
import { type PartitionOps, type ResolveOptions, resolveWrite, type WriteTarget } from '../leader/resolve.ts';
import type { FollowedChannel } from '../replication/followed-channel.ts';
import type { FollowedChannels } from '../replication/followed-channels.ts';
import type { OutboxPort } from '../replication/types.ts';
import { fromKernel } from './from-kernel.ts';
import type { Partitions } from './partitions.ts';
import { tokenOf } from './read-context.ts';
import type { LocalWrite, SelfLed } from './self-led.ts';
import type { Change, EnginePorts, WriteRequest, WriteTicket } from './types.ts';

export interface WritesOptions {
  readonly ports: Pick<EnginePorts, 'clock' | 'rng'>;
  readonly catalog: Catalog;
  readonly selfLed: SelfLed;
  readonly followed: FollowedChannels;
  readonly partitions: Partitions;
  /** Takes what falls into followed partitions. */
  readonly outbox: OutboxPort | undefined;
  readonly notify: (changes: readonly Change[]) => void;
}

interface FollowedWrite {
  readonly channel: FollowedChannel;
  readonly write: PartitionOps;
}

/** Requests become ops (resolve), and ops go to the channels of their partitions: to the engine's own log, or to the outbox. */
export class Writes {
  readonly #options: WritesOptions;
  readonly #keys: KeyGenerator;

  constructor(options: WritesOptions) {
    this.#options = options;
    this.#keys = createKeyGenerator(options.ports.clock, options.ports.rng);
  }

  /** As `Engine.writeAll`; whether the engine takes writes is checked by it. */
  write(requests: readonly WriteRequest[], options: ResolveOptions): WriteTicket {
    const { catalog, selfLed, followed: followedChannels, partitions, notify } = this.#options;
    const resolved = requests.map((request) => {
      const collection = catalog.mustGetCollection(request.collection);
      return { collection, ...resolveWrite(this.#target(collection), request, options) };
    });
    const writes = resolved.flatMap(({ collection, partitions }) => partitions.map((write) => ({ collection, write })));
    const followed = writes.flatMap(({ collection, write }): FollowedWrite[] => {
      const channel = followedChannels.find(collection.name, write.partition);
      return channel === undefined ? [] : [{ channel, write }];
    });
    const isSplit = followed.length > 0 && followed.length < writes.length;
    if (isSplit && requests.length > 1) throw ofBothKinds(followed);
    const outbox = followed.length === 0 ? undefined : this.#mustHaveOutbox();
    const stored: Promise<void>[] = [];
    const local = writes
      .filter(({ collection, write }) => followedChannels.find(collection.name, write.partition) === undefined)
      .map(({ collection, write }): LocalWrite => ({ channel: selfLed.channelForWrite(collection, write.partition, stored), write }));
    reserve(() => {
      for (const { channel, write } of local) channel.replica.entities.reserve(write.ops);
      for (const { channel, write } of followed) channel.reserveWrites(write.ops);
    });
    // The outbox first: it may refuse, and then nothing else has happened.
    const queued = followed.map(({ channel, write }) => followedChannels.write(channel, outbox!, write));
    const folded = selfLed.write(local, stored);
    const changes = [...queued.map(({ change }) => change), ...folded.changes];
    const durable = [...queued.map(({ durable: added }) => added), folded.durable];
    const token = tokenOf(writes.map(({ collection, write }) => partitions.mustGet(collection.name, write.partition)));
    const written = Promise.all(durable).then(() => ({ token }));
    written.catch(() => {});
    notify(changes);
    return { keys: resolved.flatMap(({ keys }) => keys), durable: written };
  }

  #mustHaveOutbox(): OutboxPort {
    const { outbox } = this.#options;
    if (outbox !== undefined) return outbox;
    throw new DbError('NOT_CONNECTED', 'write: an outbox expected for a followed partition, got none', { details: {} });
  }

  #target(collection: CatalogCollection): WriteTarget {
    const { ports, followed, partitions } = this.#options;
    const { name } = collection;
    return {
      collection: name,
      definition: collection.definition,
      newKey: () => this.#keys.next(),
      replica: (partition) => partitions.mustGet(name, partition),
      findReplica: (partition) => partitions.find(name, partition),
      partitions: () => partitions.names(name),
      nowMs: () => ports.clock.nowMs(),
      isFollowed: (partition) => followed.find(name, partition) !== undefined,
    };
  }
}

/** MEMORY_LIMIT before anything is folded: the write has no effect. */
function reserve(room: () => void): void {
  try {
    room();
  } catch (error) {
    throw fromKernel(error);
  }
}

/** What must be durable together has one place where it becomes so. */
function ofBothKinds([followed]: readonly FollowedWrite[]): DbError {
  const channel = followed!.channel.name;
  return new DbError('OPTION_INVALID', `writes: partitions of one kind expected, got local ones beside the followed channel ${channel}`, {
    details: { channel },
  });
}
