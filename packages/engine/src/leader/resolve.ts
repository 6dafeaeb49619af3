import {
  type CollectionDefinition,
  DbError,
  type FieldDefinitionOf,
  MAX_BATCH_ENTITIES,
  type NormalizePutOptions,
  normalizeKey,
  normalizePatch,
  normalizePut,
  type PrimaryKey,
  type SingleOp,
  type StoredFields,
  type Timestamp,
} from '@terndb/core';
import { DEFAULT_PARTITION } from '../catalog/channels.ts';
import { collabDocuments, collabFieldsOf } from '../collab/load.ts';
import { checkCollabPut, collabOps } from '../collab/resolve-collab.ts';
import { OWN_PUT, type TakenDocuments } from '../collab/types.ts';
import type { WriteRequest } from '../database/types.ts';
import { keptVectors, vectorOps } from '../embedding/resolve-vectors.ts';
import { expiryCutoff } from '../expiry/cutoff.ts';
import { compileFilter } from '../read/compile-filter.ts';
import { matchKeys } from '../read/get.ts';
import type { ReplicaReader } from '../replica/replica-reader.ts';

/** What a write needs to know of its collection. */
export interface WriteTarget {
  readonly collection: string;
  readonly definition: CollectionDefinition;
  readonly newKey: () => PrimaryKey;
  /** Partition name → replica. PARTITION_UNKNOWN. */
  readonly replica: (partition: string) => ReplicaReader;
  /** Undefined when there is no such partition; then a put makes it. */
  readonly findReplica: (partition: string) => ReplicaReader | undefined;
  readonly partitions: () => readonly string[];
  /** The wall clock: what is expired by it is not there for a write, either. Left out: nothing is. */
  readonly nowMs?: () => number;
  /** Whether a server leads the partition. Left out: this is the one that does. */
  readonly isFollowed?: (partition: string) => boolean;
}

export interface PartitionOps {
  readonly partition: string;
  readonly ops: readonly SingleOp[];
  /** What the write has read: its ops carry this stamp, so that later edits survive. Left out: a new stamp. */
  readonly hlc?: Timestamp;
}
export interface ResolvedWrite {
  readonly keys: readonly PrimaryKey[];
  readonly partitions: readonly PartitionOps[];
}

export interface ResolveOptions {
  /** Of one put. Default: MAX_BATCH_ENTITIES. */
  readonly maxEntities?: number;
  /** Whether documents may be larger than an entity: they are several ops then, of which each but the put is an update. Default: no. */
  readonly splitsDocuments?: boolean;
}

/** Validates the whole request and turns it into ops; changes nothing. Whatever reads before writing is resolved here (design 5). */
export function resolveWrite(target: WriteTarget, request: WriteRequest, options: ResolveOptions = {}): ResolvedWrite {
  switch (request.type) {
    case 'put':
      return resolvePut(target, request, options);
    case 'patch':
      return resolvePatch(target, request);
    case 'delete':
      return resolveDelete(target, request);
    case 'deleteBy':
      return resolveDeleteBy(target, request);
    case 'vectors':
      return resolveVectors(target, request);
    case 'collab':
      return resolveCollab(target, request);
  }
}

type RequestOf<T extends WriteRequest['type']> = Extract<WriteRequest, { readonly type: T }>;

function resolvePut(
  target: WriteTarget,
  request: RequestOf<'put'>,
  { maxEntities = MAX_BATCH_ENTITIES, splitsDocuments = false }: ResolveOptions,
): ResolvedWrite {
  const { collection, definition, newKey } = target;
  const partition = request.partition ?? DEFAULT_PARTITION;
  if (request.entities.length > maxEntities) {
    const details = { collection, option: 'entities', expected: maxEntities, got: request.entities.length };
    throw new DbError('OPTION_INVALID', `${collection}: at most ${details.expected} entities in one batch expected, got ${details.got}`, {
      details,
    });
  }
  const replica = target.findReplica(partition);
  const { dimOf, note } = modelDims(replica);
  const isMany = request.entities.length > 1;
  const keys: PrimaryKey[] = [];
  const ops = request.entities.flatMap((entity, index): SingleOp[] => {
    const taken = splitsDocuments ? documentsOf(target, entity) : undefined;
    const { pk, fields: given } = normalizePut(definition, collection, taken?.entity ?? entity, {
      newKey,
      dimOf,
      ...(isMany ? { index } : {}),
    });
    checkCollabPut(definition, collection, given);
    note(given);
    keys.push(pk);
    const { fields, updates } = withDocuments(target, { pk, fields: given }, taken);
    const put = { type: 'put', pk, fields, create: !isThere(target, replica, pk) } as const;
    const vectors = put.create ? [] : keptVectors(definition, put, replica);
    return [put, ...vectors, ...updates];
  });
  return { keys, partitions: ops.length === 0 ? [] : [{ partition, ops }] };
}

function documentsOf({ collection, definition }: WriteTarget, entity: unknown): TakenDocuments | undefined {
  return collabFieldsOf(definition).size === 0 ? undefined : collabDocuments().takeDocuments(definition, collection, entity);
}

function withDocuments(
  { collection, definition }: WriteTarget,
  { pk, fields }: { readonly pk: PrimaryKey; readonly fields: StoredFields },
  taken: TakenDocuments | undefined,
): { readonly fields: StoredFields; readonly updates: readonly SingleOp[] } {
  if (taken === undefined) return { fields, updates: [] };
  const parts = collabDocuments().splitPut({ definition, collection, pk }, { ...fields, ...taken.documents });
  return { fields: parts.fields, updates: parts.updates.map((update) => ({ type: 'yjs', pk, base: OWN_PUT, ...update })) };
}

function resolvePatch(target: WriteTarget, request: RequestOf<'patch'>): ResolvedWrite {
  const { collection, definition } = target;
  const pk = normalizeKey(definition, collection, request.key);
  const partition = holderOf(target, pk, request.partition);
  const { dimOf } = modelDims(partition === undefined ? undefined : target.replica(partition));
  const fields = normalizePatch(definition, collection, request.fields, { dimOf });
  if (partition === undefined || Object.keys(fields).length === 0) return { keys: [pk], partitions: [] };
  return { keys: [pk], partitions: [{ partition, ops: [{ type: 'patch', pk, fields }] }] };
}

function resolveDelete(target: WriteTarget, request: RequestOf<'delete'>): ResolvedWrite {
  const pk = normalizeKey(target.definition, target.collection, request.key);
  const partition = holderOf(target, pk, request.partition);
  return { keys: [pk], partitions: partition === undefined ? [] : [{ partition, ops: [{ type: 'delete', pk }] }] };
}

function resolveDeleteBy(target: WriteTarget, request: RequestOf<'deleteBy'>): ResolvedWrite {
  const { collection, definition } = target;
  if (request.where === undefined && request.filter === undefined) {
    throw new DbError('OPTION_INVALID', `${collection}: delete by where or filter expected, got neither`, {
      details: { collection, option: 'where' },
    });
  }
  const node = compileFilter(definition, collection, request);
  const keys: PrimaryKey[] = [];
  const partitions: PartitionOps[] = [];
  if (request.partitions !== undefined && !Array.isArray(request.partitions)) {
    const details = { collection, option: 'partitions', got: typeof request.partitions };
    throw new DbError('OPTION_INVALID', `${collection}: partitions: an array of names expected, got ${details.got}`, { details });
  }
  if (node.type === 'true') {
    throw new DbError(
      'FILTER_INVALID',
      `${collection}: delete by a condition that not every entity meets expected, got one that is always true`,
      {
        details: { collection, option: 'where', expected: 'a condition', got: 'always true' },
      },
    );
  }
  for (const partition of new Set(request.partitions ?? target.partitions())) {
    const replica = target.replica(partition);
    const view = replica.view(target.nowMs?.());
    try {
      const matched = matchKeys([{ partition, view }], node, definition).flatMap((match) => match.keys);
      if (matched.length === 0) continue;
      for (const key of matched) keys.push(key);
      partitions.push({ partition, ops: matched.map((pk) => ({ type: 'delete', pk })), hlc: replica.maxHlc });
    } finally {
      view.release();
    }
  }
  return { keys, partitions };
}

function resolveVectors(target: WriteTarget, request: RequestOf<'vectors'>): ResolvedWrite {
  const ops = vectorOps(target.definition, request, target.findReplica(request.partition));
  return { keys: ops.map(({ pk }) => pk), partitions: ops.length === 0 ? [] : [{ partition: request.partition, ops }] };
}

function resolveCollab(target: WriteTarget, request: RequestOf<'collab'>): ResolvedWrite {
  const { collection, definition } = target;
  const pk = normalizeKey(definition, collection, request.key);
  const { partition } = request;
  const replica = target.replica(partition);
  const home = target.isFollowed?.(partition) === true ? 'server' : 'device';
  return { keys: [pk], partitions: [{ partition, ops: collabOps({ collection, definition, replica, home }, pk, request) }] };
}

/** Whether the entity is live, and its time to live not over. */
function isThere({ definition, nowMs }: WriteTarget, replica: ReplicaReader | undefined, pk: PrimaryKey): boolean {
  const place = replica?.entities.find(pk);
  if (place === undefined) return false;
  return nowMs === undefined || place.block.source.putTimeAt(place.offset) >= expiryCutoff(replica?.definition ?? definition, nowMs());
}

/** The partition that holds the key live, or may; undefined when none does, and then there is nothing to do. PARTITION_REQUIRED when several do. */
function holderOf(target: WriteTarget, pk: PrimaryKey, named: string | undefined): string | undefined {
  const candidates = named === undefined ? target.partitions() : [named];
  const holders = candidates.filter((partition) => isThere(target, target.replica(partition), pk));
  if (holders.length === 1) return holders[0];
  const possible = candidates.filter((partition) => target.replica(partition).isPartial === true);
  // The log knows the rows that are not here.
  if (holders.length === 0 && (named !== undefined || possible.length === 0)) return possible[0];
  throw new DbError(
    'PARTITION_REQUIRED',
    `${target.collection}: key ${JSON.stringify(String(pk))}: a partition expected, got none, and ${[...holders, ...possible].join(', ')} may hold the key`,
    {
      details: { collection: target.collection, key: String(pk), partitions: [...holders, ...possible] },
    },
  );
}

/** The dimension that a field without one in its schema has in this partition, or gets with the first vector of this write. */
function modelDims(replica: ReplicaReader | undefined): {
  dimOf: NonNullable<NormalizePutOptions['dimOf']>;
  note: (fields: StoredFields) => void;
} {
  const dims = new Map<string, number>();
  const open = new Set<string>();
  return {
    dimOf: (field: FieldDefinitionOf<'vector'>) => {
      const dim = dims.get(field.name) ?? replica?.entities.dimOf(field.name);
      if (dim === undefined) open.add(field.name);
      else dims.set(field.name, dim);
      return dim;
    },
    note: (fields) => {
      for (const name of open) {
        const value = fields[name];
        if (value instanceof Float32Array) dims.set(name, value.length);
      }
    },
  };
}
