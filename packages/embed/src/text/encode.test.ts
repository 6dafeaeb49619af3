import { describe, expect, it } from 'vitest';
import { bytePair, unigram, wordPiece } from '../testing/tokenizers.ts';
import { createEncoder } from './encode.ts';

const idsOf = (tokenizer: object, text: string, maxTokens = 512) =>
  createEncoder(tokenizer, {}, maxTokens)
    .encode(text, 'split')
    .windows.map(({ ids }) => ids);

describe('encoding', () => {
  it('reads WordPiece, with its special tokens around the text', () => {
    expect(idsOf(wordPiece, 'A Kitten, CAFÉ')).toEqual([[2, 4, 5, 6, 1, 7, 3]]);
  });

  it('reads byte pair encoding', () => {
    expect(idsOf(bytePair, 'a kit')).toEqual([[1, 8]]);
  });

  it('reads Unigram', () => {
    expect(idsOf(unigram, 'a kitten')).toEqual([[4, 7, 1]]);
  });

  it('splits a long text into windows of like length, each with the special tokens and within the limit', () => {
    const windows = idsOf(wordPiece, 'a a a a a a a', 5);
    expect(windows).toEqual([
      [2, 4, 4, 3],
      [2, 4, 4, 4, 3],
      [2, 4, 4, 3],
    ]);
  });

  it('cuts a long text only when asked to, and says how many tokens it had and kept', () => {
    const encoder = createEncoder(wordPiece, {}, 5);
    expect(encoder.encode('a a a a a a a', 'truncate')).toEqual({ windows: [{ ids: [2, 4, 4, 4, 3] }], tokens: 7, kept: 3 });
  });

  it('gives an empty text one window of the special tokens alone', () => {
    expect(idsOf(wordPiece, '')).toEqual([[2, 3]]);
    expect(idsOf(bytePair, '')).toEqual([[]]);
  });

  it('refuses a tokenizer of a kind that it does not know', () => {
    expect(() => createEncoder({ ...wordPiece, model: { type: 'Phonemes' } }, {}, 8)).toThrow(
      expect.objectContaining({ code: 'EMBEDDER_UNAVAILABLE', details: { reason: 'model-unsupported' } }),
    );
  });
});
