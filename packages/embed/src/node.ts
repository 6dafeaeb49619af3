/** The embedder in Node: onnxruntime's WebAssembly in this process, the model that ships with Tern as default. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Embedder, ModelOptions } from './embedder.ts';
import { createFolderSource } from './model/folder-source.ts';
import { createHttpSource } from './model/http-source.ts';
import type { LoadOptions } from './model/load-model.ts';
import type { ModelSource } from './model/source.ts';
import { createLocalEmbedder } from './run/local-embedder.ts';
import { startNodeRuntime } from './run/node-runtime.ts';

export type { Embedder, EmbedOptions, ModelOptions } from './embedder.ts';
export type { UnavailableReason } from './errors.ts';
export type { LoadOptions, LoadProgress } from './model/load-model.ts';

const require = createRequire(import.meta.url);

/** `model`: a folder on disk, or an address (`http:`, `https:`, `file:`). Default: `@terndb/model-mini`. */
export interface NodeEmbedderOptions extends ModelOptions, LoadOptions {
  readonly model?: string | URL;
}

/**
 * Loads the model; 14 MB of onnxruntime and the model's own size stay in memory until `close`.
 * @throws EMBEDDER_UNAVAILABLE with `details.reason`, CHECKSUM_MISMATCH, FORMAT_INVALID, OPTION_INVALID, ABORTED.
 */
export async function createEmbedder(options: NodeEmbedderOptions = {}): Promise<Embedder> {
  return createLocalEmbedder(await startNodeRuntime(), sourceOf(options.model), options);
}

function sourceOf(model: string | URL | undefined): ModelSource {
  if (model === undefined) return createFolderSource(dirname(require.resolve('@terndb/model-mini/model/manifest.json')));
  const text = String(model);
  if (/^https?:/.test(text)) return createHttpSource(text);
  return createFolderSource(text.startsWith('file:') ? fileURLToPath(text) : text);
}
