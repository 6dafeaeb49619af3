import { DbError } from '@terndb/core';

/** ENTITY_TOO_LARGE, naming both sizes. */
export function checkSize(where: string, bytes: number, max: number, what: string): void {
  if (bytes <= max) return;
  throw new DbError('ENTITY_TOO_LARGE', `${where}: ${what} of at most ${max} bytes expected, got ${bytes}`, {
    details: { expected: max, got: bytes },
  });
}
