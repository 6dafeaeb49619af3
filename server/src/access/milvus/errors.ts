import { DbError } from '@terndb/core';
import { isTooLarge } from '../limits/answer-budget.ts';

/** Numbers of Milvus' errors, and the beginnings of their messages, which clients and tests match on. */
export const CODES = {
  unavailable: 2,
  internal: 5,
  rateLimited: 8,
  collectionNotFound: 100,
  collectionNotLoaded: 101,
  loaded: 104,
  partitionNotFound: 200,
  indexNotFound: 700,
  databaseNotFound: 800,
  invalid: 1100,
  tooLarge: 1102,
  notAuthenticated: 1800,
  notJson: 1801,
  missing: 1802,
  badRows: 1804,
  unsupported: 3000,
  canceled: 10_000,
  deadline: 10_001,
  other: 65_535,
} as const;

/** What a handler throws. `status`: 200 for almost everything, as Milvus has it. */
export class MilvusError extends Error {
  override readonly name = 'MilvusError';
  readonly code: number;
  readonly status: number;

  constructor(code: number, message: string, status = 200) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export function invalidParameter(message: string): MilvusError {
  return new MilvusError(CODES.invalid, `${message}: invalid parameter`);
}

/** What is not there, and what to use instead. */
export function unsupported(message: string): MilvusError {
  return new MilvusError(CODES.unsupported, `${message}: unsupported operation`);
}

/** As Milvus says it when the time of a request is over. */
export const tooLate = (): MilvusError => new MilvusError(CODES.deadline, 'request timeout', 408);
export const givenUp = (): MilvusError => new MilvusError(CODES.canceled, 'context canceled: nobody waits for the answer');

export function missingParameter(name: string): MilvusError {
  return new MilvusError(
    CODES.missing,
    `missing required parameters, error: Key: '${name}' Error:Field validation for '${name}' failed on the 'required' tag`,
  );
}

export function notJson(problem: string): MilvusError {
  return new MilvusError(CODES.notJson, `can only accept json format request, error: ${problem}`);
}

export function collectionNotFound(database: string, collection: string): MilvusError {
  return new MilvusError(CODES.collectionNotFound, `can't find collection[database=${database}][collection=${collection}]`);
}

export function denied(what: string, subject: string, database: string): MilvusError {
  const message = `rpc error: code = PermissionDenied desc = ${what}: permission deny to ${subject} in the \`${database}\` database`;
  return new MilvusError(CODES.other, message, 403);
}

/** What was refused before it was read: a body too large, a length or a type that cannot be. */
function refusedByHttp(message: string, status: number): MilvusError {
  return new MilvusError(status === TOO_LARGE ? CODES.tooLarge : CODES.notJson, message, status);
}
const TOO_LARGE = 413;

/** Any thrown value as Milvus would say it. */
export function asMilvusError(thrown: unknown): MilvusError {
  if (thrown instanceof MilvusError) return thrown;
  if (thrown instanceof SyntaxError) return notJson(thrown.message);
  if (thrown instanceof RangeError && thrown.message.includes('call stack')) return notJson('values that are nested less deeply expected');
  const status = (thrown as { readonly statusCode?: unknown } | null | undefined)?.statusCode;
  if (thrown instanceof Error && typeof status === 'number' && status >= 400 && status < 500) return refusedByHttp(thrown.message, status);
  const error = DbError.from(thrown);
  const { code, message } = error;
  if (isTooLarge(error)) return new MilvusError(CODES.tooLarge, `query results exceed the maxOutputSize Limit: ${message}`);
  switch (code) {
    case 'AUTH_REQUIRED':
      return new MilvusError(CODES.notAuthenticated, "user hasn't authenticated", 401);
    case 'FORBIDDEN':
      return new MilvusError(CODES.other, `rpc error: code = PermissionDenied desc = ${message}`, 403);
    case 'COLLECTION_UNKNOWN':
      return new MilvusError(CODES.collectionNotFound, `can't find collection: ${message}`);
    case 'PARTITION_UNKNOWN':
      return new MilvusError(CODES.partitionNotFound, `partition not found: ${message}`);
    case 'FILTER_INVALID':
      return new MilvusError(CODES.invalid, `failed to create query plan: cannot parse expression: ${message}`);
    case 'DIMENSION_MISMATCH':
      return notJson(message);
    case 'QUOTA_EXCEEDED':
      return new MilvusError(CODES.other, `${message}: unable to add, the limit is reached`);
    case 'RATE_LIMITED':
      return new MilvusError(CODES.rateLimited, `rate limit exceeded: ${message}`);
    case 'ABORTED':
      return new MilvusError(CODES.canceled, message);
    case 'TIMEOUT':
    case 'CONSISTENCY_UNAVAILABLE':
      return new MilvusError(CODES.deadline, `request timeout: ${message}`, 408);
    case 'INTERNAL':
      return new MilvusError(CODES.internal, 'internal error', 500);
    case 'STORAGE_UNAVAILABLE':
    case 'DATABASE_CLOSED':
    case 'MEMORY_LIMIT':
    case 'STORAGE_FULL':
      return new MilvusError(CODES.unavailable, message);
    default:
      return new MilvusError(CODES.invalid, `${message}: invalid parameter`);
  }
}
