/**
 * What the components of a row are made of, and the way there and back. Rounding is to the nearest, halves to even, as IEEE 754 and every
 * processor do it; every float16, bfloat16 and int8 is a float32, so the way back is exact.
 */
export type ElementType = 'float32' | 'float16' | 'bfloat16' | 'int8';

/** The numbers in `assembly/elements/types.ts`. */
export const ELEMENT_NUMBERS: Readonly<Record<ElementType, number>> = { float32: 0, float16: 1, bfloat16: 2, int8: 3 };
export const BIT_ELEMENTS = 4;

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = { float32: 4, float16: 2, bfloat16: 2, int8: 1 };

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
const LARGEST_INT8 = 127;
const SMALLEST_INT8 = -128;

/** IEEE 754 half precision: 65,520 and above become ∞, below 2⁻²⁵ (and at it) 0; NaN stays one. */
export function toFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) out[index] = float16Bits(values[index]!);
  return out;
}

export function fromFloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index++) out[index] = ofFloat16(halves[index]!);
  return out;
}

/** The upper half of a float32, rounded: three digits, the range of float32. */
export function toBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) {
    float[0] = values[index]!;
    const word = bits[0]!;
    // Rounding could turn a NaN into ∞.
    out[index] = (word & 0x7fffffff) > 0x7f800000 ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return out;
}

export function fromBfloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index++) words[index] = halves[index]! << 16;
  return new Float32Array(words.buffer);
}

/** Whole numbers from −128 to 127; what lies beyond becomes the nearest of them, NaN 0. No scale: that is the caller's. */
export function toInt8(values: Float32Array): Int8Array<ArrayBuffer> {
  const out = new Int8Array(values.length);
  for (let index = 0; index < values.length; index++) {
    out[index] = Math.max(SMALLEST_INT8, Math.min(LARGEST_INT8, roundToEven(values[index]!)));
  }
  return out;
}

export function fromInt8(values: Int8Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(values);
}

/** Raw elements of floats, little-endian like the kernel's memory and every machine this runs on. */
export function encodeElements(elements: ElementType, values: Float32Array): Uint8Array {
  if (elements === 'float16') return new Uint8Array(toFloat16(values).buffer);
  if (elements === 'bfloat16') return new Uint8Array(toBfloat16(values).buffer);
  if (elements === 'int8') return new Uint8Array(toInt8(values).buffer);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Floats of raw elements; the bytes are copied. */
export function decodeElements(elements: ElementType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  // Without asking the copy for its buffer, which V8 makes only then: a short vector costs a third.
  if (elements === 'float32' && bytes.byteOffset % 4 === 0)
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4).slice();
  const { buffer } = bytes.slice();
  if (elements === 'float16') return fromFloat16(new Uint16Array(buffer));
  if (elements === 'bfloat16') return fromBfloat16(new Uint16Array(buffer));
  if (elements === 'int8') return fromInt8(new Int8Array(buffer));
  return new Float32Array(buffer);
}

function float16Bits(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  // Below 2^-14 the digits have a fixed place: multiples of 2^-24.
  if (magnitude < 0x38800000) return sign | roundToEven(Math.abs(value) * 2 ** 24);
  const moved = magnitude - 0x38000000;
  return sign | ((moved + 0xfff + ((moved >>> 13) & 1)) >>> 13);
}

function ofFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const digits = half & 0x3ff;
  if (exponent === 0) return sign * digits * 2 ** -24;
  if (exponent === 31) return digits === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + digits / 1024) * 2 ** (exponent - 15);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}
