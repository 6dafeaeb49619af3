import type { ErrorMessage } from '@terndb/core';
import type { ModelOptions } from '../embedder.ts';
import type { ModelAddress } from '../model/http-source.ts';
import type { LoadProgress } from '../model/load-model.ts';

/**
 * Between a page (or the engine's worker) and the embed worker. Both come from one build, so there is no version to speak about.
 * Requests carry a number that their answers repeat; `cancel` names the request to stop. Vectors are transferred.
 */
export type Request =
  | {
      readonly type: 'load';
      readonly call: number;
      /** The folder's address, or each file's. */
      readonly model: ModelAddress;
      /** Keep the files on this device. */
      readonly keep: boolean;
      readonly wasm: string;
      /** Address of onnxruntime's WebAssembly for WebGPU: try that. */
      readonly webgpuWasm: string | undefined;
      readonly threads: number;
      readonly options: ModelOptions;
    }
  | { readonly type: 'embed'; readonly call: number; readonly texts: readonly string[]; readonly kind: 'query' | 'passage' }
  | { readonly type: 'cancel'; readonly call: number };

export type Answer =
  | { readonly type: 'ready' }
  | { readonly type: 'loaded'; readonly call: number; readonly id: string; readonly dim: number; readonly device: 'wasm' | 'webgpu' }
  /** `vectors` is row-major, `texts * dim`. */
  | { readonly type: 'embedded'; readonly call: number; readonly vectors: Float32Array<ArrayBuffer> }
  | { readonly type: 'load-progress'; readonly call: number; readonly progress: LoadProgress }
  | { readonly type: 'embed-progress'; readonly call: number; readonly doneTexts: number; readonly totalTexts: number }
  | { readonly type: 'truncated'; readonly call: number; readonly textIndex: number; readonly tokens: number; readonly keptTokens: number }
  | { readonly type: 'failed'; readonly call: number; readonly error: ErrorMessage };
