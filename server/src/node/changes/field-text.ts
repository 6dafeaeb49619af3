import { elementsOf, type FieldDefinition, type PrimaryKey, type StoredValue, toPublic, widenVector } from '@terndb/core';
import { encodeJsonValue } from '@terndb/sync';

/** JSON that may not be handed on as it is stored: line breaks, keys that a `$` may begin, numbers that may be none. */
const ODD_JSON = /"\$|\\u|[\n\r]|\d[eE]|\d{300}/;
/** Of the largest vector that is not given a buffer of its own. */
const SCRATCH_NUMBERS = 4_096;
const scratch = new Float32Array(SCRATCH_NUMBERS);
const scratchBytes: Buffer = Buffer.from(scratch.buffer);

/** A key as JSON. */
export function keyText(key: PrimaryKey): string {
  return typeof key === 'bigint' ? `{"$int64":"${key}"}` : JSON.stringify(key);
}

/**
 * A stored value as JSON: the text of `encodeJsonValue(toPublic(field, value))`, without the objects between for what is most of all rows. One line.
 */
export function fieldText(field: FieldDefinition, value: StoredValue): string {
  if (value === null) return general(field, value);
  switch (field.type) {
    case 'text':
    case 'keyword':
    case 'collabText':
    case 'boolean':
    case 'number':
      return JSON.stringify(value);
    case 'int64':
      return keyText(value as PrimaryKey);
    case 'json':
      return ODD_JSON.test(value as string) ? general(field, value) : (value as string);
    case 'vector':
      return value instanceof Int8Array ? general(field, value) : floatsText(widenVector(elementsOf(field), value as Float32Array));
    default:
      return general(field, value);
  }
}

function general(field: FieldDefinition, value: StoredValue): string {
  return JSON.stringify(encodeJsonValue(toPublic(field, value)));
}

/** Without asking a short array for its buffer, which V8 makes only then. */
function floatsText(floats: Float32Array): string {
  if (floats.length > SCRATCH_NUMBERS) {
    return `{"$float32":"${Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString('base64')}"}`;
  }
  scratch.set(floats);
  return `{"$float32":"${scratchBytes.toString('base64', 0, floats.byteLength)}"}`;
}
