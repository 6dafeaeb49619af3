/** The embed worker: onnxruntime and one model, thrown away with the worker. Speaks `protocol.ts`. */
import { assertNever, DbError } from '@terndb/core';
import type { Embedder } from '../embedder.ts';
import { unavailable } from '../errors.ts';
import { openChunkStore } from '../model/chunk-store.ts';
import { createHttpSource } from '../model/http-source.ts';
import { createStoredSource } from '../model/stored-source.ts';
import { createLocalEmbedder } from '../run/local-embedder.ts';
import { startWasm, startWebGpu } from '../run/runtime.ts';
import type { Answer, Request } from './protocol.ts';

interface WorkerScope {
  postMessage(answer: Answer, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<Request>) => void) | null;
}
const scope = globalThis as unknown as WorkerScope;
const running = new Map<number, AbortController>();
let embedder: Embedder | undefined;

scope.onmessage = ({ data: request }) => {
  if (request.type === 'cancel') {
    running.get(request.call)?.abort();
    return;
  }
  const { call } = request;
  const controller = new AbortController();
  running.set(call, controller);
  handle(request, controller.signal)
    .catch((error: unknown) => scope.postMessage({ type: 'failed', call, error: DbError.from(error).toJSON() }))
    .finally(() => running.delete(call));
};

async function handle(request: Exclude<Request, { type: 'cancel' }>, signal: AbortSignal): Promise<void> {
  switch (request.type) {
    case 'load':
      return load(request, signal);
    case 'embed':
      return embed(request, signal);
    default:
      return assertNever(request, 'request');
  }
}

async function load(request: Extract<Request, { type: 'load' }>, signal: AbortSignal): Promise<void> {
  const { call, model, wasm, webgpuWasm, threads, keep, options } = request;
  const runtime = (webgpuWasm && (await startWebGpu({ wasm: webgpuWasm, threads }))) || startWasm({ wasm, threads });
  const store = keep ? await openChunkStore() : undefined;
  embedder = await createLocalEmbedder(runtime, store === undefined ? createHttpSource(model) : createStoredSource(model, store), {
    ...options,
    signal,
    onProgress: (progress) => scope.postMessage({ type: 'load-progress', call, progress }),
  });
  scope.postMessage({ type: 'loaded', call, id: embedder.id, dim: embedder.dim, device: runtime.device });
}

async function embed({ call, texts, kind }: Extract<Request, { type: 'embed' }>, signal: AbortSignal): Promise<void> {
  if (embedder === undefined) throw unavailable('closed', 'embed worker: expected a loaded model, got none');
  const { dim } = embedder;
  const vectors = await embedder.embed(texts, {
    kind,
    signal,
    onProgress: (doneTexts, totalTexts) => scope.postMessage({ type: 'embed-progress', call, doneTexts, totalTexts }),
    onTruncated: (textIndex, tokens, keptTokens) => scope.postMessage({ type: 'truncated', call, textIndex, tokens, keptTokens }),
  });
  const flat = new Float32Array(texts.length * dim);
  vectors.forEach((vector, i) => {
    flat.set(vector, i * dim);
  });
  scope.postMessage({ type: 'embedded', call, vectors: flat }, [flat.buffer]);
}

scope.postMessage({ type: 'ready' });
