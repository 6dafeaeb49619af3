import { DbError } from '@terndb/core';
import { unavailable } from '../errors.ts';
import { checkFile, checkIntegrity } from './checksums.ts';
import { isRecord, parseJson } from './json.ts';
import { type ModelManifest, readManifest } from './manifest.ts';
import { type ModelSettings, readSettings } from './settings.ts';
import type { ModelSource, ReadOptions } from './source.ts';

/** A model's files, read and checked. */
export interface ModelFiles {
  /** Changes when the vectors do, if the folder has a manifest; else the folder's name. */
  readonly id: string;
  readonly settings: ModelSettings;
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  /** The ONNX graph with its weights. */
  readonly graph: Uint8Array<ArrayBuffer>;
}

export interface LoadOptions {
  /** SRI hash of `manifest.json`. */
  readonly integrity?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}
export interface LoadProgress {
  readonly file: string;
  readonly loadedBytes: number;
  readonly totalBytes: number | undefined;
}

/** Where exports keep the graph: ours at the top, transformers.js and sentence-transformers in `onnx/`. */
const MANIFEST = 'manifest.json';
const GRAPH_PATHS = ['model.onnx', 'onnx/model.onnx'];

/**
 * Reads a sentence-transformers style folder: `config.json`, `tokenizer.json`, `model.onnx` (or `onnx/model.onnx`), and where present
 * `manifest.json`, `tokenizer_config.json`, `modules.json`, `1_Pooling/config.json`, `sentence_bert_config.json`, `config_sentence_transformers.json`.
 * @throws EMBEDDER_UNAVAILABLE (`model-missing`, `unreachable`, `model-unsupported`), CHECKSUM_MISMATCH, FORMAT_INVALID, OPTION_INVALID, ABORTED.
 */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<ModelFiles> {
  const manifest = await loadManifest(source, options);
  const read = (path: string) => readChecked(source, path, manifest, options);
  const json = async (path: string) => {
    const bytes = await read(path);
    return bytes && parseJson(bytes, path);
  };
  const required = <T>(value: T | undefined, path: string): T => {
    if (value === undefined) throw unavailable('model-missing', `model ${source.name}: expected a file ${path}, got none`);
    return value;
  };
  const [config, tokenizer, tokenizerConfig, modules, pooling, sentence, sentenceTransformers] = await Promise.all(
    [
      'config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'modules.json',
      '1_Pooling/config.json',
      'sentence_bert_config.json',
      'config_sentence_transformers.json',
    ].map(json),
  );
  const settings = readSettings(
    { config: required(config, 'config.json'), modules, pooling, sentence, sentenceTransformers, tokenizer: tokenizerConfig },
    source.name,
  );
  if (!isRecord(required(tokenizer, 'tokenizer.json')) || !isRecord(tokenizer))
    throw new DbError('FORMAT_INVALID', `${source.name}/tokenizer.json: expected an object`, { details: { file: 'tokenizer.json' } });
  let graph: Uint8Array<ArrayBuffer> | undefined;
  for (const path of GRAPH_PATHS) graph ??= await read(path);
  return {
    id: manifest?.id ?? source.name,
    settings,
    tokenizer,
    tokenizerConfig: isRecord(tokenizerConfig) ? tokenizerConfig : {},
    graph: required(graph, GRAPH_PATHS.join(' or ')),
  };
}

async function loadManifest(source: ModelSource, options: LoadOptions): Promise<ModelManifest | undefined> {
  const bytes = await source.read(MANIFEST, { signal: options.signal, expected: options.integrity });
  if (bytes === undefined) {
    if (options.integrity === undefined) return undefined;
    throw unavailable('model-missing', `model ${source.name}: integrity was asked for, and there is no manifest.json`);
  }
  if (options.integrity !== undefined) {
    const { integrity } = options;
    await checkOrForget(source, MANIFEST, integrity, () => checkIntegrity(bytes, integrity, MANIFEST));
  }
  return readManifest(bytes, MANIFEST);
}

/** With a manifest only the files that it lists exist. */
async function readChecked(
  source: ModelSource,
  path: string,
  manifest: ModelManifest | undefined,
  { signal, onProgress }: LoadOptions,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const expected = manifest?.files.get(path);
  if (manifest !== undefined && expected === undefined) return undefined;
  const bytes = await source.read(path, {
    signal,
    expected,
    onProgress: (loadedBytes, totalBytes) => onProgress?.({ file: path, loadedBytes, totalBytes: expected?.bytes ?? totalBytes }),
  });
  if (expected === undefined) return bytes;
  if (bytes === undefined) throw unavailable('model-missing', `model ${source.name}: the manifest lists ${path}, and it is not there`);
  await checkOrForget(source, path, expected, () => checkFile(bytes, expected, path));
  return bytes;
}

/** Wrong bytes are not kept: the next try reads them anew. */
async function checkOrForget(
  source: ModelSource,
  path: string,
  expected: ReadOptions['expected'],
  check: () => Promise<void>,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    await source.forget?.(path, { expected });
    throw error;
  }
}
