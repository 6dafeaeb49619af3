/** Runs the race in a worker of the system's Chromium. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ChromiumJob } from './chromium-worker.ts';
import type { DataSet } from './data.ts';
import { HNSWLIB_ADDRESS } from './hnswlib-wasm.ts';
import { runInChromium } from './isolated-worker.ts';

const ENTRY = fileURLToPath(new URL('./chromium-worker.ts', import.meta.url));
const CLIENT = new URL('../../../client/package.json', import.meta.url);

/** The one that the client carries. Empty when it is not installed: its row says so. */
function hnswlibScript(): Buffer | string {
  try {
    return readFileSync(createRequire(CLIENT).resolve('hnswlib-wasm/lib/hnswlib.mjs'));
  } catch {
    return 'throw new Error("hnswlib-wasm is not installed")';
  }
}

function toBytes(floats: Float32Array): Buffer {
  return Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);
}

export type ChromiumRow = Readonly<Record<string, unknown>> & { readonly name: string };

/** Rows of each contender; or one that says why there are none. */
export async function raceInChromium(
  data: DataSet,
  job: Pick<ChromiumJob, 'settings' | 'turns' | 'filteredTurns' | 'filteredQueries'>,
): Promise<{ readonly browser: string; readonly rows: readonly ChromiumRow[] }> {
  const queries = new Float32Array(data.queries.length * data.dim);
  for (const [at, query] of data.queries.entries()) queries.set(query, at * data.dim);
  const { name, dim, rows } = data;
  try {
    return await runInChromium<ChromiumRow>({
      entry: ENTRY,
      files: {
        [HNSWLIB_ADDRESS]: { type: 'text/javascript', body: hnswlibScript() },
        '/stored.bin': { type: 'application/octet-stream', body: toBytes(data.stored) },
        '/queries.bin': { type: 'application/octet-stream', body: toBytes(queries) },
      },
      message: { name, dim, rows, queries: data.queries.length, ...job } satisfies ChromiumJob,
    });
  } catch (error) {
    return { browser: 'Chromium', rows: [{ name: 'all in Chromium', missing: String(error).split('\n')[0] }] };
  }
}
