import {
  type CollectionDefinition,
  defaultValueOf,
  type ErrorCode,
  entityBytes,
  type FieldDefinition,
  type FieldDefinitionOf,
  fieldOf,
  isStoredVector,
  keyFieldOf,
  MAX_COLLAB_BYTES,
  MAX_DIM,
  MAX_ENTITY_BYTES,
  MAX_JSON_BYTES,
  MAX_KEYWORD_BYTES,
  MAX_SPARSE_TERMS,
  MAX_TEXT_BYTES,
  normalizeInt64,
  type Op,
  type PrimaryKey,
  type SingleOp,
  type SparseValue,
  type StoredFields,
  type StoredValue,
  type StoredVector,
  utf8Length,
  valueFieldsOf,
  type YjsOp,
} from '@terndb/core';
import { collabBytes, collabDocuments } from '@terndb/engine/parts';
import type { NodeChannel } from '../channels/node-channel.ts';

/** A document that a device carries up in pieces is a little larger than it is whole. */
const COLLAB_PIECES_BYTES = 65_536;
/** A moment that `Date` can hold. */
const MAX_DATE_MS = 8.64e15;

/**
 * Why an op of a device can never be taken; undefined when it can. A device has checked it already, against a schema that may be another one,
 * with code that may be another's: after the append nothing may fail. Cost: one pass over the values.
 */
export function checkOp(channel: NodeChannel, op: Op): ErrorCode | undefined {
  if (op.type !== 'batch') return checkSingle(channel, op);
  for (const single of op.ops) {
    const code = checkSingle(channel, single);
    if (code !== undefined) return code;
  }
  return undefined;
}

function checkSingle(channel: NodeChannel, op: SingleOp): ErrorCode | undefined {
  const { definition } = channel.channel.collection;
  if (!isKey(keyFieldOf(definition), op.pk)) return 'KEY_INVALID';
  switch (op.type) {
    case 'delete':
      return undefined;
    case 'put':
      for (const field of valueFieldsOf(definition)) if (op.fields[field.name] === undefined && !isOptional(field)) return 'FIELD_INVALID';
      return checkFields(channel, definition, op.pk, op.fields);
    case 'patch':
      for (const name of Object.keys(op.fields)) if (isCollab(fieldOf(definition, name))) return 'FIELD_INVALID';
      return checkFields(channel, definition, op.pk, op.fields);
    case 'vector': {
      const field = fieldOf(definition, op.field);
      if (field === undefined) return 'FIELD_UNKNOWN';
      return field.type === 'vector' && field.params.embed !== null ? checkValue(channel, field, op.vector) : 'FIELD_INVALID';
    }
    case 'yjs':
      return checkUpdate(channel, fieldOf(definition, op.field), op);
  }
}

function checkFields(channel: NodeChannel, definition: CollectionDefinition, pk: PrimaryKey, fields: StoredFields): ErrorCode | undefined {
  for (const name of Object.keys(fields)) {
    const field = fieldOf(definition, name);
    if (field === undefined) return 'FIELD_UNKNOWN';
    if (field.type === 'primaryKey') return 'FIELD_INVALID';
    const value = fields[name]!;
    const code = value === null ? (isNullable(field) ? undefined : 'FIELD_INVALID') : checkValue(channel, field, value);
    if (code !== undefined) return code;
  }
  return entityBytes(pk, fields) > MAX_ENTITY_BYTES ? 'ENTITY_TOO_LARGE' : undefined;
}

/** The document may have grown meanwhile by what is in flight: the bound is one of about. */
function checkUpdate(channel: NodeChannel, field: FieldDefinition | undefined, { pk, update }: YjsOp): ErrorCode | undefined {
  if (field === undefined || !isCollab(field) || !collabDocuments().isUpdate(update)) return 'FIELD_INVALID';
  const place = channel.channel.replica.entities.find(pk);
  const state = place?.block.source.collabAt(field.name, place.offset) ?? null;
  return state !== null && collabBytes(state) + update.length > MAX_COLLAB_BYTES + COLLAB_PIECES_BYTES ? 'ENTITY_TOO_LARGE' : undefined;
}

function isCollab(field: FieldDefinition | undefined): boolean {
  return field?.type === 'collab' || field?.type === 'collabText';
}

/** May be null where it is stored: a derived vector comes later, a collab document may be empty. */
function isNullable(field: FieldDefinition): boolean {
  return field.nullable || field.type === 'collab' || (field.type === 'vector' && field.params.embed !== null);
}

function isOptional(field: FieldDefinition): boolean {
  return isNullable(field) || defaultValueOf(field) !== null;
}

function isKey({ params }: FieldDefinitionOf<'primaryKey'>, pk: PrimaryKey): boolean {
  if (params.keyType === 'int64') return isInt64(pk);
  return typeof pk === 'string' && pk !== '' && isText(pk, params.maxLength!);
}

function isText(value: unknown, maxBytes: number): boolean {
  if (typeof value !== 'string' || value.length > maxBytes) return false;
  const bytes = utf8Length(value);
  return bytes >= 0 && bytes <= maxBytes;
}

/** In its one form, so that equal values are `===`. */
function isInt64(value: unknown): boolean {
  return value !== undefined && normalizeInt64(value) === value;
}

function checkValue(channel: NodeChannel, field: FieldDefinition, value: StoredValue): ErrorCode | undefined {
  switch (field.type) {
    case 'vector':
      return isStoredVector(field, value) ? checkVector(channel, field, value) : 'FIELD_INVALID';
    case 'binaryVector':
      if (!(value instanceof Uint8Array)) return 'FIELD_INVALID';
      return value.length * 8 === field.params.dim ? undefined : 'DIMENSION_MISMATCH';
    default:
      return isValue(field, value) ? undefined : 'FIELD_INVALID';
  }
}

type PlainField = Exclude<FieldDefinition, { type: 'vector' | 'binaryVector' }>;

function isValue(field: PlainField, value: StoredValue): boolean {
  switch (field.type) {
    case 'primaryKey':
      return false;
    case 'text':
      return isText(value, field.params.maxLength);
    case 'collabText':
      return isText(value, MAX_TEXT_BYTES);
    case 'collab':
      return value instanceof Uint8Array && collabDocuments().isUpdate(value);
    case 'keyword':
      return isText(value, MAX_KEYWORD_BYTES) && (field.params.values?.includes(value as string) ?? true);
    case 'int64':
      return isInt64(value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'date':
      return Number.isSafeInteger(value) && Math.abs(value as number) <= MAX_DATE_MS;
    case 'json':
      return isText(value, MAX_JSON_BYTES) && isJson(value as string);
    case 'array': {
      const { of, maxCapacity } = field.params;
      return Array.isArray(value) && value.length <= maxCapacity && value.every((item) => isValue(of, item as StoredValue));
    }
    case 'sparseVector':
      return isSparse(value);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isSparse(value: StoredValue): boolean {
  if (typeof value !== 'object' || value === null || !('indices' in value)) return false;
  const { indices, values } = value as SparseValue;
  if (!(indices instanceof Uint32Array && values instanceof Float32Array) || indices.length !== values.length) return false;
  if (indices.length > MAX_SPARSE_TERMS) return false;
  for (let at = 1; at < indices.length; at++) if (indices[at]! <= indices[at - 1]!) return false;
  return isFinite32(values);
}

/** A dimension that the schema leaves to the model is the first vector's; it is remembered before that one is folded. */
function checkVector(channel: NodeChannel, field: FieldDefinitionOf<'vector'>, vector: StoredVector): ErrorCode | undefined {
  const { dims } = channel;
  const dim = field.params.dim ?? dims.get(field.name) ?? channel.channel.replica.entities.dimOf(field.name);
  if (vector.length === 0 || vector.length > MAX_DIM) return 'FIELD_INVALID';
  if (dim !== undefined && vector.length !== dim) return 'DIMENSION_MISMATCH';
  if (field.params.dim === null) dims.set(field.name, vector.length);
  return undefined;
}

function isFinite32(values: Float32Array): boolean {
  for (let at = 0; at < values.length; at++) if (!Number.isFinite(values[at])) return false;
  return true;
}
