import { DbError } from '@terndb/core';
import { textOf, unavailable } from '../errors.ts';
import type { ModelSource, ReadOptions } from './source.ts';

const MISSING = new Set([404, 410]);

/** Where a folder's files are: its address, or each file's own (bundlers give files new names). */
export type ModelAddress = string | Readonly<Record<string, string>>;

/** The address of one file; undefined when the folder has no such file. */
export function addressOf(model: ModelAddress, path: string): URL | undefined {
  if (typeof model !== 'string') return model[path] === undefined ? undefined : new URL(model[path]);
  return new URL(path, model.endsWith('/') ? model : `${model}/`);
}

export function nameOf(model: ModelAddress): string {
  if (typeof model !== 'string') return 'the files of the model';
  return model.endsWith('/') ? model : `${model}/`;
}

/** A model's folder behind an address; same-origin unless the caller names another. */
export function createHttpSource(model: ModelAddress): ModelSource {
  return {
    name: nameOf(model),
    async read(path, options = {}) {
      const url = addressOf(model, path);
      return url && (await readHttp(url, options));
    },
  };
}

/** What a request for a file answered. */
export interface HttpBody {
  /** Of the first byte that follows, when a part was asked for and given; else 0. */
  readonly from: number;
  /** Undefined where the server does not say. */
  readonly totalBytes: number | undefined;
  readonly chunks: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/**
 * Starts a download at `from`; a server without ranges starts at 0. Undefined: there is no such file.
 * @throws EMBEDDER_UNAVAILABLE (`unreachable`), ABORTED; reading the chunks throws the same.
 */
export async function openHttp(url: URL, from: number, signal: AbortSignal | undefined): Promise<HttpBody | undefined> {
  try {
    const headers = from > 0 ? { headers: { range: `bytes=${from}-` } } : {};
    const response = await fetch(url, { ...headers, ...(signal ? { signal } : {}) });
    if (MISSING.has(response.status)) return undefined;
    // Nothing lies behind `from`: what is there already is all, or of another file; whoever checks it will see.
    if (response.status === 416) return { from, totalBytes: from, chunks: chunksOf(null, url, signal) };
    if (!response.ok) throw unavailable('unreachable', `model file ${url.href}: expected status 200, got ${response.status}`);
    const start = response.status === 206 ? from : 0;
    const header = Number(response.headers.get('content-length'));
    // With a content encoding the header counts other bytes than those that arrive.
    const totalBytes = header > 0 && response.headers.get('content-encoding') === null ? start + header : undefined;
    return { from: start, totalBytes, chunks: chunksOf(response.body, url, signal) };
  } catch (error) {
    throw readError(error, url, signal);
  }
}

async function* chunksOf(
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
  url: URL,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (body === null) return;
  try {
    for (const reader = body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw readError(error, url, signal);
  }
}

function readError(error: unknown, url: URL, signal: AbortSignal | undefined): DbError {
  if (error instanceof DbError) return error;
  if (signal?.aborted) return new DbError('ABORTED', `reading ${url.href} was aborted`, { cause: error });
  return unavailable('unreachable', `model file ${url.href} could not be read: ${textOf(error)}`, error);
}

async function readHttp(url: URL, { signal, onProgress }: ReadOptions): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const body = await openHttp(url, 0, signal);
  if (body === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  for await (const chunk of body.chunks) {
    chunks.push(chunk);
    loaded += chunk.length;
    onProgress?.(loaded, body.totalBytes);
  }
  return joinBytes(chunks, loaded);
}

export function joinBytes(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
