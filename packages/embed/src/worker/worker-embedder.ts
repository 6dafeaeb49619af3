import { assert, DbError } from '@terndb/core';
import { DEFAULT_MODEL, RUNTIME_WASM } from '../default-assets.ts';
import type { Embedder, EmbedOptions, ModelOptions } from '../embedder.ts';
import { unavailable } from '../errors.ts';
import type { ModelAddress } from '../model/http-source.ts';
import type { LoadOptions } from '../model/load-model.ts';
import { type Note, WorkerConnection } from './worker-connection.ts';

/** Where the parts are. All are the page's own files: nothing is fetched from anybody else. */
export interface WorkerEmbedderOptions extends ModelOptions, LoadOptions {
  /** The model's folder, or each file's address. Default: the model that ships with Tern. */
  readonly model?: string | URL | Readonly<Record<string, string | URL>>;
  /** onnxruntime's `ort-wasm-simd-threaded.wasm` (14 MB). Default: the file of its package, which bundlers serve beside the application. */
  readonly wasm?: string | URL;
  /** Keep the model's files on this device (IndexedDB), for offline use. Default: if `model` is given; the default's are the page's own files. */
  readonly keep?: boolean;
  /** Makes the worker; by default the module `@terndb/embed/worker` beside this one. */
  readonly worker?: () => Worker;
  /** Default 1. More only where the page is cross-origin isolated. */
  readonly threads?: number;
  /**
   * Run the model on the GPU where the browser gives this page one; else as usual, and the embedder's `device` says which it is. `wasm`: address of
   * onnxruntime's `ort-wasm-simd-threaded.asyncify.wasm` (27 MB), which applications that want this serve themselves.
   */
  readonly webgpu?: { readonly wasm: string | URL } | undefined;
  /** End the worker when nothing was asked for so long: its memory comes back. The next call starts another. Default: never. */
  readonly idle?: { readonly afterMs: number; readonly after: (delayMs: number, callback: () => void) => () => void };
}

/** Reasons that another worker may not have. */
const RESTARTED: ReadonlySet<unknown> = new Set(['out-of-memory', 'worker-lost']);

/**
 * Loads the model in a worker of its own. A worker that dies (out of memory, most often) is replaced on the next call, which loads the model again.
 * @throws EMBEDDER_UNAVAILABLE with `details.reason`, CHECKSUM_MISMATCH, FORMAT_INVALID, OPTION_INVALID, ABORTED.
 */
export async function createEmbedder(options: WorkerEmbedderOptions = {}): Promise<Embedder> {
  const { model = DEFAULT_MODEL, wasm = RUNTIME_WASM, worker = startWorker, threads = 1, webgpu, idle, signal, onProgress } = options;
  const keep = options.keep ?? options.model !== undefined;
  const modelOptions = pickModelOptions(options);
  const base = baseAddress();
  const onLoadNote = (note: Note) => {
    if (note.type === 'load-progress') onProgress?.(note.progress);
  };
  const open = async (loadSignal: AbortSignal | undefined) => {
    const connection = new WorkerConnection(worker());
    try {
      const request = {
        type: 'load',
        model: absolute(model, base),
        keep,
        wasm: new URL(wasm, base).href,
        webgpuWasm: webgpu && new URL(webgpu.wasm, base).href,
        threads,
        options: modelOptions,
      } as const;
      const answer = await connection.call(request, { signal: loadSignal, onNote: onLoadNote });
      assert(answer.type === 'loaded', 'load is answered by loaded');
      return { connection, id: answer.id, dim: answer.dim, device: answer.device };
    } catch (error) {
      connection.end(unavailable('worker-lost', 'embed worker did not load its model'));
      throw error;
    }
  };
  const first = await open(signal);
  const { id, dim } = first;
  let { device } = first;
  let connection: Promise<WorkerConnection> = Promise.resolve(first.connection);
  let closed = false;
  let calls = 0;
  let cancelIdle: (() => void) | undefined;
  waitForIdle();

  function waitForIdle(): void {
    cancelIdle?.();
    if (idle === undefined || calls > 0 || closed) return;
    cancelIdle = idle.after(idle.afterMs, () => {
      void connection.then((found) => {
        if (calls === 0) found.end(unavailable('worker-lost', `embedder ${id}: idle worker ended`));
      });
    });
  }

  /** The living worker, or a new one. One is started for all who ask meanwhile. */
  async function connected(): Promise<WorkerConnection> {
    const current = connection;
    const found = await current.catch(() => undefined);
    if (closed) throw unavailable('closed', `embedder ${id}: expected open, got closed`);
    if (found?.alive) return found;
    if (connection === current) connection = open(undefined).then(reopened);
    return connection;
  }

  function reopened(opened: Awaited<ReturnType<typeof open>>): WorkerConnection {
    if (opened.id !== id || opened.dim !== dim) {
      opened.connection.end(unavailable('closed', `embedder ${id}: another model lies there now`));
      throw unavailable('model-missing', `embedder ${id} of dim ${dim} expected, got ${opened.id} of dim ${opened.dim}`);
    }
    device = opened.device;
    return opened.connection;
  }

  async function embed(texts: readonly string[], call: EmbedOptions = {}): Promise<Float32Array[]> {
    calls++;
    cancelIdle?.();
    try {
      return await embedNow(texts, call);
    } finally {
      calls--;
      waitForIdle();
    }
  }

  async function embedNow(texts: readonly string[], call: EmbedOptions): Promise<Float32Array[]> {
    const { kind = 'passage', signal: callSignal, onProgress: onTexts, onTruncated } = call;
    const to = await connected();
    const onNote = (note: Note) => {
      if (note.type === 'embed-progress') onTexts?.(note.doneTexts, note.totalTexts);
      if (note.type === 'truncated') onTruncated?.(note.textIndex, note.tokens, note.keptTokens);
    };
    const answer = await to.call({ type: 'embed', texts, kind }, { signal: callSignal, onNote }).catch((error: unknown) => {
      // WebAssembly's memory, and a lost GPU, only come back with the worker's end; the next call starts a new one.
      if (error instanceof DbError && RESTARTED.has(error.details['reason'])) to.end(error);
      throw error;
    });
    assert(answer.type === 'embedded', 'embed is answered by embedded');
    // Views of one buffer: freed together.
    return texts.map((_, i) => answer.vectors.subarray(i * dim, (i + 1) * dim));
  }

  return {
    id,
    dim,
    get device() {
      return device;
    },
    embed,
    async close() {
      closed = true;
      cancelIdle?.();
      const found = await connection.catch(() => undefined);
      found?.end(unavailable('closed', `embedder ${id}: expected open, got closed`));
    },
  };
}

function absolute(model: NonNullable<WorkerEmbedderOptions['model']>, base: string): ModelAddress {
  if (typeof model === 'string' || model instanceof URL) return new URL(model, base).href;
  return Object.fromEntries(Object.entries(model).map(([path, address]) => [path, new URL(address, base).href]));
}

function startWorker(): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'terndb-embed' });
}

function pickModelOptions({ integrity, dim, longTexts, prompts }: ModelOptions): ModelOptions {
  return {
    ...(integrity === undefined ? {} : { integrity }),
    ...(dim === undefined ? {} : { dim }),
    ...(longTexts === undefined ? {} : { longTexts }),
    ...(prompts === undefined ? {} : { prompts }),
  };
}

/** Relative addresses are the page's, or the worker's that asks. */
function baseAddress(): string {
  return (globalThis as { document?: { baseURI: string } }).document?.baseURI ?? globalThis.location.href;
}
