/** Opens saved indexes in a browser's worker; rows for scoring again lie in a file of the origin's private file system. */
import { measureOpened, type OpenedRow } from './small-memory.ts';

export interface SmallMemoryJob {
  readonly dim: number;
  readonly k: number;
  readonly codes: readonly string[];
  readonly truth: readonly (readonly number[])[];
}

/** Only workers have it, and the types here are those of pages. */
interface SyncFile {
  read(target: Float32Array, place: { at: number }): number;
  write(bytes: Uint8Array, place: { at: number }): number;
  flush(): void;
  close(): void;
}

async function storeRows(): Promise<SyncFile> {
  const folder = await navigator.storage.getDirectory();
  const file = (await folder.getFileHandle('rows', { create: true })) as unknown as { createSyncAccessHandle(): Promise<SyncFile> };
  const handle = await file.createSyncAccessHandle();
  const reader = (await fetch('/rows.bin')).body!.getReader();
  for (let at = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    at += handle.write(value, { at });
  }
  handle.flush();
  return handle;
}

async function run({ dim, k, codes, truth }: SmallMemoryJob): Promise<readonly OpenedRow[]> {
  const floats = new Float32Array(await (await fetch('/queries.bin')).arrayBuffer());
  const queries = truth.map((_, at) => floats.slice(at * dim, (at + 1) * dim));
  const rows = await storeRows();
  const fetchRow = (row: number, target: Float32Array): void => {
    rows.read(target, { at: row * dim * 4 });
  };
  const data = { dim, k, queries, truth: truth.map((best) => new Set(best)), fetchRow };
  const measured: OpenedRow[] = [];
  for (const [at, name] of codes.entries()) {
    const bytes = new Uint8Array(await (await fetch(`/index-${at}.bin`)).arrayBuffer());
    measured.push(await measureOpened(name, bytes, '/kernel.wasm', data));
  }
  rows.close();
  return measured;
}

addEventListener('message', ({ data }: MessageEvent<SmallMemoryJob>) => {
  run(data).then(
    (rows) => postMessage({ rows }),
    (error: unknown) => postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
