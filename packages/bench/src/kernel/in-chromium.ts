/** Runs the race in the system's Chromium: the bench's own sources, bundled, in a worker of a page that is isolated (for clocks of 5 µs). */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { build } from 'vite';
import type { ChromiumJob } from './chromium-worker.ts';
import type { DataSet } from './data.ts';
import { HNSWLIB_ADDRESS } from './hnswlib-wasm.ts';

const KERNEL = fileURLToPath(new URL('../../../kernel/dist/kernel.wasm', import.meta.url));
const ENTRY = fileURLToPath(new URL('./chromium-worker.ts', import.meta.url));
const CLIENT = new URL('../../../client/package.json', import.meta.url);
const PAGE = '<!doctype html><meta charset="utf-8"><title>bench</title>';

async function bundle(folder: string): Promise<Buffer> {
  await build({
    configFile: false,
    logLevel: 'warn',
    resolve: { conditions: ['@terndb/source', 'module', 'browser', 'production'] },
    build: {
      outDir: folder,
      emptyOutDir: true,
      lib: { entry: ENTRY, formats: ['es'], fileName: 'worker' },
      rolldownOptions: { output: { entryFileNames: 'worker.js', codeSplitting: false } },
    },
  });
  return readFileSync(join(folder, 'worker.js'));
}

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
  const folder = mkdtempSync(join(tmpdir(), 'tern-bench-'));
  const queries = new Float32Array(data.queries.length * data.dim);
  for (const [at, query] of data.queries.entries()) queries.set(query, at * data.dim);
  try {
    const files: Record<string, readonly [type: string, body: Buffer | string]> = {
      '/': ['text/html', PAGE],
      '/worker.js': ['text/javascript', await bundle(folder)],
      [HNSWLIB_ADDRESS]: ['text/javascript', hnswlibScript()],
      '/kernel.wasm': ['application/wasm', readFileSync(KERNEL)],
      '/stored.bin': ['application/octet-stream', toBytes(data.stored)],
      '/queries.bin': ['application/octet-stream', toBytes(queries)],
    };
    const server = createServer((request, response) => {
      const [type, body] = files[request.url ?? ''] ?? ['text/plain', ''];
      response.setHeader('content-type', type);
      response.setHeader('cross-origin-opener-policy', 'same-origin').setHeader('cross-origin-embedder-policy', 'require-corp').end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const executablePath = process.env['TERNDB_CHROMIUM'] ?? '/usr/bin/chromium';
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const { name, dim, rows } = data;
      const answer = await page.evaluate(
        (asked) =>
          new Promise<{ rows?: ChromiumRow[]; error?: string }>((resolve) => {
            const worker = new Worker('/worker.js', { type: 'module' });
            worker.onmessage = (event) => resolve(event.data);
            worker.onerror = (event) => resolve({ error: event.message });
            worker.postMessage(asked);
          }),
        { name, dim, rows, queries: data.queries.length, ...job } satisfies ChromiumJob,
      );
      if (answer.rows === undefined) throw new Error(answer.error);
      return { browser: `Chromium ${browser.version()}`, rows: answer.rows };
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
    }
  } catch (error) {
    return { browser: 'Chromium', rows: [{ name: 'all in Chromium', missing: String(error).split('\n')[0] }] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
