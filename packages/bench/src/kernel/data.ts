import { gaussians, normaliseRows, uniforms } from './random.ts';
import { wordnetVectors } from './wordnet.ts';

export interface DataSet {
  readonly name: string;
  readonly dim: number;
  readonly rows: number;
  /** Row-major, length 1 each. */
  readonly stored: Float32Array;
  readonly queries: Float32Array[];
}

/** 200 centres; each row is a centre plus a random point of a subspace of 24 dimensions that all share, plus a little noise. */
function mixture(count: number, dim: number, seed: number): Float32Array {
  const [centreCount, inner] = [200, 24];
  const [uniform, normal] = [uniforms(seed), gaussians(seed + 1)];
  const centres = Float32Array.from({ length: centreCount * dim }, normal);
  const basis = Float32Array.from({ length: inner * dim }, normal);
  const out = new Float32Array(count * dim);
  const weights = new Float32Array(inner);
  for (let row = 0; row < count; row++) {
    const centre = Math.floor(uniform() * centreCount) * dim;
    for (let at = 0; at < inner; at++) weights[at] = normal() * 0.2;
    for (let at = 0; at < dim; at++) {
      let value = centres[centre + at]! * 0.5 + (uniform() - 0.5) * 0.1;
      for (let i = 0; i < inner; i++) value += weights[i]! * basis[i * dim + at]!;
      out[row * dim + at] = value;
    }
  }
  normaliseRows(out, dim);
  return out;
}

function split(name: string, all: Float32Array, dim: number, rows: number): DataSet {
  const queries: Float32Array[] = [];
  for (let at = rows * dim; at < all.length; at += dim) queries.push(all.slice(at, at + dim));
  return { name, dim, rows, stored: all.slice(0, rows * dim), queries };
}

export function clustered(rows: number, queries: number, dim: number, seed: number): DataSet {
  return split('clustered', mixture(rows + queries, dim, seed), dim, rows);
}

/** Undefined where this machine has no WordNet. */
export function wordnet(rows: number, queries: number, dim: number, seed: number): DataSet | undefined {
  const all = wordnetVectors(rows + queries, dim, seed);
  return all && split('wordnet', all, dim, rows);
}
