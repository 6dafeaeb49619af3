import { assert, DbError, type Frame, type MetaStore, type ObjectStore, type ScratchFiles } from '@terndb/core';
import {
  type CatalogCollection,
  type Channel,
  emptyReplica,
  loadManifest,
  openReplica,
  readManifestPointers,
  SegmentPool,
} from '@terndb/engine/parts';
import type { Kernel } from '@terndb/kernel';
import type { SlotFolds } from '@terndb/sync';
import type { ChannelPlace } from '../catalog/catalog-state.ts';
import { slotOf } from '../catalog/slots.ts';
import { NodeChannel } from './node-channel.ts';

/** Hides the latency of the store without holding many segments' bytes at once. */
const PARALLEL_OPENS = 8;

export interface ChannelTableOptions {
  readonly objects: ObjectStore;
  readonly meta: MetaStore;
  readonly kernel: Kernel;
  readonly scratch?: ScratchFiles | undefined;
  readonly pool: SegmentPool;
  readonly logEpoch: string;
  readonly slots: number;
}

/** All channels of the node, by name. Dropped ones stay as empty names until the node closes: what was in flight for them still has a place. */
export class ChannelTable implements SlotFolds {
  readonly #options: ChannelTableOptions;
  readonly #channels = new Map<string, NodeChannel>();

  constructor(options: ChannelTableOptions) {
    this.#options = options;
  }

  all(): IterableIterator<NodeChannel> {
    return this.#channels.values();
  }

  find(name: string): NodeChannel | undefined {
    return this.#channels.get(name);
  }

  get(name: string): NodeChannel {
    const channel = this.#channels.get(name);
    assert(channel !== undefined, () => `channel ${name}: one of this node expected`);
    return channel;
  }

  apply(frame: Frame): void {
    this.#channels.get(frame.channel)?.apply(frame);
  }

  /** A channel before its first record. */
  add(place: ChannelPlace, collection: CatalogCollection): NodeChannel {
    const replica = emptyReplica({ ...this.#options, channel: place.channel, definition: collection.definition });
    return this.#put({ name: place.channel, collection, partition: place.partition, replica, published: undefined, damage: undefined });
  }

  /** As their newest manifests say; the tail of the log is the leaders' to fold. Manifests that cannot be read leave a damaged channel. */
  async open(places: readonly (ChannelPlace & { readonly collection: CatalogCollection })[]): Promise<void> {
    const pointers = await readManifestPointers(this.#options.meta);
    for (let at = 0; at < places.length; at += PARALLEL_OPENS) {
      const slice = places.slice(at, at + PARALLEL_OPENS);
      await Promise.all(slice.map((place) => this.#open(place, pointers.get(place.channel))));
    }
  }

  /** The same channel under another definition, at the state of its newest manifest. To be caught up and then shown with `channel = …`. */
  async openAgain({ channel }: NodeChannel, collection: CatalogCollection): Promise<Channel> {
    const { name, partition, published } = channel;
    // A pool of its own: an open segment knows the definition it was opened under.
    const { objects, kernel, scratch } = this.#options;
    const pool = new SegmentPool(objects, kernel, undefined, undefined, scratch);
    const options = { ...this.#options, pool, channel: name, definition: collection.definition };
    const replica = published === undefined ? emptyReplica(options) : await openReplica({ ...options, manifest: published.manifest });
    return { name, partition, published, collection, replica, damage: undefined };
  }

  retire(): void {
    for (const channel of this.#channels.values()) channel.drop();
  }

  async #open(
    { channel: name, partition, collection }: ChannelPlace & { readonly collection: CatalogCollection },
    pointer: NonNullable<Channel['published']>['pointer'] | undefined,
  ): Promise<void> {
    const { objects } = this.#options;
    const options = { ...this.#options, channel: name, definition: collection.definition };
    if (pointer === undefined) {
      this.#put({ name, collection, partition, replica: emptyReplica(options), published: undefined, damage: undefined });
      return;
    }
    try {
      const manifest = await loadManifest(objects, pointer.object);
      const replica = await openReplica({ ...options, manifest });
      this.#put({ name, collection, partition, replica, published: { pointer, manifest }, damage: undefined });
    } catch (error) {
      if (!(error instanceof DbError) || error.kind !== 'data') throw error;
      this.#put({ name, collection, partition, replica: emptyReplica(options), published: undefined, damage: error });
    }
  }

  #put(channel: Channel): NodeChannel {
    const made = new NodeChannel(channel, slotOf(channel.name, this.#options.slots));
    this.#channels.set(channel.name, made);
    return made;
  }
}
