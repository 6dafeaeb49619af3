import { embedderLoader, type LoadEmbedder } from './embedder-loader.ts';
import type { EmbedderConfig, EmbedderMessage } from './protocol.ts';

/** Which embedder the page wants, and how to get it. */
export interface EmbedderSetup {
  readonly config: EmbedderConfig;
  readonly load: LoadEmbedder;
}

/** The model that ships with Tern: what a page that says nothing gets. */
export const DEFAULT_EMBEDDER: EmbedderSetup = { config: { type: 'default' }, load: embedderLoader(undefined) };

/** Hears what the page says before it starts the database; to be called when the worker loads. */
export function listenForEmbedder(scope: Pick<Worker, 'addEventListener'>): () => EmbedderSetup {
  let setup = DEFAULT_EMBEDDER;
  scope.addEventListener('message', ({ data }: MessageEvent<EmbedderMessage | undefined>) => {
    if (data?.terndb === 'embedder') setup = { config: data.config, load: embedderLoader(data.port) };
  });
  return () => setup;
}
