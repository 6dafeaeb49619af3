/**
 * The plain-JS peer of the kernel: exact COSINE scan over row-major float32, as fast as JavaScript goes: flat typed arrays, four
 * accumulators, norms computed once, a bounded heap. Primitive arguments, nothing allocated per row.
 */
export interface JsRows {
  readonly dim: number;
  readonly rows: number;
  /** Row-major `rows * dim`. */
  readonly vectors: Float32Array;
  readonly inverseNorms: Float32Array;
}

export function prepareRows(vectors: Float32Array, dim: number): JsRows {
  const rows = vectors.length / dim;
  const inverseNorms = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const norm = Math.sqrt(dot(vectors, row * dim, vectors.subarray(row * dim, row * dim + dim), dim));
    inverseNorms[row] = norm > 0 ? 1 / norm : 0;
  }
  return { dim, rows, vectors, inverseNorms };
}

function dot(vectors: Float32Array, base: number, query: Float32Array, dim: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let index = 0;
  for (const end = dim & ~3; index < end; index += 4) {
    a += vectors[base + index]! * query[index]!;
    b += vectors[base + index + 1]! * query[index + 1]!;
    c += vectors[base + index + 2]! * query[index + 2]!;
    d += vectors[base + index + 3]! * query[index + 3]!;
  }
  for (; index < dim; index++) a += vectors[base + index]! * query[index]!;
  return a + b + (c + d);
}

/** Min-heap over `scores[0..count)` with the rows' offsets beside it. */
function siftUp(scores: Float64Array, offsets: Uint32Array, start: number, score: number, offset: number): void {
  let index = start;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (scores[parent]! <= score) break;
    scores[index] = scores[parent]!;
    offsets[index] = offsets[parent]!;
    index = parent;
  }
  scores[index] = score;
  offsets[index] = offset;
}

function siftDown(scores: Float64Array, offsets: Uint32Array, count: number, score: number, offset: number): void {
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= count) break;
    if (child + 1 < count && scores[child + 1]! < scores[child]!) child++;
    if (scores[child]! >= score) break;
    scores[index] = scores[child]!;
    offsets[index] = offsets[child]!;
    index = child;
  }
  scores[index] = score;
  offsets[index] = offset;
}

/** Offsets of the best `k` rows by COSINE, best first. */
export function jsScan({ vectors, inverseNorms, dim, rows }: JsRows, query: Float32Array, k: number): Uint32Array {
  const scores = new Float64Array(k);
  const offsets = new Uint32Array(k);
  let count = 0;
  for (let row = 0, base = 0; row < rows; row++, base += dim) {
    const score = dot(vectors, base, query, dim) * inverseNorms[row]!;
    if (count < k) siftUp(scores, offsets, count++, score, row);
    else if (score > scores[0]!) siftDown(scores, offsets, count, score, row);
  }
  const order = Array.from({ length: count }, (_, index) => index).sort((a, b) => scores[b]! - scores[a]! || offsets[a]! - offsets[b]!);
  return Uint32Array.from(order, (index) => offsets[index]!);
}
