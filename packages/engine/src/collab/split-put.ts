import {
  type CollectionDefinition,
  entityBytes,
  MAX_COLLAB_BYTES,
  MAX_ENTITY_BYTES,
  type PrimaryKey,
  type StoredFields,
  type StoredValue,
  utf8Length,
} from '@terndb/core';
import { checkSize } from './check-size.ts';
import { cutUpdate } from './cut-update.ts';
import type { CollabDocuments, CollabKind, PutParts, TakenDocuments } from './types.ts';

type CollabPart = Pick<CollabDocuments, 'begin' | 'bytesOf' | 'isUpdate'>;

/** See `CollabDocuments.takeDocuments`. */
export function takeDocuments(
  documents: CollabPart,
  definition: CollectionDefinition,
  collection: string,
  entity: unknown,
): TakenDocuments | undefined {
  if (typeof entity !== 'object' || entity === null) return undefined;
  const given = entity as Readonly<Record<string, unknown>>;
  const taken: Record<string, StoredValue> = {};
  for (const { name, type } of definition.fields) {
    const value = given[name];
    const size = type === 'collabText' && typeof value === 'string' ? utf8Length(value) : sizeOf(type, value);
    // What is no text, or no bytes, the put says.
    if (size < 0) continue;
    checkSize(`${collection}.${name}`, size, MAX_COLLAB_BYTES, 'a document');
    if (value instanceof Uint8Array && !documents.isUpdate(value)) continue;
    taken[name] = value as StoredValue;
  }
  const names = Object.keys(taken);
  if (names.length === 0) return undefined;
  const empty = names.map((name) => [name, typeof taken[name] === 'string' ? '' : undefined]);
  return { entity: { ...given, ...Object.fromEntries(empty) }, documents: taken };
}

function sizeOf(type: string, value: unknown): number {
  return type === 'collab' && value instanceof Uint8Array ? value.length : -1;
}

/** See `CollabDocuments.splitPut`. */
export function splitPut(
  documents: CollabPart,
  place: { readonly definition: CollectionDefinition; readonly collection: string; readonly pk: PrimaryKey },
  fields: StoredFields,
): PutParts {
  const { definition, collection, pk } = place;
  const seeds: Record<string, StoredValue> = { ...fields };
  const updates: { readonly field: string; readonly update: Uint8Array }[] = [];
  for (const { name, kind } of largestFirst(definition, fields)) {
    if (entityBytes(pk, seeds) <= MAX_ENTITY_BYTES) break;
    const update = documents.bytesOf(documents.begin(kind, fields[name]!));
    const where = `${collection}.${name} of ${JSON.stringify(String(pk))}`;
    checkSize(where, update.length, MAX_COLLAB_BYTES, 'a document');
    for (const piece of cutUpdate(update)) updates.push({ field: name, update: piece });
    seeds[name] = kind === 'collabText' ? '' : null;
  }
  return { fields: seeds, updates };
}

function largestFirst(
  definition: CollectionDefinition,
  fields: StoredFields,
): readonly { readonly name: string; readonly kind: CollabKind }[] {
  const found = definition.fields.flatMap(({ name, type }) => {
    const value = fields[name];
    if ((type !== 'collab' && type !== 'collabText') || value === undefined || value === null || value === '') return [];
    return [{ name, kind: type, bytes: typeof value === 'string' ? utf8Length(value) : (value as Uint8Array).length }];
  });
  return found.sort((a, b) => b.bytes - a.bytes);
}
