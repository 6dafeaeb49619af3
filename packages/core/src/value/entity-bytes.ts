import { utf8Length } from './scalar.ts';
import type { PrimaryKey, StoredFields, StoredValue } from './value.ts';

/** Name length, type and null markers, element counts: never less than what the op codec writes around one value. */
const VALUE_OVERHEAD_BYTES = 8;
/** A number, a date or an int64 with its tag: never less than the longest form of the op codec. */
const NUMBER_BYTES = 11;

/** An upper bound of the bytes that an entity takes in an op, before compression: what MAX_ENTITY_BYTES and MAX_OP_BYTES are compared with. */
export function entityBytes(pk: PrimaryKey, fields: StoredFields): number {
  let bytes = VALUE_OVERHEAD_BYTES + valueBytes(pk);
  // Names are ASCII identifiers.
  for (const name of Object.keys(fields)) bytes += VALUE_OVERHEAD_BYTES + name.length + valueBytes(fields[name] ?? null);
  return bytes;
}

function valueBytes(value: StoredValue): number {
  if (value === null || typeof value === 'boolean') return 1;
  if (typeof value === 'string') return utf8Length(value);
  if (typeof value !== 'object') return NUMBER_BYTES;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if ('indices' in value) return value.indices.byteLength + value.values.byteLength + VALUE_OVERHEAD_BYTES;
  let bytes = 0;
  for (const item of value) bytes += 4 + valueBytes(item);
  return bytes;
}
