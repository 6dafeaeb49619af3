/**
 * Real text, and hard: latent semantic analysis of WordNet's glosses (Debian's `wordnet-base`). Rows are tf-idf vectors of the glosses projected
 * onto their strongest `dim` directions, found by subspace iteration. Made once, kept in `node_modules/.cache`.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gaussians, normaliseRows, uniforms } from './random.ts';

const FOLDER = process.env['BENCH_WORDNET'] ?? '/usr/share/wordnet';
const FILES = ['data.noun', 'data.verb', 'data.adj', 'data.adv'];
const CACHE = fileURLToPath(new URL('../../../../node_modules/.cache/terndb-bench', import.meta.url));
const ITERATIONS = 3;
/** Words in fewer glosses say nothing about others. */
const MIN_GLOSSES = 3;

interface Sparse {
  readonly starts: Uint32Array;
  readonly columns: Uint32Array;
  readonly values: Float32Array;
  readonly rows: number;
  readonly width: number;
}

function glosses(): string[] {
  const texts = FILES.flatMap((file) => readFileSync(join(FOLDER, file), 'utf8').split('\n'));
  return texts.filter((line) => /^\d{8} /.test(line)).map((line) => line.slice(line.indexOf('|') + 1).toLowerCase());
}

/** Rows of length 1: (1 + ln tf) · ln(N / df). */
function tfIdf(texts: readonly string[]): Sparse {
  const words = texts.map((text) => text.match(/[a-z]{2,}/g) ?? []);
  const df = new Map<string, number>();
  for (const list of words) for (const word of new Set(list)) df.set(word, (df.get(word) ?? 0) + 1);
  const column = new Map([...df.entries()].filter(([, count]) => count >= MIN_GLOSSES).map(([word], index) => [word, index] as const));
  const starts = new Uint32Array(texts.length + 1);
  const columns: number[] = [];
  const values: number[] = [];
  words.forEach((list, row) => {
    const tf = new Map<string, number>();
    for (const word of list) if (column.has(word)) tf.set(word, (tf.get(word) ?? 0) + 1);
    const weights = [...tf].map(([word, count]) => (1 + Math.log(count)) * Math.log(texts.length / df.get(word)!));
    const norm = Math.hypot(...weights) || 1;
    [...tf.keys()].forEach((word, at) => {
      columns.push(column.get(word)!);
      values.push(weights[at]! / norm);
    });
    starts[row + 1] = columns.length;
  });
  return { starts, columns: Uint32Array.from(columns), values: Float32Array.from(values), rows: texts.length, width: column.size };
}

/** `a · x`, x row-major `width × dim`. */
function times(a: Sparse, x: Float32Array, dim: number): Float32Array {
  const out = new Float32Array(a.rows * dim);
  for (let row = 0; row < a.rows; row++) {
    for (let entry = a.starts[row]!; entry < a.starts[row + 1]!; entry++) {
      const [from, value, to] = [a.columns[entry]! * dim, a.values[entry]!, row * dim];
      for (let at = 0; at < dim; at++) out[to + at]! += value * x[from + at]!;
    }
  }
  return out;
}

/** `aᵀ · y`, y row-major `rows × dim`. */
function transposedTimes(a: Sparse, y: Float32Array, dim: number): Float32Array {
  const out = new Float32Array(a.width * dim);
  for (let row = 0; row < a.rows; row++) {
    for (let entry = a.starts[row]!; entry < a.starts[row + 1]!; entry++) {
      const [to, value, from] = [a.columns[entry]! * dim, a.values[entry]!, row * dim];
      for (let at = 0; at < dim; at++) out[to + at]! += value * y[from + at]!;
    }
  }
  return out;
}

/** Makes the columns orthonormal (Gram–Schmidt, on the transposed matrix so that columns are contiguous). */
function orthonormalise(x: Float32Array, height: number, dim: number): void {
  const columns = Array.from({ length: dim }, (_, column) => Float64Array.from({ length: height }, (_, row) => x[row * dim + column]!));
  for (let j = 0; j < dim; j++) {
    const current = columns[j]!;
    for (let i = 0; i < j; i++) {
      const before = columns[i]!;
      let dot = 0;
      for (let row = 0; row < height; row++) dot += before[row]! * current[row]!;
      for (let row = 0; row < height; row++) current[row]! -= dot * before[row]!;
    }
    let square = 0;
    for (let row = 0; row < height; row++) square += current[row]! ** 2;
    const factor = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let row = 0; row < height; row++) current[row]! *= factor;
  }
  columns.forEach((values, column) => {
    for (let row = 0; row < height; row++) x[row * dim + column] = values[row]!;
  });
}

function analyse(dim: number, seed: number): Float32Array {
  const a = tfIdf(glosses());
  const normal = gaussians(seed);
  let basis = Float32Array.from({ length: a.width * dim }, normal);
  for (let turn = 0; turn < ITERATIONS; turn++) {
    basis = transposedTimes(a, times(a, basis, dim), dim) as Float32Array<ArrayBuffer>;
    orthonormalise(basis, a.width, dim);
  }
  const vectors = times(a, basis, dim);
  normaliseRows(vectors, dim);
  return vectors;
}

/** A sample of `count` glosses without doubles or empty ones, in random order; undefined when there is no WordNet here or it is too small. */
export function wordnetVectors(count: number, dim: number, seed: number): Float32Array | undefined {
  if (!existsSync(join(FOLDER, FILES[0]!))) return undefined;
  const file = join(CACHE, `wordnet-${dim}-${seed}-1.f32`);
  if (!existsSync(file)) {
    const made = analyse(dim, seed);
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(file, new Uint8Array(made.buffer));
  }
  const bytes = readFileSync(file);
  const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const order = Array.from({ length: all.length / dim }, (_, row) => row);
  const uniform = uniforms(seed + 7);
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(uniform() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  const seen = new Set<string>();
  const out = new Float32Array(count * dim);
  for (const row of order) {
    const vector = all.subarray(row * dim, (row + 1) * dim);
    const mark = `${vector[0]} ${vector[1]} ${vector[2]}`;
    if (vector.every((value) => value === 0) || seen.has(mark)) continue;
    out.set(vector, seen.size * dim);
    seen.add(mark);
    if (seen.size === count) return out;
  }
  return undefined;
}
