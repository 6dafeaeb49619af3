export { DEFAULT_DIM } from './default-assets.ts';
export type { Embedder, EmbedOptions, ModelOptions } from './embedder.ts';
export type { UnavailableReason } from './errors.ts';
export { unavailable } from './errors.ts';
export type { LoadOptions, LoadProgress } from './model/load-model.ts';
export { createEmbedder, type WorkerEmbedderOptions } from './worker/worker-embedder.ts';
