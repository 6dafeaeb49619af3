import {
  type CollectionDefinition,
  DbError,
  fieldOf,
  MAX_COLLAB_BYTES,
  MAX_COLLAB_UPDATE_BYTES,
  type PrimaryKey,
  type SingleOp,
  type StoredFields,
} from '@terndb/core';
import type { ReplicaReader } from '../replica/replica-reader.ts';
import { checkSize } from './check-size.ts';
import { collabDocuments, collabFieldsOf } from './load.ts';
import { isBaseOf } from './merge-row.ts';
import { type CollabBase, type CollabKind, collabBytes } from './types.ts';

/** An edit of one collab field. */
export interface CollabRequest {
  readonly type: 'collab';
  readonly collection: string;
  readonly partition: string;
  readonly key: unknown;
  readonly field: string;
  /** Of the document that was edited. */
  readonly base: CollabBase;
  /** Yjs, v1. */
  readonly update: Uint8Array;
}

interface CollabTarget {
  readonly collection: string;
  readonly definition: CollectionDefinition;
  readonly replica: ReplicaReader;
  readonly home: CollabBase['home'];
}

/** FIELD_INVALID. */
export function collabKindOf(definition: CollectionDefinition, collection: string, name: string): CollabKind {
  const type = fieldOf(definition, name)?.type;
  if (type === 'collab' || type === 'collabText') return type;
  const details = { collection, field: name, expected: 'collabText or collab', got: type ?? 'no such field' };
  throw new DbError('FIELD_INVALID', `${collection}.${name}: a collab field expected, got ${details.got}`, { details });
}

/**
 * The op, checked before anything is stored: an update that Yjs cannot read, or a document that would become too large, is refused here.
 * @throws FIELD_INVALID, ENTITY_TOO_LARGE; NOT_FOUND when the document is not the row's any more: another put began a new one.
 */
export function collabOps({ collection, definition, replica, home }: CollabTarget, pk: PrimaryKey, request: CollabRequest): SingleOp[] {
  const { field, base, update } = request;
  const kind = collabKindOf(definition, collection, field);
  const where = `${collection}.${field} of ${JSON.stringify(String(pk))}`;
  const documents = collabDocuments();
  if (!(update instanceof Uint8Array) || !documents.isUpdate(update))
    throw new DbError('FIELD_INVALID', `${where}: a Yjs update expected, got bytes that Yjs cannot read`, {
      details: { collection, field },
    });
  const place = replica.entities.find(pk);
  const source = place?.block.source;
  if (
    place === undefined ||
    source === undefined ||
    base.home !== home ||
    !isBaseOf(base, source.stampsAt(place.offset).put, source.putSeqAt(place.offset))
  ) {
    throw new DbError('NOT_FOUND', `${where}: the document that was edited expected, got ${place === undefined ? 'none' : 'another'}`, {
      details: { collection, field },
    });
  }
  const before = source.collabAt(field, place.offset) ?? documents.begin(kind, source.valueAt(field, place.offset));
  checkSize(where, update.length, MAX_COLLAB_UPDATE_BYTES, 'an update');
  checkSize(where, collabBytes(before) + update.length, MAX_COLLAB_BYTES, 'a document');
  // Its own bytes: a frame or an outbox entry must not keep a larger buffer.
  return [{ type: 'yjs', pk, field, base: { clientId: base.clientId, seq: base.seq }, update: update.slice() }];
}

/** A put may begin an opaque document with bytes: only with such as Yjs can read. FIELD_INVALID. */
export function checkCollabPut(definition: CollectionDefinition, collection: string, fields: StoredFields): void {
  for (const [field, kind] of collabFieldsOf(definition)) {
    const value = fields[field];
    if (kind !== 'collab' || !(value instanceof Uint8Array) || collabDocuments().isUpdate(value)) continue;
    const details = { collection, field, expected: 'a Yjs update', got: `${value.length} bytes` };
    throw new DbError('FIELD_INVALID', `${collection}.${field}: a Yjs update expected, got bytes that Yjs cannot read`, { details });
  }
}
