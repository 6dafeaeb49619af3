import type { DbError } from '@terndb/core';
import type { TransferOptions } from '../api/database.ts';
import type { WorkerConnection } from '../worker/connection.ts';

/** A chunk of its own, loaded by the first export: it imports nothing at run time. */
export async function exportDatabase(
  connection: WorkerConnection,
  Errors: typeof DbError,
  { collections, to, onProgress, signal }: TransferOptions & { collections?: readonly string[]; to?: WritableStream<Uint8Array> },
): Promise<Blob | undefined> {
  const pages: Uint8Array<ArrayBuffer>[] = [];
  const writer = to?.getWriter();
  let exportId: string | undefined;
  let doneBytes = 0;
  try {
    ({ exportId } = await connection.call('exportOpen', { collections }, { signal }));
    for (let done = false; !done; ) {
      const page = await connection.call('exportPage', { exportId }, { signal });
      done = page.done;
      doneBytes += page.bytes.byteLength;
      if (writer === undefined) pages.push(page.bytes);
      else await writer.write(page.bytes);
      onProgress?.({ phase: 'export', doneBytes, totalBytes: null });
    }
    await writer?.close();
    return writer === undefined ? new Blob(pages, { type: 'application/x-ndjson' }) : undefined;
  } catch (thrown) {
    const error = Errors.from(thrown);
    await writer?.abort(error).catch(() => {});
    throw error;
  } finally {
    if (exportId !== undefined) connection.call('exportClose', { exportId }).catch(() => {});
  }
}
