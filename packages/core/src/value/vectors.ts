import { MAX_SPARSE_TERMS } from '../limits.ts';
import { describe, isPlainObject, tagOf } from './describe.ts';
import { toElements } from './elements.ts';
import { Misfit } from './misfit.ts';
import type { SparseValue } from './value.ts';

const MAX_UINT32 = 0xffffffff;

/** A float32 copy of numbers that are finite in float32, at most `max` of them. */
export function toFloat32(value: unknown, max: number): Float32Array | Misfit {
  return toElements('float32', value, max) as Float32Array | Misfit;
}

/** A copy of bytes of any realm. */
export function toBytes(value: unknown, max: number): Uint8Array | Misfit {
  if (!ArrayBuffer.isView(value) || tagOf(value) !== 'Uint8Array') return new Misfit('Uint8Array', describe(value));
  return value.byteLength > max ? new Misfit(`at most ${max} bytes`, `${value.byteLength}`) : new Uint8Array(value as Uint8Array);
}

/** `{dimension: weight}` or `{indices, values}`, in any order: ascending and distinct, weights finite in float32. */
export function toSparse(value: unknown): SparseValue | Misfit {
  if (!isPlainObject(value)) return new Misfit('object of dimension → weight, or { indices, values }', describe(value));
  const asLists = Object.hasOwn(value, 'indices');
  const indices = asLists ? toIndices(value['indices']) : toIndices(Object.keys(value).map(dimensionOf));
  if (indices instanceof Misfit) return indices;
  const values = toFloat32(asLists ? value['values'] : Object.keys(value).map((key) => value[key]), MAX_SPARSE_TERMS);
  if (values instanceof Misfit) return values;
  if (values.length !== indices.length) return new Misfit(`${indices.length} values, one per index`, `${values.length}`);
  return sortedSparse(indices, values);
}

/** The dimension an object key names; the key itself when it names none, for the message. */
function dimensionOf(key: string): number | string {
  return /^(0|[1-9]\d{0,9})$/.test(key) ? Number(key) : key;
}

function toIndices(value: unknown): Uint32Array | Misfit {
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && tagOf(value) === 'Uint32Array')) {
    return new Misfit('indices in a Uint32Array or array', describe(value));
  }
  const source = value as ArrayLike<unknown>;
  if (source.length > MAX_SPARSE_TERMS) return new Misfit(`at most ${MAX_SPARSE_TERMS} dimensions`, `${source.length}`);
  const copy = new Uint32Array(source.length);
  for (let i = 0; i < copy.length; i++) {
    const item = source[i];
    if (!(Number.isInteger(item) && (item as number) >= 0 && (item as number) <= MAX_UINT32))
      return new Misfit('dimensions from 0 to 2^32 - 1', describe(item));
    copy[i] = item as number;
  }
  return copy;
}

function sortedSparse(indices: Uint32Array, values: Float32Array): SparseValue | Misfit {
  const order = Array.from(indices.keys()).sort((a, b) => indices[a]! - indices[b]!);
  const sorted = Uint32Array.from(order, (i) => indices[i]!);
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) return new Misfit('distinct dimensions', `${sorted[i]} twice`);
  return { indices: sorted, values: Float32Array.from(order, (i) => values[i]!) };
}
