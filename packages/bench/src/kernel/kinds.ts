/** What of ours is measured. */
export const KINDS = [
  { name: 'tern f32', options: { codes: 'f32' }, rerank: false },
  { name: 'tern sq8 + f32 rerank', options: {}, rerank: true },
  { name: 'tern sq8 rotated + f32 rerank', options: { rotate: true }, rerank: true },
  { name: 'tern sq8 rotated + residual', options: { rotate: true, residual: true }, rerank: false },
] as const;

/** Shares of rows that pass the filter. */
export const SHARES = [0.1, 0.01] as const;
