import { describe, expect, it } from 'vitest';
import { readSettings } from './settings.ts';

const config = { hidden_size: 384, max_position_embeddings: 512, pad_token_id: 1 };
const codeOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('the settings of a model', () => {
  it('are a normalised mean of 512 tokens where the folder says no more than its width', () => {
    expect(readSettings({ config: { hidden_size: 384 } }, 'm')).toEqual({
      dim: 384,
      pooling: 'mean',
      normalize: true,
      maxTokens: 512,
      padId: 0,
      prompts: { query: '', passage: '' },
    });
  });

  it('take pooling, normalisation, length, padding and prompts from the files that say them', () => {
    const settings = readSettings(
      {
        config,
        modules: [{ type: 'sentence_transformers.models.Transformer' }, { type: 'sentence_transformers.models.Pooling' }],
        pooling: { word_embedding_dimension: 256, pooling_mode_cls_token: true, pooling_mode_mean_tokens: false },
        sentence: { max_seq_length: 128 },
        sentenceTransformers: { prompts: { query: 'query: ', document: 'passage: ' } },
      },
      'm',
    );
    expect(settings).toEqual({
      dim: 256,
      pooling: 'cls',
      normalize: false,
      maxTokens: 128,
      padId: 1,
      prompts: { query: 'query: ', passage: 'passage: ' },
    });
  });

  it('never read more tokens than the model has positions for', () => {
    expect(readSettings({ config, tokenizer: { model_max_length: 1e30 } }, 'm').maxTokens).toBe(512);
  });

  it('pool the last token where the folder asks for it', () => {
    expect(readSettings({ config, pooling: { pooling_mode_lasttoken: true } }, 'm').pooling).toBe('last');
  });

  it('refuse a pooling that we do not have, and one of several modes', () => {
    for (const pooling of [{ pooling_mode_max_tokens: true }, { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true }]) {
      expect(codeOf(() => readSettings({ config, pooling }, 'm'))).toMatchObject({
        code: 'EMBEDDER_UNAVAILABLE',
        details: { reason: 'model-unsupported' },
      });
    }
  });

  it('refuse a configuration without a width', () => {
    expect(codeOf(() => readSettings({ config: {} }, 'm'))).toMatchObject({ code: 'FORMAT_INVALID' });
  });
});
