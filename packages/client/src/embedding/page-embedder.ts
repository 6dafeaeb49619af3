import { DbError } from '@terndb/core';
import { type Embedder, unavailable } from '@terndb/embed';
import type { EmbedAnswer, EmbedderConfig, EmbedRequest } from './protocol.ts';

interface Waiting {
  readonly resolve: (vectors: readonly Float32Array[]) => void;
  readonly reject: (error: DbError) => void;
}

/** The page's own function, called over a port. It may take as long as it likes; an aborted call is forgotten. */
export function createPageEmbedder({ id, dim }: Extract<EmbedderConfig, { type: 'page' }>, port: MessagePort): Embedder {
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  port.onmessage = ({ data }: MessageEvent<EmbedAnswer>) => {
    const call = waiting.get(data.call);
    waiting.delete(data.call);
    if ('error' in data)
      call?.reject(unavailable('function-failed', `embedder ${id}: ${data.error.message}`, DbError.fromMessage(data.error)));
    else call?.resolve(data.vectors);
  };
  return {
    id,
    dim,
    async embed(texts, { signal } = {}) {
      if (signal?.aborted) throw aborted(id);
      if (texts.length === 0) return [];
      const call = ++calls;
      let onAbort = (): void => {};
      try {
        const vectors = await new Promise<readonly Float32Array[]>((resolve, reject) => {
          onAbort = () => reject(aborted(id));
          signal?.addEventListener('abort', onAbort, { once: true });
          waiting.set(call, { resolve, reject });
          port.postMessage({ call, texts } satisfies EmbedRequest);
        });
        if (vectors.length === texts.length && vectors.every((vector) => vector.length === dim)) return [...vectors];
        throw unavailable('function-failed', `embedder ${id}: ${texts.length} vectors of dim ${dim} expected, got ${describe(vectors)}`);
      } finally {
        waiting.delete(call);
        signal?.removeEventListener('abort', onAbort);
      }
    },
    async close() {
      port.close();
      for (const { reject } of waiting.values()) reject(unavailable('closed', `embedder ${id}: closed`));
    },
  };
}

function describe(vectors: readonly Float32Array[]): string {
  const dims = new Set(vectors.map((vector) => vector.length));
  return `${vectors.length} of dim ${[...dims].join(', ')}`;
}

function aborted(id: string): DbError {
  return new DbError('ABORTED', `embedder ${id}: aborted`);
}
