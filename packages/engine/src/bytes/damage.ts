import { DbError } from '@terndb/core';

/** Errors of kind `data`: `what` names the stored thing (`segment c/p/0/ab12`), the rest says what is wrong with its bytes. */
export function formatInvalid(what: string, problem: string, cause?: unknown): DbError {
  const details = { what, problem };
  return new DbError('FORMAT_INVALID', `${what}: ${problem}`, cause === undefined ? { details } : { details, cause });
}

export function checksumMismatch(what: string, part: string): DbError {
  return new DbError('CHECKSUM_MISMATCH', `${what}: the checksum of ${part} does not match its bytes`, { details: { what, part } });
}

export function versionUnsupported(what: string, version: number, newest: number): DbError {
  const details = { what, version, newest };
  return new DbError('FORMAT_VERSION_UNSUPPORTED', `${what}: format version 1 to ${newest} expected, got ${version}`, { details });
}
