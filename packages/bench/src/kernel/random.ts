/** mulberry32: the same numbers everywhere. */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Box–Muller. */
export function gaussians(seed: number): () => number {
  const uniform = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Scales each row to length 1; zero rows stay. */
export function normaliseRows(rows: Float32Array, dim: number): void {
  for (let start = 0; start < rows.length; start += dim) {
    let sum = 0;
    for (let at = start; at < start + dim; at++) sum += rows[at]! ** 2;
    const factor = sum > 0 ? 1 / Math.sqrt(sum) : 0;
    for (let at = start; at < start + dim; at++) rows[at]! *= factor;
  }
}
