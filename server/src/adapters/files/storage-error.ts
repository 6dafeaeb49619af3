import { DbError } from '@terndb/core';

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** Any failure of the file system as STORAGE_FULL or STORAGE_UNAVAILABLE; a DbError stays what it is. */
export function storageError(thrown: unknown, what: string): DbError {
  if (thrown instanceof DbError) return thrown;
  const { code = 'unknown', message } = thrown as NodeJS.ErrnoException;
  return new DbError(FULL.has(code) ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE', `${what}: ${message}`, { details: { code }, cause: thrown });
}

export function isAbsent(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
}
