/**
 * The registry of error codes: one place that says what each code means to a caller.
 *
 * `kind` is what a caller acts on: `input` fix the request, `conflict` re-read and try again, `unavailable` wait and try again,
 * `data` stored bytes are wrong, `closed` reopen, `internal` report. Codes are never renamed; a retired one stays here, marked.
 * A test keeps this table, `docs/errors.md` and the exported type in step.
 */
export type ErrorKind = 'input' | 'conflict' | 'unavailable' | 'data' | 'closed' | 'internal';

/** Code → kind: what callers branch on. */
export interface ErrorCodes {
  SCHEMA_INVALID: 'input';
  FIELD_INVALID: 'input';
  FIELD_UNKNOWN: 'input';
  DIMENSION_MISMATCH: 'input';
  KEY_INVALID: 'input';
  ENTITY_TOO_LARGE: 'input';
  FILTER_INVALID: 'input';
  QUERY_INVALID: 'input';
  OPTION_INVALID: 'input';
  TOKEN_INVALID: 'input';
  COLLECTION_UNKNOWN: 'input';
  PARTITION_UNKNOWN: 'input';
  PARTITION_REQUIRED: 'input';
  FORBIDDEN: 'input';
  NOT_FOUND: 'conflict';
  SCHEMA_UNKNOWN: 'conflict';
  SCHEMA_CONFLICT: 'conflict';
  STALE_WRITE: 'conflict';
  UNSYNCED_WRITES: 'conflict';
  APPEND_CONFLICT: 'conflict';
  NOT_CONNECTED: 'unavailable';
  OFFLINE: 'unavailable';
  TIMEOUT: 'unavailable';
  ABORTED: 'unavailable';
  AUTH_REQUIRED: 'unavailable';
  RATE_LIMITED: 'unavailable';
  CONSISTENCY_UNAVAILABLE: 'unavailable';
  QUOTA_EXCEEDED: 'unavailable';
  STORAGE_FULL: 'unavailable';
  STORAGE_UNAVAILABLE: 'unavailable';
  EMBEDDER_UNAVAILABLE: 'unavailable';
  PROTOCOL_INCOMPATIBLE: 'unavailable';
  MEMORY_LIMIT: 'unavailable';
  CHECKSUM_MISMATCH: 'data';
  FORMAT_INVALID: 'data';
  INDEX_CORRUPT: 'data';
  FORMAT_VERSION_UNSUPPORTED: 'data';
  DECRYPTION_FAILED: 'data';
  STORAGE_LOST: 'data';
  DATABASE_CLOSED: 'closed';
  WORKER_LOST: 'closed';
  INTERNAL: 'internal';
}
export type ErrorCode = keyof ErrorCodes;

/** The registry's part that every page carries; `table.ts` has the rest. */
export const ERROR_KINDS: { readonly [C in ErrorCode]: ErrorCodes[C] } = {
  SCHEMA_INVALID: 'input',
  FIELD_INVALID: 'input',
  FIELD_UNKNOWN: 'input',
  DIMENSION_MISMATCH: 'input',
  KEY_INVALID: 'input',
  ENTITY_TOO_LARGE: 'input',
  FILTER_INVALID: 'input',
  QUERY_INVALID: 'input',
  OPTION_INVALID: 'input',
  TOKEN_INVALID: 'input',
  COLLECTION_UNKNOWN: 'input',
  PARTITION_UNKNOWN: 'input',
  PARTITION_REQUIRED: 'input',
  FORBIDDEN: 'input',
  NOT_FOUND: 'conflict',
  SCHEMA_UNKNOWN: 'conflict',
  SCHEMA_CONFLICT: 'conflict',
  STALE_WRITE: 'conflict',
  UNSYNCED_WRITES: 'conflict',
  APPEND_CONFLICT: 'conflict',
  NOT_CONNECTED: 'unavailable',
  OFFLINE: 'unavailable',
  TIMEOUT: 'unavailable',
  ABORTED: 'unavailable',
  AUTH_REQUIRED: 'unavailable',
  RATE_LIMITED: 'unavailable',
  CONSISTENCY_UNAVAILABLE: 'unavailable',
  QUOTA_EXCEEDED: 'unavailable',
  STORAGE_FULL: 'unavailable',
  STORAGE_UNAVAILABLE: 'unavailable',
  EMBEDDER_UNAVAILABLE: 'unavailable',
  PROTOCOL_INCOMPATIBLE: 'unavailable',
  MEMORY_LIMIT: 'unavailable',
  CHECKSUM_MISMATCH: 'data',
  FORMAT_INVALID: 'data',
  INDEX_CORRUPT: 'data',
  FORMAT_VERSION_UNSUPPORTED: 'data',
  DECRYPTION_FAILED: 'data',
  STORAGE_LOST: 'data',
  DATABASE_CLOSED: 'closed',
  WORKER_LOST: 'closed',
  INTERNAL: 'internal',
};
