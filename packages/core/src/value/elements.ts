import type { FieldDefinitionOf, VectorElements } from '../schema/definition.ts';
import { describe, tagOf } from './describe.ts';
import { Misfit } from './misfit.ts';
import type { StoredValue, StoredVector } from './value.ts';

/**
 * Dense vectors in memory, in the log and in segments are as wide as their elements: float32 in a `Float32Array`, float16 and bfloat16 as their bits in
 * a `Uint16Array`, int8 in an `Int8Array`. Numbers are rounded to the nearest half, ties to even (IEEE 754); integers are exact or refused.
 */
export const ELEMENT_BYTES: Readonly<Record<VectorElements, number>> = { float32: 4, float16: 2, bfloat16: 2, int8: 1 };

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);
const LARGEST_INT8 = 127;
const SMALLEST_INT8 = -128;
/** Bits of the exponent: all set means infinite or no number. */
const EXPONENT = { float16: 0x7c00, bfloat16: 0x7f80 } as const;
/** Between the exponents of float32 and float16 of one number, in float32's place. */
const FLOAT16_BIAS = 0x38000000;
const SMALLEST_NORMAL_FLOAT16 = 2 ** -14;
const SMALLEST_FLOAT16 = 2 ** -24;

export function elementsOf(field: FieldDefinitionOf<'vector'>): VectorElements {
  return field.params.elements ?? 'float32';
}

/** A copy of numbers as elements; each must be finite as one, an int8 also whole. At most `max`. */
export function toElements(elements: VectorElements, value: unknown, max: number): StoredVector | Misfit {
  const tag = tagOf(value);
  const typed = elements === 'int8' ? ['Int8Array'] : ['Float32Array', 'Float64Array', 'Float16Array'];
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && typed.includes(tag)))
    return new Misfit(`${typed[0]} or array of numbers`, describe(value));
  const source = value as ArrayLike<unknown>;
  const { length } = source;
  if (length > max) return new Misfit(`at most ${max} numbers`, `${length}`);
  const copy = createVector(elements, length);
  for (let i = 0; i < length; i++) {
    const item = source[i];
    if (typeof item !== 'number') return new Misfit('numbers', `${describe(item)} at ${i}`);
    if (elements === 'int8') {
      if (!isInt8(item)) return new Misfit('whole numbers from -128 to 127', `${item} at ${i}`);
      copy[i] = item;
      continue;
    }
    copy[i] = elements === 'float32' ? item : halfOf(elements, item);
    if (!isFiniteElement(elements, copy[i]!)) return new Misfit(`finite ${elements} numbers`, `${item} at ${i}`);
  }
  return copy;
}

/** What a stored vector says, as float32; a float32 one is handed on, not copied. Exact: every element is a float32. */
export function widenVector(elements: VectorElements, vector: StoredVector): Float32Array {
  if (elements === 'float32') return vector as Float32Array;
  if (elements === 'int8') return Float32Array.from(vector);
  const floats = new Float32Array(vector.length);
  const words = new Uint32Array(floats.buffer);
  for (let i = 0; i < vector.length; i++) {
    if (elements === 'bfloat16') words[i] = vector[i]! << 16;
    else floats[i] = ofFloat16(vector[i]!);
  }
  return floats;
}

/** The way back, for floats that are elements; a float32 vector is handed on, not copied. */
export function narrowVector(elements: VectorElements, floats: Float32Array): StoredVector {
  if (elements === 'float32') return floats;
  if (elements === 'int8') return Int8Array.from(floats);
  return Uint16Array.from(floats, (value) => halfOf(elements, value));
}

/** Of the field's elements, and finite. For values that somebody else has validated. */
export function isStoredVector(field: FieldDefinitionOf<'vector'>, value: StoredValue): value is StoredVector {
  const elements = elementsOf(field);
  if (elements === 'int8' || value instanceof Int8Array) return elements === 'int8' && value instanceof Int8Array;
  if (!isDenseValue(value) || value instanceof Float32Array !== (elements === 'float32')) return false;
  if (value instanceof Float32Array) return areFinite(value);
  for (const element of value) if (!isFiniteElement(elements, element)) return false;
  return true;
}

/** One pass without a branch: what is not finite times 0 is not a number, and spoils the sum. */
function areFinite(floats: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < floats.length; i++) sum += floats[i]! * 0;
  return sum === 0;
}

/** A dense vector, of whatever elements. */
export function isDenseValue(value: unknown): value is StoredVector {
  return value instanceof Float32Array || value instanceof Uint16Array || value instanceof Int8Array;
}

function createVector(elements: VectorElements, length: number): StoredVector {
  if (elements === 'float32') return new Float32Array(length);
  return elements === 'int8' ? new Int8Array(length) : new Uint16Array(length);
}

function isInt8(value: number): boolean {
  return Number.isInteger(value) && value >= SMALLEST_INT8 && value <= LARGEST_INT8;
}

function isFiniteElement(elements: Exclude<VectorElements, 'int8'>, element: number): boolean {
  return elements === 'float32' ? Number.isFinite(element) : (element & EXPONENT[elements]) !== EXPONENT[elements];
}

/** The bits of the nearest half; infinite where there is none, as float32 would be. */
function halfOf(elements: 'float16' | 'bfloat16', value: number): number {
  float[0] = value;
  const bits = word[0]!;
  if (elements === 'bfloat16') return Number.isNaN(value) ? EXPONENT.bfloat16 : dropBits(bits, 16) & 0xffff;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = Math.abs(float[0]);
  if (!(magnitude < 65_520)) return sign | EXPONENT.float16;
  if (magnitude < SMALLEST_NORMAL_FLOAT16) return sign | evenInteger(magnitude / SMALLEST_FLOAT16);
  return sign | dropBits((bits & 0x7fffffff) - FLOAT16_BIAS, 13);
}

function ofFloat16(half: number): number {
  const digits = half & 0x3ff;
  const exponent = (half >>> 10) & 31;
  const magnitude = exponent === 0 ? digits * SMALLEST_FLOAT16 : (1 + digits / 1_024) * 2 ** (exponent - 15);
  return half & 0x8000 ? -magnitude : magnitude;
}

/** Without the lowest bits, rounded to nearest, ties to even; a carry goes into the exponent, as it should. */
function dropBits(bits: number, count: number): number {
  return (bits + 2 ** (count - 1) - 1 + ((bits >>> count) & 1)) >>> count;
}

function evenInteger(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
