import { DbError } from '@terndb/core';
import type { Catalog } from '../catalog/catalog.ts';
import type { FollowedChannels } from '../replication/followed-channels.ts';
import type { Channel } from './channel.ts';
import { type ShownChannel, shownLocally } from './shown-channel.ts';

/** Which channel shows a partition: the followed one while there is one, else the local one of the catalog. */
export class Partitions {
  readonly #catalog: Catalog;
  readonly #local: () => ReadonlyMap<string, Channel>;
  readonly #followed: FollowedChannels;

  /** `local` by channel name, as it is at the time. */
  constructor(catalog: Catalog, local: () => ReadonlyMap<string, Channel>, followed: FollowedChannels) {
    this.#catalog = catalog;
    this.#local = local;
    this.#followed = followed;
  }

  find(collection: string, partition: string): ShownChannel | undefined {
    const followed = this.#followed.find(collection, partition);
    if (followed !== undefined) return followed;
    const name = this.#catalog.partitionsOf(collection).get(partition);
    const channel = name === undefined ? undefined : this.#local().get(name);
    return channel && shownLocally(channel, this.#catalog.database.logEpoch);
  }

  /** PARTITION_UNKNOWN. */
  mustGet(collection: string, partition: string): ShownChannel {
    return this.find(collection, partition) ?? this.#unknown(collection, partition);
  }

  /** COLLECTION_UNKNOWN. */
  names(collection: string): string[] {
    return [...new Set([...this.#catalog.partitionsOf(collection).keys(), ...this.#followed.partitionsOf(collection)])];
  }

  /** The named partitions, each once, or all. COLLECTION_UNKNOWN, PARTITION_UNKNOWN, OPTION_INVALID. */
  wanted(collection: string, partitions: readonly string[] | undefined): ShownChannel[] {
    if (partitions !== undefined && partitions !== null && !Array.isArray(partitions)) {
      throw new DbError('OPTION_INVALID', `${collection}: partitions: an array of names expected, got ${typeof partitions}`, {
        details: { collection, option: 'partitions', got: typeof partitions },
      });
    }
    const names = new Set(partitions ?? this.names(collection));
    return [...names].map((partition) => this.mustGet(collection, partition));
  }

  /** Of all collections. */
  all(): ShownChannel[] {
    return [...this.#catalog.collections()].flatMap(({ name }) => this.wanted(name, undefined));
  }

  /** The log epochs that any channel's positions are of. */
  universes(): ReadonlySet<string> {
    const followed = [...this.#followed.all()].flatMap(({ logEpoch }) => (logEpoch === null ? [] : [logEpoch]));
    return new Set([this.#catalog.database.logEpoch, ...followed]);
  }

  #unknown(collection: string, partition: string): never {
    this.#catalog.mustGetChannel(collection, partition);
    throw new DbError('PARTITION_UNKNOWN', `${collection}: partition ${JSON.stringify(partition)} does not exist`, {
      details: { collection, partition: String(partition) },
    });
  }
}
