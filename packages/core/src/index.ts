export { ByteReader } from './bytes/byte-reader.ts';
export { ByteWriter } from './bytes/byte-writer.ts';
export { crc32c } from './bytes/crc32c.ts';
export { addHash, hash64, hashEquals, hashFromHex, hashToHex, subHash, ZERO_HASH } from './bytes/hash64.ts';
export { utf8Decode, utf8Encode } from './bytes/utf8.ts';
export { AssertionError, assert, assertNever } from './errors/assert.ts';
export type { ErrorCode, ErrorCodes, ErrorKind } from './errors/codes.ts';
export { DbError, type ErrorMessage, type JsonValue } from './errors/db-error.ts';
export { ERROR_CODES } from './errors/table.ts';
export type { ArithmeticOperator, CompareOperator, FilterNode, FilterPath, FilterValue, MatchNode } from './filter/ast.ts';
export { compileWhere } from './filter/compile-where.ts';
export { arithmeticResult, compileMatch, equalValues, evaluateFilter, listHolds, type Truth } from './filter/evaluate.ts';
export { parseFilter } from './filter/language/parse-filter.ts';
export { compileLike } from './filter/like.ts';
export { compilePath, type ReachedValue } from './filter/path.ts';
export { printFilter } from './filter/print.ts';
export { newCatalogId, newClientId, newLogEpoch } from './ids/ids.ts';
export { createKeyGenerator, type KeyGenerator } from './ids/uuid.ts';
export {
  DEFAULT_QUERY_LIMIT,
  DEFAULT_SEARCH_LIMIT,
  MAX_AGGREGATE_FIELDS,
  MAX_AGGREGATE_GROUPS,
  MAX_AGGREGATE_TEXT,
  MAX_AGGREGATES,
  MAX_ANALYZER_FILTERS,
  MAX_ARRAY_CAPACITY,
  MAX_BATCH_ENTITIES,
  MAX_BINARY_DIM,
  MAX_COLLAB_BYTES,
  MAX_COLLAB_UPDATE_BYTES,
  MAX_COLLECTION_DEFINITION_BYTES,
  MAX_COLLECTIONS,
  MAX_DIM,
  MAX_EDGE_NGRAM,
  MAX_EF,
  MAX_EF_CONSTRUCTION,
  MAX_EMBED_SOURCES,
  MAX_ENTITY_BYTES,
  MAX_FIELDS,
  MAX_FILTER_DEPTH,
  MAX_FILTER_LENGTH,
  MAX_FILTER_NESTING,
  MAX_FILTER_NODES,
  MAX_FILTER_VALUES,
  MAX_GET_KEYS,
  MAX_GROUP_SIZE,
  MAX_HNSW_M,
  MAX_JSON_BYTES,
  MAX_JSON_DEPTH,
  MAX_KEY_BYTES,
  MAX_KEYWORD_BYTES,
  MAX_KEYWORD_VALUES,
  MAX_MINIMUM_MATCH,
  MAX_NAME_LENGTH,
  MAX_NPROBE,
  MAX_OP_BYTES,
  MAX_PARTITIONS,
  MAX_PATTERN_BYTES,
  MAX_RERANKERS,
  MAX_RRF_K,
  MAX_SEARCH_TEXT_BYTES,
  MAX_SEARCH_VECTORS,
  MAX_SLOP,
  MAX_SPARSE_TERMS,
  MAX_STOP_WORDS,
  MAX_TEXT_BYTES,
  MAX_TTL_SECONDS,
  MAX_VECTOR_FIELDS,
  MAX_WINDOW,
  WARN_COLLAB_BYTES,
} from './limits.ts';
export {
  decodeFrame,
  decodeSlotFrame,
  encodeFrame,
  encodeSlotFrame,
  FRAME_BYTES_TARGET,
  FRAME_VERSION,
  frameKind,
} from './ops/frame-codec.ts';
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
  Origin,
  PatchOp,
  PutOp,
  RejectRecord,
  SingleOp,
  VectorOp,
  YjsOp,
} from './ops/op.ts';
export { opBytesBound } from './ops/op-bytes.ts';
export { originOf, stampOf } from './ops/origin.ts';
export { encodedOpBytes } from './ops/record-codec.ts';
export type { Bus } from './ports/bus.ts';
export type { Clock, Rng } from './ports/clock.ts';
export type { AbortSignalLike, Locks } from './ports/locks.ts';
export type { LogBroker, LogEntry, StoredEntry } from './ports/log-broker.ts';
export { MemoryBus, type MemoryBusHub } from './ports/memory/memory-bus.ts';
export { MemoryLocks, type MemoryLockTable } from './ports/memory/memory-locks.ts';
export { type MemoryLog, MemoryLogBroker } from './ports/memory/memory-log-broker.ts';
export { type MemoryMeta, MemoryMetaStore } from './ports/memory/memory-meta-store.ts';
export { MemoryObjectStore, type MemoryObjects } from './ports/memory/memory-object-store.ts';
export type { MetaEntry, MetaStore } from './ports/meta-store.ts';
export { assertObjectName, checkObjectRange, type ObjectInfo, type ObjectStore } from './ports/object-store.ts';
export type { ScratchFile, ScratchFiles } from './ports/scratch-files.ts';
export type { Span, SpanAttributes } from './ports/span.ts';
export { checkCollection } from './schema/check-definition.ts';
export type { CollabTextValue, CollabTypes, CollabValue } from './schema/collab-types.ts';
export {
  compareDefinitions,
  type FieldOfCollection,
  isSameField,
  mergeDefinitions,
  type SchemaDifference,
  schemaConflict,
} from './schema/compatibility.ts';
export { defineSchema, schemaFromDefinition } from './schema/define-schema.ts';
export type {
  BinaryMetric,
  CollectionDefinition,
  FieldDefinition,
  FieldDefinitionOf,
  FieldParams,
  Kind,
  Metric,
  ScalarIndexType,
  SchemaDefinition,
  VectorElements,
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
export { type FieldBuilders, f, type ScalarOptions, type VectorOptions } from './schema/fields.ts';
export { schemaHash } from './schema/hash.ts';
export {
  type AnyVectorField,
  defaultSelectOf,
  defaultValueOf,
  fieldOf,
  isVectorField,
  isVectorKind,
  keyFieldOf,
  searchableTextFieldsOf,
  type TextField,
  valueFieldsOf,
  vectorFieldsOf,
} from './schema/lookup.ts';
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
export { ANALYZER_VERSION, type Analyzer, analyze, analyzerOf, type Token, type TokenSink } from './text/analyzer.ts';
export {
  type AnalyzerDefinition,
  type AnalyzerFilter,
  type AnalyzerName,
  type AnalyzerOption,
  checkAnalyzer,
  MAX_TERM_LENGTH,
  type StemmerLanguage,
} from './text/analyzer-definition.ts';
export { checkAnalyzers } from './text/check-analyzers.ts';
export { holdsPhrase, type PhraseTerm } from './text/phrase.ts';
export { loadAnalyzers, loadStemmers } from './text/stemmers.ts';
export { UNICODE_VERSION } from './text/word-break-table.ts';
export { asTimestamp, createHlc, type Hlc, isTooFarAhead, MAX_AHEAD_MS, timestampFromMs, timestampToMs } from './time/hlc.ts';
export { compareStamps, type Stamp, TICKS_PER_MS, type Timestamp } from './time/timestamp.ts';
export { canonicalJson, NotJson } from './value/canonical-json.ts';
export { describe } from './value/describe.ts';
export { ELEMENT_BYTES, elementsOf, isDenseValue, isStoredVector, narrowVector, widenVector } from './value/elements.ts';
export { entityBytes } from './value/entity-bytes.ts';
export { Misfit } from './value/misfit.ts';
export {
  comparePrimaryKeys,
  type NormalizedPut,
  type NormalizePutOptions,
  normalizeKey,
  normalizePatch,
  normalizePut,
} from './value/normalize.ts';
export { setCollabReader, toPublic, toPublicEntity } from './value/public.ts';
export { normalizeQueryVector } from './value/query-vector.ts';
export { normalizeInt64, utf8Length } from './value/scalar.ts';
export type { Int64, PrimaryKey, ScalarValue, SparseValue, StoredFields, StoredValue, StoredVector } from './value/value.ts';
export { toBytes, toFloat32, toSparse } from './value/vectors.ts';
