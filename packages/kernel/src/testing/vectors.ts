/** Seeded numbers for tests: mulberry32. */
export function createUniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What vectors look like: from harmless to spiteful. */
export const SHAPES = [
  'normal',
  'coarse',
  'sparse',
  'huge',
  'tiny',
  'mixed',
  'extreme',
  'offset',
  'duplicates',
  'halfway',
  'ones',
] as const;
export type Shape = (typeof SHAPES)[number];

function component(shape: Shape, uniform: () => number): number {
  const signed = uniform() * 2 - 1;
  switch (shape) {
    case 'normal':
    case 'duplicates':
      return signed;
    case 'coarse':
      return Math.round(signed * 2);
    case 'sparse':
      return uniform() < 0.9 ? 0 : signed;
    case 'huge':
      return signed * 1e17;
    case 'tiny':
      return signed * 1e-14;
    case 'mixed':
      return signed * 10 ** Math.floor(uniform() * 8 - 4);
    case 'extreme':
      return signed * 10 ** Math.floor(uniform() * 76 - 45);
    case 'offset':
      return 1000 + signed * 0.01;
    // Each lies just below or above the middle between two int8 codes of a row whose largest is 1: with a query of ones, the errors of the
    // codes all add up, as far as Cauchy–Schwarz allows.
    case 'halfway':
      return uniform() < 0.1 ? 1 : (Math.floor(uniform() * 3) + (uniform() < 0.5 ? 0.499 : 0.501)) / 127;
    case 'ones':
      return 1;
  }
}

/** Row-major `rows * dim`; some rows are zero, some are copies of others. */
export function makeVectors(options: {
  readonly shape: Shape;
  readonly rows: number;
  readonly dim: number;
  readonly seed: number;
}): Float32Array {
  const { shape, rows, dim } = options;
  const uniform = createUniform(options.seed);
  const out = new Float32Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    const kind = uniform();
    if (kind < 0.05) continue;
    const copied = kind < (shape === 'duplicates' ? 0.7 : 0.15) && row > 0;
    if (copied) {
      const source = Math.floor(uniform() * row) * dim;
      out.copyWithin(row * dim, source, source + dim);
      continue;
    }
    const scale = shape === 'extreme' ? 10 ** Math.floor(uniform() * 40 - 20) : 1;
    for (let index = 0; index < dim; index++) out[row * dim + index] = clampFloat(component(shape, uniform) * scale);
  }
  return out;
}

/** Rows are finite by contract. */
function clampFloat(value: number): number {
  const largest = 3.4e38;
  return Math.max(-largest, Math.min(largest, value));
}

/** 40 clusters whose points lie in 12 dimensions of their own: what embeddings are like, in small. */
export function mixture(rows: number, dim: number, seed: number): Float32Array {
  const uniform = createUniform(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const [centres, basis] = [Float32Array.from({ length: 40 * dim }, normal), Float32Array.from({ length: 12 * dim }, normal)];
  const out = new Float32Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    const centre = Math.floor(uniform() * 40) * dim;
    const weights = Array.from({ length: 12 }, normal);
    for (let at = 0; at < dim; at++) {
      const inner = weights.reduce((sum, weight, index) => sum + weight * basis[index * dim + at]!, 0);
      out[row * dim + at] = centres[centre + at]! * 0.5 + inner * 0.3 + normal() * 0.05;
    }
  }
  return out;
}
