import { type DbError, hashToHex } from '@terndb/core';
import type { CatalogCollection } from '../catalog/catalog.ts';
import type { ManifestPointer } from '../catalog/manifest-pointer.ts';
import type { Manifest } from '../manifest/types.ts';
import type { Replica } from '../replica/replica.ts';
import { SealedRows } from '../replica/sealed-rows.ts';
import { StoredRows } from '../segment/stored-rows.ts';
import type { Segment } from '../segment/types.ts';
import type { PartitionInspection } from './types.ts';

/** A channel's newest manifest and where the catalog points to it. */
export interface Published {
  readonly pointer: ManifestPointer;
  readonly manifest: Manifest;
}

/** One partition of one collection, as the engine holds it. */
export interface Channel {
  readonly name: string;
  readonly collection: CatalogCollection;
  readonly partition: string;
  replica: Replica;
  /** Undefined before the first seal. */
  published: Published | undefined;
  /** The log is damaged here: what was read before the damage can be read, nothing can be written. */
  damage: DbError | undefined;
}

function vectorsOf(segment: Segment): PartitionInspection['segments'][number]['vectors'] {
  const vectors: Record<string, { bytesPerRow: number; rows: 'memory' | 'stored' }> = {};
  for (const field of segment.info.stats.keys()) {
    const block = segment.vectors(field);
    if (block === undefined) continue;
    const bytesPerRow = (block.bytes + segment.indexes.bytesOf(field)) / segment.rows;
    vectors[field] = { bytesPerRow, rows: block instanceof StoredRows ? 'stored' : 'memory' };
  }
  return vectors;
}

export function inspectChannel(channel: Pick<Channel, 'collection' | 'partition' | 'replica' | 'damage'>): PartitionInspection {
  const { collection, partition, replica, damage } = channel;
  const { entities } = replica;
  const segments = entities.blocks.flatMap(({ source, live }) => {
    if (!(source instanceof SealedRows)) return [];
    const { info, indexes, vectorBytes } = source.segment;
    const { id, rows } = source;
    return [
      {
        id,
        rows,
        deleted: rows - live.count,
        bytes: info.bytes,
        indexes: indexes.names(),
        indexBytes: indexes.bytes,
        vectorBytes,
        vectors: vectorsOf(source.segment),
      },
    ];
  });
  const sealed = segments.reduce((rows, segment) => rows + segment.rows - segment.deleted, 0);
  const live = entities.blocks.reduce((rows, block) => rows + block.live.count, 0);
  return {
    collection: collection.name,
    partition,
    leader: 'self',
    pending: 0,
    entities: live,
    growing: live - sealed,
    segments,
    quarantined: replica.quarantined,
    hash: hashToHex(replica.hash),
    position: replica.position,
    divergences: replica.divergences,
    damage: damage === undefined ? null : { code: damage.code, message: damage.message },
  };
}
