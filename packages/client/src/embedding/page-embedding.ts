import type { DbError, ErrorMessage } from '@terndb/core';
import type { Embedder } from '../api/database.ts';
import type { EmbeddingStatus } from '../api/status.ts';
import type { ValueStore } from '../database/value-store.ts';
import type { WorkerConnection } from '../worker/connection.ts';
import type { EmbedAnswer, EmbedderConfig, EmbedderMessage, EmbeddingReport, EmbedRequest } from './protocol.ts';

/**
 * The page's part of embedding. A chunk of its own, loaded when the schema has an embedded field; it imports nothing at run time, so that it shares no
 * code with the main one.
 */

/** What the page's own code lends. */
export interface PageEmbedding {
  readonly connection: WorkerConnection;
  readonly embedding: ValueStore<EmbeddingStatus>;
}

/** Tells the worker which embedder to use, before the database is opened. Returns what follows once it is. */
export function startEmbedding(worker: Worker, embedder: Embedder | undefined): typeof watchEmbedding {
  tellEmbedder(worker, embedder);
  return watchEmbedding;
}

function watchEmbedding({ connection, embedding }: PageEmbedding, toError: (message: ErrorMessage) => DbError): void {
  const onResult = async (result: unknown): Promise<void> => {
    const report = result as EmbeddingReport;
    embedding.update({ ...report, error: report.error && toError(report.error) });
  };
  connection.watch({ kind: 'embedding' }, { onResult, onError: () => {} });
  Object.assign(embedding, {
    pause: () => connection.call('pauseEmbedding', true),
    resume: () => connection.call('pauseEmbedding', false),
  });
}

function tellEmbedder(worker: Worker, embedder: Embedder | undefined): void {
  if (embedder === undefined || 'model' in embedder) {
    const { model, integrity, webgpu } = embedder ?? {};
    const config: EmbedderConfig =
      model === undefined
        ? { type: 'default' }
        : {
            type: 'model',
            model: new URL(model, document.baseURI).href,
            ...(integrity === undefined ? {} : { integrity }),
            ...(webgpu === undefined ? {} : { webgpu: { wasm: new URL(webgpu.wasm, document.baseURI).href } }),
          };
    worker.postMessage({ terndb: 'embedder', config } satisfies EmbedderMessage);
    return;
  }
  const { id, dim } = embedder;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }: MessageEvent<EmbedRequest>) => void answer(embedder, data, port1);
  worker.postMessage({ terndb: 'embedder', config: { type: 'page', id, dim }, port: port2 } satisfies EmbedderMessage, [port2]);
}

async function answer(embedder: Extract<Embedder, { id: string }>, { call, texts }: EmbedRequest, port: MessagePort): Promise<void> {
  let message: EmbedAnswer;
  try {
    const vectors = await embedder.embed(texts);
    message = { call, vectors: vectors.map((vector) => Float32Array.from(vector)) };
  } catch (thrown) {
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    message = { call, error: { code: 'EMBEDDER_UNAVAILABLE', message: text, details: { reason: 'function-failed' } } };
  }
  port.postMessage(message);
}
