/**
 * Small vectors of meaning without a model: latent semantic analysis. The terms × documents matrix (tf-idf) is projected on its
 * leading singular directions, found by block power iteration. Documents that use related words come to lie near each other.
 * Deterministic: the start block comes from a seeded generator, the order of every sum is fixed.
 */
import { seededRandom } from './seeded-random.mjs';

const MIN_DOCUMENTS = 2;
/** A word in more than this share of the documents says little. */
const MAX_SHARE = 0.05;
const ITERATIONS = 6;
/** Directions carried beyond those wanted, so that the last ones converge too. */
const OVERSAMPLING = 12;

/** Rows of the sparse tf-idf matrix in one run of memory: row `i` holds entries `starts[i] .. starts[i + 1]`. Rows have length 1. */
function tfIdf(documents) {
  const frequency = new Map();
  for (const terms of documents) for (const term of terms.keys()) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  const columns = new Map();
  for (const [term, n] of frequency) if (n >= MIN_DOCUMENTS && n <= MAX_SHARE * documents.length) columns.set(term, columns.size);
  const starts = new Uint32Array(documents.length + 1);
  const entries = [];
  const weights = [];
  documents.forEach((terms, row) => {
    let norm = 0;
    const from = weights.length;
    for (const [term, weight] of terms) {
      const column = columns.get(term);
      if (column === undefined) continue;
      const value = weight * Math.log(documents.length / frequency.get(term));
      norm += value * value;
      entries.push(column);
      weights.push(value);
    }
    for (let i = from; i < weights.length; i++) weights[i] /= Math.sqrt(norm);
    starts[row + 1] = weights.length;
  });
  return {
    rows: documents.length,
    columnCount: columns.size,
    starts,
    entries: Uint32Array.from(entries),
    weights: Float64Array.from(weights),
  };
}

/** `matrix · block`: rows × width. */
function project(matrix, block, width) {
  const out = new Float64Array(matrix.rows * width);
  for (let row = 0; row < matrix.rows; row++) {
    for (let i = matrix.starts[row]; i < matrix.starts[row + 1]; i++) {
      const weight = matrix.weights[i];
      const from = matrix.entries[i] * width;
      for (let d = 0; d < width; d++) out[row * width + d] += weight * block[from + d];
    }
  }
  return out;
}

/** `matrixᵀ · block`: columns × width. */
function projectBack(matrix, block, width) {
  const out = new Float64Array(matrix.columnCount * width);
  for (let row = 0; row < matrix.rows; row++) {
    for (let i = matrix.starts[row]; i < matrix.starts[row + 1]; i++) {
      const weight = matrix.weights[i];
      const to = matrix.entries[i] * width;
      for (let d = 0; d < width; d++) out[to + d] += weight * block[row * width + d];
    }
  }
  return out;
}

/** Modified Gram-Schmidt on the columns of `block`, in place. */
function orthonormalise(block, width) {
  const rows = block.length / width;
  for (let d = 0; d < width; d++) {
    for (let e = 0; e < d; e++) {
      let dot = 0;
      for (let r = 0; r < rows; r++) dot += block[r * width + d] * block[r * width + e];
      for (let r = 0; r < rows; r++) block[r * width + d] -= dot * block[r * width + e];
    }
    let norm = 0;
    for (let r = 0; r < rows; r++) norm += block[r * width + d] ** 2;
    for (let r = 0; r < rows; r++) block[r * width + d] /= Math.sqrt(norm);
  }
}

/**
 * @param documents One `Map<term, weight>` each.
 * @returns Row-major `documents.length * dim`, each row of length 1 (all zero where no term was known).
 */
export function latentVectors(documents, { dim, seed }) {
  const matrix = tfIdf(documents);
  const width = dim + OVERSAMPLING;
  const random = seededRandom(seed);
  let block = Float64Array.from({ length: matrix.columnCount * width }, () => random() - 0.5);
  orthonormalise(block, width);
  for (let i = 0; i < ITERATIONS; i++) {
    block = projectBack(matrix, project(matrix, block, width), width);
    orthonormalise(block, width);
  }
  const wide = project(matrix, block, width);
  const strength = new Float64Array(dim);
  for (let row = 0; row < matrix.rows; row++) for (let d = 0; d < dim; d++) strength[d] += wide[row * width + d] ** 2;
  const out = new Float32Array(matrix.rows * dim);
  for (let row = 0; row < matrix.rows; row++) {
    let norm = 0;
    // The strongest directions are about style rather than subject: dividing by the root of their strength lets the others speak.
    const value = (d) => wide[row * width + d] / Math.sqrt(Math.sqrt(strength[d]));
    for (let d = 0; d < dim; d++) norm += value(d) ** 2;
    if (norm > 0) for (let d = 0; d < dim; d++) out[row * dim + d] = value(d) / Math.sqrt(norm);
  }
  return out;
}
