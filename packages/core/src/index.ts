export { crc32c } from './bytes/crc32c.ts';
export { addHash, hash64, hashEquals, hashFromHex, hashToHex, subHash, ZERO_HASH } from './bytes/hash64.ts';
export { AssertionError, assert, assertNever } from './errors/assert.ts';
export { ERROR_CODES, type ErrorCode, type ErrorCodes, type ErrorKind } from './errors/codes.ts';
export { DbError, type ErrorMessage, type JsonValue } from './errors/db-error.ts';
export type { CompareOperator, FilterNode } from './filter/ast.ts';
export { newCatalogId, newClientId, newLogEpoch } from './ids/ids.ts';
export { createKeyGenerator, type KeyGenerator } from './ids/uuid.ts';
export type {
  BatchOp,
  DeleteOp,
  ExpireRecord,
  Frame,
  GcRecord,
  Hash64,
  LogRecord,
  Op,
  OpRecord,
  PatchOp,
  PutOp,
  RejectRecord,
  SingleOp,
  VectorOp,
  YjsOp,
} from './ops/op.ts';
export type { Bus } from './ports/bus.ts';
export type { Clock, Rng } from './ports/clock.ts';
export type { AbortSignalLike, Locks } from './ports/locks.ts';
export type { LogBroker, LogEntry, StoredEntry } from './ports/log-broker.ts';
export type { MetaEntry, MetaStore } from './ports/meta-store.ts';
export type { ObjectInfo, ObjectStore } from './ports/object-store.ts';
export { checkCollection } from './schema/check-definition.ts';
export type { CollabTextValue, CollabTypes, CollabValue } from './schema/collab-types.ts';
export { defineSchema, schemaFromDefinition } from './schema/define-schema.ts';
export type {
  BinaryMetric,
  CollectionDefinition,
  FieldDefinition,
  FieldDefinitionOf,
  FieldParams,
  Kind,
  Metric,
  SchemaDefinition,
  VectorIndexOptions,
} from './schema/definition.ts';
export type {
  AnyField,
  ArrayElement,
  BinaryVector,
  DenseVector,
  EmbedOf,
  Field,
  FieldType,
  InOf,
  OutOf,
  SparseVector,
  VectorField,
  VectorKind,
} from './schema/field-types.ts';
export { type FieldBuilders, f, type VectorOptions } from './schema/fields.ts';
export { RESERVED_COLLECTIONS, RESERVED_FIELDS, type ReservedCollection, type ReservedField } from './schema/names.ts';
export type {
  CheckSchema,
  Condition,
  DeclaredKey,
  DefaultFields,
  DynamicShape,
  Entity,
  EntityOf,
  FieldName,
  Filter,
  Groupable,
  Insert,
  InsertOf,
  IsDynamic,
  IsUnion,
  Key,
  KeyName,
  NamesOf,
  NonNull,
  OrderBy,
  Patch,
  Schema,
  Shape,
  Shapes,
  Show,
  Sortable,
  Where,
} from './schema/types.ts';
export { asTimestamp, createHlc, type Hlc, isTooFarAhead, MAX_AHEAD_MS, timestampFromMs, timestampToMs } from './time/hlc.ts';
export { compareStamps, type Stamp, TICKS_PER_MS, type Timestamp } from './time/timestamp.ts';
export type { Int64, PrimaryKey, ScalarValue, SparseValue, StoredFields, StoredValue } from './value/value.ts';
