import { describe, type FieldDefinition } from '@terndb/core';
import { notJson } from './errors.ts';

/**
 * Vectors in JSON: lists of numbers, or the base64 of their components as they are stored (little-endian). Queries and rows take both; answers hold
 * float32 and sparse vectors as numbers, all others as base64.
 */
export function vectorValue(field: FieldDefinition, value: unknown): unknown {
  if (field.type === 'binaryVector') return typeof value === 'string' ? bytesOf(value) : fromList(value, Uint8Array);
  if (field.type !== 'vector' || typeof value !== 'string') return value;
  const bytes = bytesOf(value);
  switch (field.params.elements) {
    case 'float16':
      return halves(bytes).map(fromFloat16);
    case 'bfloat16':
      return halves(bytes).map(fromBfloat16);
    case 'int8':
      return [...new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)];
    default:
      return value;
  }
}

/** Code 1801 when it cannot be one of the field. */
export function queryVector(field: FieldDefinition, value: unknown): unknown {
  const vector = vectorValue(field, value);
  if (typeof vector !== 'object' || vector === null) throw notJson(`${field.name}: a vector expected, got ${describe(vector)}`);
  const odd = Array.isArray(vector) ? vector.findIndex((component) => !Number.isFinite(component)) : -1;
  if (odd >= 0) throw notJson(`${field.name}: a number expected at ${odd}, got ${describe((vector as unknown[])[odd])}`);
  return vector;
}

/** A stored vector in an answer. `shortest`: a float32 in as few digits as it needs. */
export function vectorJson(field: FieldDefinition, value: unknown, shortest: (component: number) => number): unknown {
  const elements = field.type === 'vector' ? (field.params.elements ?? 'float32') : undefined;
  switch (elements) {
    case 'float32':
      return Array.from(value as Float32Array, shortest);
    case 'float16':
      return base64Of(Uint16Array.from(value as Float32Array, toFloat16));
    case 'bfloat16':
      return base64Of(Uint16Array.from(value as Float32Array, toBfloat16));
    default:
      return base64Of(value as Uint8Array | Int8Array);
  }
}

const base64Of = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

function fromList(value: unknown, Bytes: typeof Uint8Array): unknown {
  const isBytes = Array.isArray(value) && value.every((item) => Number.isInteger(item) && item >= 0 && item <= 255);
  return isBytes ? Bytes.from(value as number[]) : value;
}

function halves(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength >> 1 }, (_, index) => view.getUint16(index * 2, true));
}

/** IEEE 754 half precision. */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const FLOAT = new DataView(new ArrayBuffer(4));
/** The upper half of a float32. */
function fromBfloat16(bits: number): number {
  FLOAT.setUint16(2, bits, true);
  FLOAT.setUint16(0, 0, true);
  return FLOAT.getFloat32(0, true);
}

/** Of a number that is one: stored components are. */
function toFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size < 2 ** -14) return sign | (size * 2 ** 24);
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
}

function toBfloat16(value: number): number {
  FLOAT.setFloat32(0, value, true);
  return FLOAT.getUint16(2, true);
}
