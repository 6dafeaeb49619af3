import { describe, expect, it } from 'vitest';
import { finishVector, normalize, poolTokens } from './pooling.ts';

/** Two texts of three tokens of two components; the first ends with padding, the second begins with it. */
const batch = {
  data: Float32Array.of(1, 2, 3, 4, 90, 90, 80, 80, 5, 6, 7, 9),
  mask: BigInt64Array.of(1n, 1n, 0n, 0n, 1n, 1n),
  texts: 2,
  tokens: 3,
  dim: 2,
};

describe('pooling', () => {
  it('takes the mean of the tokens that are not padding', () => {
    expect(poolTokens(batch, 'mean').map((vector) => [...vector])).toEqual([
      [2, 3],
      [6, 7.5],
    ]);
  });

  it('takes the first and the last token that are not padding, whichever side is padded', () => {
    expect(poolTokens(batch, 'cls').map((vector) => [...vector])).toEqual([
      [1, 2],
      [5, 6],
    ]);
    expect(poolTokens(batch, 'last').map((vector) => [...vector])).toEqual([
      [3, 4],
      [7, 9],
    ]);
  });

  it('gives the zero vector for a text without tokens', () => {
    const none = { ...batch, mask: new BigInt64Array(6) };
    expect(poolTokens(none, 'mean').map((vector) => [...vector])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('finishing a vector', () => {
  it('weighs the windows of a text by their tokens', () => {
    const out = finishVector([Float32Array.of(1, 0), Float32Array.of(0, 1)], [3, 1], { dim: 2, normalize: false });
    expect([...out]).toEqual([0.75, 0.25]);
  });

  it('scales to length 1 after the Matryoshka cut, not before', () => {
    const out = finishVector([Float32Array.of(3, 4, 12)], [1], { dim: 2, normalize: true });
    expect(out[0]).toBeCloseTo(0.6, 6);
    expect(out[1]).toBeCloseTo(0.8, 6);
  });

  it('leaves the zero vector as it is', () => {
    expect([...normalize(new Float32Array(2))]).toEqual([0, 0]);
  });
});
