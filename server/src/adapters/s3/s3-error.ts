import { DbError, type JsonValue } from '@terndb/core';

/** What an answer of S3, or the lack of one, says. */
export interface S3Failure {
  /** HTTP status; undefined when there was no answer: the outcome is unknown. */
  readonly status: number | undefined;
  /** S3's code, or the name of the network's error. */
  readonly code: string;
  readonly message: string;
}

/** Worth another try although the status is in the 400s: too slow, too many, a racing conditional write, a clock that the SDK now corrects. */
const RETRYABLE_CODES = new Set(['RequestTimeout', 'RequestTimeTooSkewed', 'ConditionalRequestConflict', 'OperationAborted', 'SlowDown']);
const RETRYABLE_STATUSES = new Set([408, 425, 429]);
const FULL_CODES = new Set(['QuotaExceeded', 'TooManyBuckets', 'XMinioStorageFull']);
const INSUFFICIENT_STORAGE = 507;

export function failureOf(thrown: unknown): S3Failure {
  const error = thrown as { name?: string; code?: unknown; Code?: string; message?: string; $metadata?: { httpStatusCode?: number } };
  const code = error.Code ?? error.name ?? 'unknown';
  const own = typeof error.code === 'string' && code === 'Error' ? error.code : code;
  return { status: error.$metadata?.httpStatusCode, code: own, message: error.message ?? String(thrown) };
}

/** Objects are immutable and deletions final, so that trying again after an unknown outcome is safe. */
export function isRetryable({ status, code }: S3Failure): boolean {
  if (status === undefined) return true;
  return (status >= 500 && status !== INSUFFICIENT_STORAGE) || RETRYABLE_STATUSES.has(status) || RETRYABLE_CODES.has(code);
}

/** Without the SDK's error as the cause: that one carries requests and signatures, which loggers would print. */
export function toDbError({ status, code, message }: S3Failure, what: string, attempts: number): DbError {
  const details: Record<string, JsonValue> = { code, attempts, ...(status === undefined ? {} : { status }) };
  const full = status === INSUFFICIENT_STORAGE || FULL_CODES.has(code);
  const answer = status === undefined ? 'no answer' : `status ${status}`;
  const text = `${what}: ${answer}, ${code} (${message}) after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
  return new DbError(full ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE', text, { details });
}
