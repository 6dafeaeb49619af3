import { DbError, type JsonValue, MAX_NAME_LENGTH, utf8Length } from '@terndb/core';
import { checkLimitProperties } from './limit-properties.ts';
import type { Properties } from './records.ts';

export const DEFAULT_DATABASE = 'default';
/** Room for what a door keeps of 64 fields and their indexes. With its definition they are one value of the meta store (`MAX_RECORD_BYTES`). */
const MAX_PROPERTIES_BYTES = 24_576;
/** Databases of one node: each is only a name, but all are listed at once. */
export const MAX_DATABASES = 1_024;

/** A name that is an identifier, as a collection's must be. OPTION_INVALID. */
export function checkName(what: string, name: unknown): string {
  if (typeof name === 'string' && name.length <= MAX_NAME_LENGTH && /^[A-Za-z_]\w*$/.test(name)) return name;
  const got: JsonValue = typeof name === 'string' ? name.slice(0, 300) : typeof name;
  throw new DbError(
    'OPTION_INVALID',
    `${what}: [A-Za-z_][A-Za-z0-9_]* of at most ${MAX_NAME_LENGTH} expected, got ${JSON.stringify(got)}`,
    {
      details: { option: what, got },
    },
  );
}

/** OPTION_INVALID. */
export function checkProperties(what: string, properties: Properties = {}): Properties {
  checkLimitProperties(what, properties);
  const bytes = utf8Length(JSON.stringify(properties));
  const areTexts = Object.values(properties).every((value) => typeof value === 'string');
  if (areTexts && bytes <= MAX_PROPERTIES_BYTES) return properties;
  throw new DbError('OPTION_INVALID', `${what}: texts of together at most ${MAX_PROPERTIES_BYTES} bytes expected, got ${bytes}`, {
    details: { option: what, expected: MAX_PROPERTIES_BYTES, got: bytes },
  });
}

export function unknownDatabase(database: string): DbError {
  return new DbError('OPTION_INVALID', `database ${JSON.stringify(database)} does not exist`, {
    details: { option: 'database', got: database },
  });
}

export function unknownCollection(database: string, name: string, known: readonly string[]): DbError {
  const message = `collection: one of ${known.slice(0, 20).join(', ') || 'none'} expected, got ${JSON.stringify(name)}`;
  return new DbError('COLLECTION_UNKNOWN', message, { details: { database, collection: String(name) } });
}

export function unknownPartition(collection: string, partition: string): DbError {
  return new DbError('PARTITION_UNKNOWN', `${collection}: partition ${JSON.stringify(partition)} does not exist`, {
    details: { collection, partition: String(partition) },
  });
}

export function taken(what: string, name: string): DbError {
  return new DbError('OPTION_INVALID', `${what} ${JSON.stringify(name)} exists already`, { details: { option: what, got: name } });
}

export function tooMany(what: string, most: number): DbError {
  return new DbError('OPTION_INVALID', `at most ${most} ${what} expected, got one more`, { details: { option: what, expected: most } });
}
