import type { ErrorMessage } from '@terndb/core';

/**
 * What a page tells its engine worker before it starts, if its schema has embedded fields, beside comlink's messages (comlink leaves alone what it does not know): which embedder to
 * use, and the port to a function of the page's.
 */
export interface EmbedderMessage {
  readonly terndb: 'embedder';
  readonly config: EmbedderConfig;
  readonly port?: MessagePort;
}

/** Which vectors: of the model that ships with Tern, of a folder, of a function on the page. Plain data, stored with the model's id. */
export type EmbedderConfig =
  | { readonly type: 'default' }
  | { readonly type: 'model'; readonly model: string; readonly integrity?: string; readonly webgpu?: { readonly wasm: string } }
  | { readonly type: 'page'; readonly id: string; readonly dim: number };

/** Over the port to the page. */
export interface EmbedRequest {
  readonly call: number;
  readonly texts: readonly string[];
}
export type EmbedAnswer =
  | { readonly call: number; readonly vectors: readonly Float32Array[] }
  | { readonly call: number; readonly error: ErrorMessage };

/** What a watch of kind `embedding` delivers. */
export interface EmbeddingReport {
  readonly state: 'off' | 'loading' | 'ready' | 'failed';
  readonly model: string | null;
  readonly device?: 'wasm' | 'webgpu';
  readonly loadedBytes: number;
  readonly totalBytes: number | null;
  readonly done: number;
  readonly waiting: number;
  readonly paused: boolean;
  readonly error: ErrorMessage | null;
}
