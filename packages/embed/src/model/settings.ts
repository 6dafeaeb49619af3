import { DbError } from '@terndb/core';
import { unavailable } from '../errors.ts';
import { isRecord } from './json.ts';

export type Pooling = 'mean' | 'cls' | 'last';

/** What a sentence-transformers folder says about how its vectors are made. */
export interface ModelSettings {
  /** Width of the model's output, before truncation. */
  readonly dim: number;
  readonly pooling: Pooling;
  readonly normalize: boolean;
  /** Tokens per text, special ones included. */
  readonly maxTokens: number;
  readonly padId: number;
  /** Put before texts, by what they are for: `query: `, `passage: `. Empty where the model has none. */
  readonly prompts: { readonly query: string; readonly passage: string };
}

/** The parsed files of the folder; undefined where it has none. */
export interface ConfigFiles {
  readonly config: unknown;
  readonly modules?: unknown;
  readonly pooling?: unknown;
  readonly sentence?: unknown;
  readonly sentenceTransformers?: unknown;
  readonly tokenizer?: unknown;
}

/** BERT's, where no file says better. */
const DEFAULT_MAX_TOKENS = 512;
/** Tokenizers without a limit write 1e30. */
const MAX_MAX_TOKENS = 32_768;
const POOLING_MODES: readonly (readonly [string, Pooling])[] = [
  ['pooling_mode_mean_tokens', 'mean'],
  ['pooling_mode_cls_token', 'cls'],
  ['pooling_mode_lasttoken', 'last'],
];
/** Modes that a folder may ask for and that we do not have. */
const OTHER_MODES = ['pooling_mode_max_tokens', 'pooling_mode_mean_sqrt_len_tokens', 'pooling_mode_weightedmean_tokens'];

/** @throws FORMAT_INVALID without a dimension, EMBEDDER_UNAVAILABLE (`model-unsupported`) for a pooling that we do not have. */
export function readSettings(files: ConfigFiles, name: string): ModelSettings {
  const config = recordOf(files.config);
  const pooling = recordOf(files.pooling);
  const dim = positive(pooling['word_embedding_dimension']) ?? positive(config['hidden_size']) ?? positive(config['d_model']);
  if (dim === undefined)
    throw new DbError(
      'FORMAT_INVALID',
      `${name}/config.json: expected a positive hidden_size, got ${JSON.stringify(config['hidden_size'])}`,
      {
        details: { file: 'config.json' },
      },
    );
  const prompts = recordOf(recordOf(files.sentenceTransformers)['prompts']);
  const prompt = (...names: string[]) => names.map((one) => prompts[one]).find((text) => typeof text === 'string') ?? '';
  return {
    dim,
    pooling: readPooling(pooling, name),
    normalize: readNormalize(files.modules),
    maxTokens: readMaxTokens(files, config),
    padId: nonNegative(config['pad_token_id']) ?? 0,
    prompts: { query: prompt('query'), passage: prompt('passage', 'document') },
  };
}

function readPooling(pooling: Readonly<Record<string, unknown>>, name: string): Pooling {
  const asked = POOLING_MODES.filter(([key]) => pooling[key] === true).map(([, mode]) => mode);
  const other = OTHER_MODES.filter((key) => pooling[key] === true);
  if (other.length > 0 || asked.length > 1)
    throw unavailable(
      'model-unsupported',
      `${name}/1_Pooling: expected one of mean, cls and last token, got ${[...asked, ...other].join(', ')}`,
    );
  return asked[0] ?? 'mean';
}

/** Without a list of modules most exports are meant to be compared by cosine: normalised. */
function readNormalize(modules: unknown): boolean {
  if (!Array.isArray(modules)) return true;
  return modules.some((module) => isRecord(module) && String(module['type']).endsWith('.Normalize'));
}

function readMaxTokens(files: ConfigFiles, config: Readonly<Record<string, unknown>>): number {
  const asked =
    positive(recordOf(files.sentence)['max_seq_length']) ??
    positive(recordOf(files.tokenizer)['model_max_length']) ??
    positive(config['max_position_embeddings']) ??
    DEFAULT_MAX_TOKENS;
  return Math.min(asked, positive(config['max_position_embeddings']) ?? MAX_MAX_TOKENS, MAX_MAX_TOKENS);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 1 ? Math.floor(value) : undefined;
}
function nonNegative(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
