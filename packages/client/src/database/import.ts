import type { DbError } from '@terndb/core';
import type { ImportOptions as Options } from '../api/database.ts';
import type { WorkerConnection } from '../worker/connection.ts';

export interface ImportOptions extends Options {
  readonly source: Blob | ReadableStream<Uint8Array>;
}

/**
 * Hands the bytes to the worker, which writes everything at the end or nothing. One piece is under way at a time. A chunk of its own, loaded by the
 * first import: it imports nothing at run time.
 */
export async function importDatabase(
  connection: WorkerConnection,
  Errors: typeof DbError,
  { source, hnswlib, onProgress, signal }: ImportOptions,
): Promise<{ readonly entities: number }> {
  if (!(source instanceof Blob || source instanceof ReadableStream)) {
    throw new Errors('OPTION_INVALID', `import: a Blob or a ReadableStream expected, got ${typeof source}`);
  }
  const totalBytes = source instanceof Blob ? source.size : null;
  if (hnswlib !== undefined) {
    try {
      const bytes = new Uint8Array(await new Response(source).arrayBuffer());
      onProgress?.({ phase: 'read', doneBytes: bytes.length, totalBytes: bytes.length });
      return await connection.call('importHnswlib', { ...hnswlib, bytes }, { signal });
    } catch (thrown) {
      throw Errors.from(thrown);
    }
  }
  const reader = (source instanceof Blob ? source.stream() : source).getReader();
  const { importId } = await connection.call('importOpen', undefined, { signal });
  try {
    let doneBytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      await connection.call('importPush', { importId, bytes: value }, { signal });
      doneBytes += value.byteLength;
      onProgress?.({ phase: 'read', doneBytes, totalBytes });
    }
    // The last moment to stop: what follows is written as a whole, and the caller is told so.
    return await connection.call('importCommit', { importId }, signal?.aborted ? { signal } : {});
  } catch (thrown) {
    connection.call('importClose', { importId }).catch(() => {});
    await reader.cancel(thrown).catch(() => {});
    throw Errors.from(thrown);
  }
}
