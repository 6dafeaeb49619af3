/** Reads files away from the page. One file per worker; see protocol.ts. */
import { inBatches } from './batches.ts';
import { parseFile } from './parse-file.ts';
import type { Batch, ImportAnswer, ImportRequest } from './protocol.ts';

let batches: AsyncGenerator<Batch, void, undefined> | undefined;

function open(file: File): AsyncGenerator<Batch, void, undefined> {
  let doneBytes = 0;
  async function* read(): AsyncGenerator<Uint8Array> {
    const reader = file.stream().getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      doneBytes += value.byteLength;
      yield value;
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
