import { DbError } from '@terndb/core';
import { textOf, unavailable } from '../errors.ts';
import type { ModelSource, ReadOptions } from './source.ts';

const MISSING = new Set([404, 410]);

/** A model's folder behind an address; same-origin unless the caller names another. */
export function createHttpSource(folder: URL): ModelSource {
  const base = folder.href.endsWith('/') ? folder.href : `${folder.href}/`;
  return {
    name: base,
    async read(path, options = {}) {
      const url = new URL(path, base);
      try {
        const response = await fetch(url, options.signal ? { signal: options.signal } : {});
        if (MISSING.has(response.status)) return undefined;
        if (!response.ok) throw unavailable('unreachable', `model file ${url.href}: expected status 200, got ${response.status}`);
        return await readBody(response, options);
      } catch (error) {
        if (error instanceof DbError) throw error;
        if (options.signal?.aborted) throw new DbError('ABORTED', `reading ${url.href} was aborted`, { cause: error });
        throw unavailable('unreachable', `model file ${url.href} could not be read: ${textOf(error)}`, error);
      }
    },
  };
}

async function readBody(response: Response, { onProgress }: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
  const header = Number(response.headers.get('content-length'));
  // With a content encoding the header counts other bytes than those that arrive.
  const total = header > 0 && response.headers.get('content-encoding') === null ? header : undefined;
  if (response.body === null) return new Uint8Array(await response.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    onProgress?.(loaded, total);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
