import { MAX_DIM, MAX_ENTITY_BYTES, MAX_JSON_BYTES, MAX_KEYWORD_BYTES, MAX_TEXT_BYTES } from '../limits.ts';
import type { FieldDefinition, FieldDefinitionOf } from '../schema/definition.ts';
import { canonicalJson, NotJson } from './canonical-json.ts';
import { describe, tagOf } from './describe.ts';
import { elementsOf, toElements } from './elements.ts';
import { Misfit } from './misfit.ts';
import { normalizeInt64, utf8Length } from './scalar.ts';
import type { ScalarValue, StoredValue, StoredVector } from './value.ts';
import { toBytes, toSparse } from './vectors.ts';

/** Says that the length is wrong and nothing else: DIMENSION_MISMATCH. */
export class WrongDim extends Misfit {}

/** One value of a field as it is stored (`value.ts` has the table), sharing nothing with what was given. Null is not asked for here. */
export function toStored(field: FieldDefinition, value: unknown): StoredValue | Misfit {
  switch (field.type) {
    case 'text':
      return toText(value, field.params.maxLength);
    case 'collabText':
      return toText(value, MAX_TEXT_BYTES);
    case 'collab':
      return toBytes(value, MAX_ENTITY_BYTES);
    case 'json':
      return toJsonText(value);
    case 'array':
      return toArray(field, value);
    case 'vector':
      return toDense(field, value);
    case 'sparseVector':
      return toSparse(value);
    case 'binaryVector':
      return toBinary(field, value);
    default:
      return toScalar(field, value);
  }
}

type ScalarField = FieldDefinitionOf<'primaryKey'> | FieldDefinitionOf<'date'> | FieldDefinitionOf<'array'>['params']['of'];

/** Fields whose values are compared: also the operands of filters. */
export function toScalar(field: ScalarField, value: unknown): ScalarValue | Misfit {
  switch (field.type) {
    case 'primaryKey':
      return toKey(field, value);
    case 'keyword':
      return toKeyword(field, value);
    case 'int64':
      return toInt64(value);
    case 'number':
      // `+ 0` makes -0 the same value as 0.
      return typeof value === 'number' && Number.isFinite(value) ? value + 0 : new Misfit('finite number', describe(value));
    case 'boolean':
      return typeof value === 'boolean' ? value : new Misfit('boolean', describe(value));
    case 'date':
      return toMs(value);
  }
}

export function toText(value: unknown, maxBytes: number): string | Misfit {
  if (typeof value !== 'string') return new Misfit('string', describe(value));
  // No string is shorter in UTF-8 than in code units: spares counting what is far too long.
  const bytes = value.length > maxBytes ? value.length : utf8Length(value);
  if (bytes < 0) return new Misfit('well-formed string', 'a lone surrogate');
  return bytes <= maxBytes
    ? value
    : new Misfit(`string of at most ${maxBytes} UTF-8 bytes`, `${bytes === value.length ? 'at least ' : ''}${bytes}`);
}

function toKey(field: FieldDefinitionOf<'primaryKey'>, value: unknown): ScalarValue | Misfit {
  if (field.params.keyType === 'int64') return toInt64(value);
  return value === '' ? new Misfit('string that is not empty', describe(value)) : toText(value, field.params.maxLength!);
}

function toKeyword(field: FieldDefinitionOf<'keyword'>, value: unknown): string | Misfit {
  const { values } = field.params;
  if (typeof value === 'string' && values && !values.includes(value))
    return new Misfit(values.map((v) => `'${v}'`).join(' or '), describe(value));
  return toText(value, MAX_KEYWORD_BYTES);
}

function toInt64(value: unknown): ScalarValue | Misfit {
  const normal = normalizeInt64(value);
  if (normal !== undefined) return normal;
  const isLarge = typeof value === 'number' && Number.isInteger(value);
  return new Misfit(isLarge ? 'safe integer (or a bigint)' : '64-bit integer', describe(value));
}

/** Works across realms; a string or a number is no moment here, so that none is taken in the wrong zone or unit. */
function toMs(value: unknown): number | Misfit {
  if (tagOf(value) !== 'Date') return new Misfit('Date', describe(value));
  let ms = Number.NaN;
  try {
    ms = Date.prototype.getTime.call(value);
  } catch {
    // An object that only says that it is a Date.
  }
  return Number.isNaN(ms) ? new Misfit('valid Date', 'Invalid Date') : ms;
}

function toJsonText(value: unknown): string | Misfit {
  const text = canonicalJson(value);
  if (text instanceof NotJson) return new Misfit('JSON value', text.path === '' ? text.got : `${text.got} at ${text.path}`);
  const bytes = utf8Length(text);
  return bytes <= MAX_JSON_BYTES ? text : new Misfit(`at most ${MAX_JSON_BYTES} bytes of JSON`, `${bytes}`);
}

function toArray(field: FieldDefinitionOf<'array'>, value: unknown): readonly ScalarValue[] | Misfit {
  const { of, maxCapacity } = field.params;
  if (!Array.isArray(value)) return new Misfit(`array of ${of.type}`, describe(value));
  const { length } = value;
  if (length > maxCapacity) return new Misfit(`at most ${maxCapacity} elements`, `${length}`);
  const copy: ScalarValue[] = [];
  for (let i = 0; i < length; i++) {
    const item = toScalar(of, value[i]);
    if (item instanceof Misfit) return new Misfit(item.expected, `${item.got} at ${i}`);
    copy.push(item);
  }
  return copy;
}

/** `dim` null is the model's: whoever knows the model checks it. */
function toDense(field: FieldDefinitionOf<'vector'>, value: unknown): StoredVector | Misfit {
  const vector = toElements(elementsOf(field), value, MAX_DIM);
  if (vector instanceof Misfit) return vector;
  const { dim } = field.params;
  if (dim === null) return vector.length > 0 ? vector : new Misfit('numbers', 'none');
  return vector.length === dim ? vector : new WrongDim(`dim ${dim}`, `${vector.length}`);
}

function toBinary(field: FieldDefinitionOf<'binaryVector'>, value: unknown): Uint8Array | Misfit {
  const bytes = toBytes(value, MAX_ENTITY_BYTES);
  const { dim } = field.params;
  return bytes instanceof Misfit || bytes.length * 8 === dim ? bytes : new WrongDim(`dim ${dim} (${dim / 8} bytes)`, `${bytes.length * 8}`);
}
