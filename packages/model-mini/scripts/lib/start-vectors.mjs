/**
 * The start of training: reflective random indexing (Cohen, Schvaneveldt, Widdows 2010), a cheap relative of LSA. Each word piece begins as a random
 * vector; then, twice, it becomes the sum of its definitions, each the weighted sum of its pieces.
 */
const ROUNDS = 2;
/** Weight of a piece of relative frequency f is SMOOTH / (SMOOTH + f), as in SIF (Arora, Liang, Ma 2017). */
const SMOOTH = 1e-3;
const START_LENGTH = 1;
/** Share of the first random vector that stays: a piece is like its company, and yet itself. */
const OWN = 0.5;

export function startVectors({ entries, pieces }, dim, random) {
  const documents = entries.map(({ lemmas, gloss, examples }) => [...lemmas, gloss, ...examples].flat(2));
  const counts = new Float64Array(pieces.length);
  for (const document of documents) for (const id of document) counts[id]++;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const weights = Float64Array.from(counts, (count) => SMOOTH / (SMOOTH + count / total));
  let table = Float32Array.from({ length: pieces.length * dim }, () => random.normal());
  scaleRows(table, dim, () => 1);
  const own = table;
  for (let round = 0; round < ROUNDS; round++) table = reflect(documents, table, weights, dim, random);
  table = table.map((value, i) => value * (1 - OWN) + own[i] * OWN);
  scaleRows(table, dim, (row) => START_LENGTH * weights[row]);
  return table;
}

function reflect(documents, table, weights, dim, random) {
  const next = Float32Array.from({ length: table.length }, () => random.normal() * 1e-3);
  const sum = new Float32Array(dim);
  for (const document of documents) {
    sum.fill(0);
    for (const id of document) for (let d = 0; d < dim; d++) sum[d] += weights[id] * table[id * dim + d];
    for (const id of document) for (let d = 0; d < dim; d++) next[id * dim + d] += sum[d];
  }
  scaleRows(next, dim, () => 1);
  removeMean(next, dim);
  scaleRows(next, dim, () => 1);
  return next;
}

/** What all pieces share says nothing about any of them. */
function removeMean(table, dim) {
  const rows = table.length / dim;
  const mean = new Float64Array(dim);
  for (let i = 0; i < table.length; i++) mean[i % dim] += table[i] / rows;
  for (let i = 0; i < table.length; i++) table[i] -= mean[i % dim];
}

function scaleRows(table, dim, lengthOf) {
  for (let row = 0; row * dim < table.length; row++) {
    const values = table.subarray(row * dim, (row + 1) * dim);
    const scale = lengthOf(row) / (Math.hypot(...values) + 1e-9);
    for (let d = 0; d < dim; d++) values[d] *= scale;
  }
}
