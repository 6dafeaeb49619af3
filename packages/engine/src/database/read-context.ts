import { DbError } from '@terndb/core';
import type { Catalog } from '../catalog/catalog.ts';
import type { ReadContext } from '../read/context.ts';
import type { Channel } from './channel.ts';
import { decodeToken, encodeToken } from './token.ts';
import type { PartitionView, ReadInfo, ReadScope } from './types.ts';

export interface OpenRead {
  readonly context: ReadContext;
  readonly release: () => void;
}

/** Pins views of the wanted partitions. COLLECTION_UNKNOWN, PARTITION_UNKNOWN, OPTION_INVALID, TOKEN_INVALID. */
export function openRead(catalog: Catalog, channels: ReadonlyMap<string, Channel>, request: ReadScope): OpenRead {
  const { definition, name: collection } = catalog.mustGetCollection(request.collection);
  const atLeast = wantedPositions(request.consistency);
  const wanted = wantedChannels(catalog, channels, collection, request.partitions);
  const partitions = wanted.map(({ partition, replica }): PartitionView => ({ partition, view: replica.view() }));
  const info = readInfo(catalog.database.logEpoch, wanted, atLeast);
  return {
    context: { definition, collection, partitions, info },
    release: () => {
      for (const { view } of partitions) view.release();
    },
  };
}

/** The named partitions, each once, or all. */
export function wantedChannels(
  catalog: Catalog,
  channels: ReadonlyMap<string, Channel>,
  collection: string,
  partitions: readonly string[] | undefined,
): Channel[] {
  if (partitions !== undefined && partitions !== null && !Array.isArray(partitions)) {
    throw new DbError('OPTION_INVALID', `${collection}: partitions: an array of names expected, got ${typeof partitions}`, {
      details: { collection, option: 'partitions', got: typeof partitions },
    });
  }
  const names = new Set(partitions ?? catalog.partitionsOf(collection).keys());
  return [...names].map((partition) => channels.get(catalog.mustGetChannel(collection, partition))!);
}

function readInfo(logEpoch: string, wanted: readonly Channel[], atLeast: ReturnType<typeof wantedPositions>): ReadInfo {
  const positions = new Map(wanted.map(({ name, replica }) => [name, replica.position]));
  const isBehind =
    atLeast !== undefined &&
    (atLeast.logEpoch !== logEpoch || wanted.some(({ name }) => (atLeast.positions.get(name) ?? 0) > positions.get(name)!));
  return {
    coverage: coverageOf(wanted),
    scope: 'local',
    degraded: isBehind ? 'behind-token' : null,
    stalenessMs: null,
    token: encodeToken({ logEpoch, positions }),
  };
}

/** Share of the rows that could be read. A damaged log hides nobody knows how many: at least one. */
function coverageOf(wanted: readonly Channel[]): number {
  let live = 0;
  let missing = 0;
  for (const { replica, damage } of wanted) {
    for (const block of replica.entities.blocks) live += block.live.count;
    missing += replica.missingRows + (damage === undefined ? 0 : 1);
  }
  return missing === 0 ? 1 : live / (live + missing);
}

/** What the kinds of consistency mean is checked by the reads themselves. */
function wantedPositions(consistency: unknown): ReturnType<typeof decodeToken> | undefined {
  if (typeof consistency !== 'object' || consistency === null || !('atLeast' in consistency) || typeof consistency.atLeast !== 'string')
    return undefined;
  return decodeToken(consistency.atLeast);
}
