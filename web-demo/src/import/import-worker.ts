/** Reads files away from the page. One file per worker; see protocol.ts. */
import { inBatches } from './batches.ts';
import { parseFile } from './parse-file.ts';
import type { Batch, ImportAnswer, ImportRequest } from './protocol.ts';

/** Browsers hand out a file in pieces of up to megabytes; progress is told in smaller ones. */
const SLICE_BYTES = 65_536;

let batches: AsyncGenerator<Batch, void, undefined> | undefined;

function open(file: File): AsyncGenerator<Batch, void, undefined> {
  let doneBytes = 0;
  async function* read(): AsyncGenerator<Uint8Array> {
    const reader = file.stream().getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (let at = 0; at < value.byteLength; at += SLICE_BYTES) {
        const slice = value.subarray(at, at + SLICE_BYTES);
        doneBytes += slice.byteLength;
        yield slice;
      }
    }
  }
  return inBatches(parseFile(read(), { fileName: file.name }), () => doneBytes);
}

async function answer(request: ImportRequest): Promise<ImportAnswer> {
  try {
    if (request.type === 'start') batches = open(request.file);
    const next = await batches?.next();
    return next === undefined || next.done === true ? { type: 'end' } : { type: 'batch', batch: next.value };
  } catch (error) {
    return { type: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

self.addEventListener('message', (event: MessageEvent<ImportRequest>) => {
  void answer(event.data).then((message) => self.postMessage(message));
});
