import { DbError, type JsonValue, type MetaEntry } from '@terndb/core';
import { decodeUtf8, encodeUtf8 } from 'lib0/string';

/**
 * Catalog records, format 1: UTF-8 JSON objects in the meta store, changed by compare-and-set. Small, few, and read once per open.
 *   database                          { format, clientId, logEpoch }
 *   collection/<name>                 { format, collectionId, version, definition }
 *   partition/<collectionId>/<name>   { format, partitionId }
 *   manifest/<channel>                { format, object }
 *   followed/<channel>                { format, object, firstSequence }, by the sync host: replication/stored.ts
 * Ids never change, so a rename moves nothing. History: 1 first version. Reads: 1. Unknown format -> FORMAT_VERSION_UNSUPPORTED.
 */
const CATALOG_FORMAT = 1;

export type RecordFields = Readonly<Record<string, unknown>>;

export function encodeRecord(fields: RecordFields): Uint8Array {
  return encodeUtf8(JSON.stringify({ format: CATALOG_FORMAT, ...fields }));
}

/** FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED; both name the key. */
export function decodeRecord(entry: MetaEntry): RecordFields {
  const fields = parse(entry);
  const format = fields['format'];
  if (format !== CATALOG_FORMAT) {
    const got: JsonValue = typeof format === 'number' ? format : String(format);
    const code = typeof format === 'number' && format > CATALOG_FORMAT ? 'FORMAT_VERSION_UNSUPPORTED' : 'FORMAT_INVALID';
    throw new DbError(code, `catalog record ${entry.key}: format ${CATALOG_FORMAT} expected, got ${got}`, {
      details: { key: entry.key, expected: CATALOG_FORMAT, got },
    });
  }
  return fields;
}

/** A text field of a record. FORMAT_INVALID. */
export function textOf(entry: MetaEntry, fields: RecordFields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '')
    throw invalidRecord(entry, `${name}: a text expected, got ${JSON.stringify(value) ?? 'nothing'}`);
  return value;
}

export function invalidRecord(entry: MetaEntry, what: string, cause?: unknown): DbError {
  return new DbError('FORMAT_INVALID', `catalog record ${entry.key}: ${what}`, { details: { key: entry.key, what }, cause });
}

function parse(entry: MetaEntry): RecordFields {
  let value: unknown;
  try {
    value = JSON.parse(decodeUtf8(entry.value));
  } catch (error) {
    throw invalidRecord(entry, 'JSON expected', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidRecord(entry, 'a JSON object expected');
  return value as RecordFields;
}
