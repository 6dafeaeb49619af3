/**
 * Vectors of the sample passages, version 1. All integers little-endian.
 *   0  u32  magic "TSV1"
 *   4  u32  count        passages, in the order of the JSONL file
 *   8  u32  dim
 *  12  i8   count * dim, row-major; a vector's length means nothing (cosine), each row is scaled to use the whole range
 * History: 1 first version.
 */
const MAGIC = 0x31565354;
const HEADER_BYTES = 12;
const MAX_INT8 = 127;

export interface SampleVectors {
  readonly count: number;
  readonly dim: number;
  /** The vector of one passage, in a fresh array. */
  at(index: number): Float32Array;
}

/** `vectors` is row-major, `dim` wide. */
export function writeSampleVectors(vectors: Float32Array, dim: number): Uint8Array {
  const count = vectors.length / dim;
  const bytes = new Uint8Array(HEADER_BYTES + vectors.length);
  const view = new DataView(bytes.buffer);
  [MAGIC, count, dim].forEach((value, i) => {
    view.setUint32(4 * i, value, true);
  });
  for (let row = 0; row < count; row++) {
    const vector = vectors.subarray(row * dim, (row + 1) * dim);
    const largest = vector.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const scale = largest === 0 ? 0 : MAX_INT8 / largest;
    for (let d = 0; d < dim; d++) view.setInt8(HEADER_BYTES + row * dim + d, Math.round((vector[d] ?? 0) * scale));
  }
  return bytes;
}

/** Throws when the bytes are not such a file: a broken download must not become wrong vectors. */
export function readSampleVectors(buffer: ArrayBuffer): SampleVectors {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) throw new Error('sample vectors: unknown file format');
  const count = view.getUint32(4, true);
  const dim = view.getUint32(8, true);
  const expected = HEADER_BYTES + count * dim;
  if (buffer.byteLength !== expected) throw new Error(`sample vectors: ${expected} bytes expected, got ${buffer.byteLength}`);
  return { count, dim, at: (index) => Float32Array.from(new Int8Array(buffer, HEADER_BYTES + index * dim, dim)) };
}
