import type { Catalog } from '../catalog/catalog.ts';
import type { ReadContext } from '../read/context.ts';
import type { Partitions } from './partitions.ts';
import type { ShownChannel } from './shown-channel.ts';
import { decodeToken, encodeToken, type TokenPositions } from './token.ts';
import type { PartitionView, ReadInfo, ReadScope } from './types.ts';

export interface OpenRead {
  readonly context: ReadContext;
  readonly release: () => void;
}

/** Pins views of the wanted partitions, as of the wall clock `nowMs`. COLLECTION_UNKNOWN, PARTITION_UNKNOWN, OPTION_INVALID, TOKEN_INVALID. */
export function openRead(catalog: Catalog, known: Partitions, request: ReadScope, nowMs: number): OpenRead {
  const { definition, name: collection } = catalog.mustGetCollection(request.collection);
  const atLeast = wantedPositions(request.consistency);
  const wanted = known.wanted(collection, request.partitions);
  const partitions = wanted.map((channel): PartitionView => ({ partition: channel.partition, view: channel.view(nowMs) }));
  const byPartition = new Map(wanted.map((channel) => [channel.partition, channel]));
  return {
    context: {
      definition,
      collection,
      partitions,
      info: readInfo(wanted, partitions, atLeast !== undefined && isBehind(wanted, known.universes(), atLeast)),
      isPending: (partition, key) => byPartition.get(partition)!.isPending(key),
    },
    release: () => {
      for (const { view } of partitions) view.release();
    },
  };
}

/** The positions that these channels show now, by universe; one that never had a bootstrap has none. */
export function tokenOf(channels: Iterable<ShownChannel>): string {
  const positions = new Map<string, Map<string, number>>();
  for (const { name, logEpoch, position } of channels) {
    if (logEpoch === null) continue;
    const known = positions.get(logEpoch) ?? new Map<string, number>();
    positions.set(logEpoch, known.set(name, position));
  }
  return encodeToken([...positions].map(([logEpoch, byChannel]) => ({ logEpoch, positions: byChannel })));
}

function readInfo(wanted: readonly ShownChannel[], partitions: readonly PartitionView[], isBehindToken: boolean): ReadInfo {
  const isBootstrapping = wanted.some(({ logEpoch }) => logEpoch === null);
  return {
    coverage: coverageOf(wanted, partitions),
    scope: 'local',
    degraded: isBootstrapping ? 'bootstrapping' : isBehindToken ? 'behind-token' : null,
    stalenessMs: null,
    token: tokenOf(wanted),
  };
}

/** What a token says of another universe than these can be compared with nothing here: behind. Channels that are not read do not count. */
function isBehind(wanted: readonly ShownChannel[], universes: ReadonlySet<string>, atLeast: readonly TokenPositions[]): boolean {
  return atLeast.some(
    ({ logEpoch, positions }) =>
      !universes.has(logEpoch) ||
      wanted.some((channel) => {
        const position = positions.get(channel.name);
        return position !== undefined && (channel.logEpoch !== logEpoch || channel.position < position);
      }),
  );
}

/** Share of the rows that could be read. */
function coverageOf(wanted: readonly ShownChannel[], partitions: readonly PartitionView[]): number {
  const live = partitions.reduce((rows, { view }) => rows + view.liveRows, 0);
  const missing = wanted.reduce((rows, { missingRows }) => rows + missingRows, 0);
  return missing === 0 ? 1 : live / (live + missing);
}

/** What the kinds of consistency mean is checked by the reads themselves. */
function wantedPositions(consistency: unknown): readonly TokenPositions[] | undefined {
  if (typeof consistency !== 'object' || consistency === null || !('atLeast' in consistency) || typeof consistency.atLeast !== 'string')
    return undefined;
  return decodeToken(consistency.atLeast);
}
