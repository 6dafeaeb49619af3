import type { CollectionDefinition } from '@terndb/core';
import {
  type Clock,
  createKeyGenerator,
  DbError,
  encodedOpBytes,
  keyFieldOf,
  MAX_OP_BYTES,
  opBytesBound,
  type Rng,
  type SingleOp,
  type Span,
} from '@terndb/core';
import { encodeToken, type WriteRequest } from '@terndb/engine';
import { fromKernel, type PartitionOps, type Replica, resolveWrite, type WriteTarget } from '@terndb/engine/parts';
import { unknownPartition } from '../catalog/names.ts';
import type { StoredCatalog } from '../catalog/node-catalog.ts';
import type { ChannelTable } from '../channels/channel-table.ts';
import { traced } from '../traced.ts';
import type { CatalogCollectionInfo, NodeRequest, NodeWriteResult } from '../types.ts';
import { createInt64Keys } from './int64-keys.ts';
import type { SlotLeader } from './slot-leader.ts';

export interface WritesOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly catalog: StoredCatalog;
  readonly channels: ChannelTable;
  readonly leaders: readonly SlotLeader[];
  readonly logEpoch: string;
  readonly serverNumber: number;
}

/** The server's own writes: whatever reads before writing is resolved here, stamps are the leader's (design 4, 5). */
export class Writes {
  readonly #options: WritesOptions;
  readonly #newKey: () => string;
  readonly #newInt64Key: () => bigint;
  /** By channel: sent to its leader and not answered yet. */
  readonly #underWay = new Map<string, Set<Promise<unknown>>>();

  constructor(options: WritesOptions) {
    this.#options = options;
    const keys = createKeyGenerator(options.clock, options.rng);
    this.#newKey = () => keys.next();
    this.#newInt64Key = createInt64Keys(options.clock, options.serverNumber);
  }

  /**
   * Durable and folded when it resolves. What fits one op of the log (MAX_OP_BYTES per partition) is one record and so atomic; a larger put is
   * several, in order. On an error some of them may have been appended.
   * @throws STORAGE_UNAVAILABLE also while a partition does not yet show a schema change, or is being replaced.
   */
  async write(request: NodeRequest<WriteRequest>): Promise<NodeWriteResult> {
    const collection = this.#options.catalog.mustFind(request.database, request.collection);
    const { keys, partitions } = resolveWrite(this.#target(collection), this.#withKeys(collection.definition, request));
    const positions = new Map<string, number>();
    // All of them are with their leaders before the first is awaited: nothing of another caller comes between.
    const written = partitions.flatMap((write) => {
      const channel = this.#channelOf(collection, write.partition);
      return this.#append(channel, collection, { ...write, author: request.subject ?? '', span: request.span }).map(async (position) => {
        positions.set(channel, Math.max(positions.get(channel) ?? 0, (await position).position));
      });
    });
    for (const outcome of await Promise.allSettled(written)) if (outcome.status === 'rejected') throw fromKernel(outcome.reason);
    return { token: encodeToken({ logEpoch: this.#options.logEpoch, positions }), keys };
  }

  #append(
    channel: string,
    { name, schemaVersion }: CatalogCollectionInfo,
    { ops, hlc, author, span }: PartitionOps & { readonly author: string; readonly span: Span | undefined },
  ): Promise<{ readonly position: number }>[] {
    const { channels, leaders, catalog } = this.#options;
    const found = channels.get(channel);
    if (found.channel.damage !== undefined) throw found.channel.damage;
    if (catalog.isBehind(found) || catalog.isClosing(channel)) {
      const details = { collection: name, channel };
      throw new DbError('STORAGE_UNAVAILABLE', `${name}: a channel that shows the newest schema expected, got one that is being changed`, {
        details,
      });
    }
    const leader = leaders[found.slot]!;
    const stamp = hlc === undefined ? {} : { hlc };
    return chunks(ops).map((chunk) => {
      const write = { channel, ops: chunk, author, schemaVersion, ...stamp };
      const attributes = { slot: found.slot, ops: chunk.length };
      const written = traced(span, 'leader append', attributes, (part) =>
        leader.write(part === undefined ? write : { ...write, span: part }),
      );
      return this.#noted(channel, written);
    });
  }

  /** When all that was sent to the channel before the call is answered. */
  async settled(channel: string): Promise<void> {
    await Promise.allSettled([...(this.#underWay.get(channel) ?? [])]);
  }

  #noted<T>(channel: string, write: Promise<T>): Promise<T> {
    const all = this.#underWay.get(channel) ?? new Set();
    this.#underWay.set(channel, all);
    const done = (): void => {
      all.delete(write);
      if (all.size === 0 && this.#underWay.get(channel) === all) this.#underWay.delete(channel);
    };
    all.add(write);
    write.then(done, done);
    return write;
  }

  #target(collection: CatalogCollectionInfo): WriteTarget {
    const find = (partition: string): Replica | undefined => {
      const [channel] = collection.partitions.get(partition) ?? [];
      return channel === undefined ? undefined : this.#options.channels.get(channel).channel.replica;
    };
    const mustGet = (partition: string): Replica => {
      const replica = find(partition);
      if (replica === undefined) throw unknownPartition(collection.name, partition);
      return replica;
    };
    return {
      collection: collection.name,
      definition: collection.definition,
      newKey: this.#newKey,
      replica: mustGet,
      findReplica: mustGet,
      partitions: () => [...collection.partitions.keys()],
      nowMs: () => this.#options.clock.nowMs(),
    };
  }

  #channelOf(collection: CatalogCollectionInfo, partition: string): string {
    const [channel] = collection.partitions.get(partition) ?? [];
    if (channel === undefined) throw unknownPartition(collection.name, partition);
    return channel;
  }

  /** Automatic integers are minted here; a device cannot. */
  #withKeys(definition: CollectionDefinition, request: WriteRequest): WriteRequest {
    const key = keyFieldOf(definition);
    if (request.type !== 'put' || key.params.keyType !== 'int64' || !key.params.autoId) return request;
    const entities = request.entities.map((entity) => {
      const isWithout = typeof entity === 'object' && entity !== null && (entity as Record<string, unknown>)[key.name] === undefined;
      return isWithout ? { ...entity, [key.name]: this.#newInt64Key() } : entity;
    });
    return { ...request, entities };
  }
}

/**
 * Ops of one record each: all of them where they fit, else about as few as may be. Encoding each op only to measure it would cost a fifth of a large
 * insert, so they are cut by their bounds.
 */
function chunks(ops: readonly SingleOp[]): (readonly SingleOp[])[] {
  const whole = { type: 'batch', ops } as const;
  if (opBytesBound(whole) <= MAX_OP_BYTES) return [ops];
  if (leastBytes(ops) <= MAX_OP_BYTES && encodedOpBytes(whole) <= MAX_OP_BYTES) return [ops];
  const made: SingleOp[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const op of ops) {
    const size = opBytesBound(op);
    if (bytes + size > MAX_OP_BYTES) {
      made.push([]);
      // Of the batch itself.
      bytes = opBytesBound({ type: 'batch', ops: [] });
    }
    made.at(-1)!.push(op);
    bytes += size;
  }
  return made;
}

/** What their vectors take alone: all the rest comes on top. */
function leastBytes(ops: readonly SingleOp[]): number {
  let bytes = 0;
  for (const op of ops) {
    if (op.type === 'vector') bytes += op.vector.byteLength;
    if (op.type !== 'put' && op.type !== 'patch') continue;
    for (const value of Object.values(op.fields)) if (ArrayBuffer.isView(value)) bytes += value.byteLength;
  }
  return bytes;
}
