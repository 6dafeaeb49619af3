import { type Clock, type MetaStore, utf8Decode, utf8Encode } from '@terndb/core';
import { createEmbedder, type Embedder, type LoadProgress, unavailable } from '@terndb/embed';
import { createPageEmbedder } from './page-embedder.ts';
import type { EmbedderConfig } from './protocol.ts';

/** Model id → the configuration it was loaded with, so that its vectors can be searched while another model replaces them. */
const MODEL_KEY = 'embedding/model/';

/** The embed worker holds onnxruntime and the model, some tens of megabytes: after this long without work it is ended, and started again when needed. */
const IDLE_AFTER_MS = 5 * 60 * 1000;

export interface LoaderOptions {
  readonly after: Clock['after'];
  readonly onProgress?: (progress: LoadProgress) => void;
}
export type LoadEmbedder = (config: EmbedderConfig, options: LoaderOptions) => Promise<Embedder>;

/** @throws EMBEDDER_UNAVAILABLE, CHECKSUM_MISMATCH, FORMAT_INVALID, OPTION_INVALID. */
export function embedderLoader(port: MessagePort | undefined): LoadEmbedder {
  return async (config, { after, onProgress }) => {
    const common = { onProgress, idle: { afterMs: IDLE_AFTER_MS, after } };
    switch (config.type) {
      case 'default':
        return await createEmbedder(common);
      case 'model':
        return await createEmbedder({ ...common, model: config.model, integrity: config.integrity, webgpu: config.webgpu });
      case 'page':
        if (port === undefined) throw unavailable('model-missing', `embedder ${config.id}: a function of this page expected, got none`);
        return createPageEmbedder(config, port);
    }
  };
}

export async function rememberModel(meta: MetaStore, id: string, config: EmbedderConfig): Promise<void> {
  const key = `${MODEL_KEY}${id}`;
  const known = await meta.get(key);
  const value = utf8Encode(JSON.stringify(config));
  if (known === undefined || utf8Decode(known.value) !== utf8Decode(value)) await meta.compareAndSet(key, known?.revision ?? 0, value);
}

/** Undefined when it is not known, or was a function that is not there any more. */
export async function recallModel(meta: MetaStore, id: string): Promise<EmbedderConfig | undefined> {
  const known = await meta.get(`${MODEL_KEY}${id}`);
  if (known === undefined) return undefined;
  const config = JSON.parse(utf8Decode(known.value)) as EmbedderConfig;
  return config.type === 'page' ? undefined : config;
}
