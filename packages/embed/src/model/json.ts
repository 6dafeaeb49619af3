import { DbError, utf8Decode } from '@terndb/core';

/** @throws FORMAT_INVALID, with the file's name. */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(utf8Decode(bytes));
  } catch (error) {
    throw new DbError('FORMAT_INVALID', `${name}: expected JSON: ${String(error)}`, { details: { file: name }, cause: error });
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
