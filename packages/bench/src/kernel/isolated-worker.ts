/** A worker of a page in the system's Chromium: the bench's own sources, bundled; the page is isolated (for clocks of 5 µs). */
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { build } from 'vite';

export const KERNEL: string = fileURLToPath(new URL('../../../kernel/dist/kernel.wasm', import.meta.url));
const PAGE = '<!doctype html><meta charset="utf-8"><title>bench</title>';

/** By address: bytes, or where they lie. */
export type Served = Readonly<
  Record<string, { readonly type: string; readonly body: Buffer | string } | { readonly type: string; readonly path: string }>
>;

export interface WorkerRun {
  /** Source of the worker: gets `message`, answers `{ rows }` or `{ error }` once. */
  readonly entry: string;
  readonly files: Served;
  readonly message: object;
}

async function bundle(entry: string, folder: string): Promise<Buffer> {
  await build({
    configFile: false,
    logLevel: 'warn',
    resolve: { conditions: ['@terndb/source', 'module', 'browser', 'production'] },
    build: {
      outDir: folder,
      emptyOutDir: true,
      lib: { entry, formats: ['es'], fileName: 'worker' },
      rolldownOptions: { output: { entryFileNames: 'worker.js', codeSplitting: false } },
    },
  });
  return readFileSync(join(folder, 'worker.js'));
}

async function serve(files: Served): Promise<Server> {
  const server = createServer((request, response) => {
    const file = files[request.url ?? ''] ?? { type: 'text/plain', body: '' };
    response.setHeader('content-type', file.type);
    response.setHeader('cross-origin-opener-policy', 'same-origin').setHeader('cross-origin-embedder-policy', 'require-corp');
    if ('body' in file) response.end(file.body);
    else createReadStream(file.path).pipe(response.setHeader('content-length', statSync(file.path).size));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Rows of the worker's answer. The profile lies on disk: files of a browser without one are slow. */
export async function runInChromium<Row>(run: WorkerRun): Promise<{ readonly browser: string; readonly rows: readonly Row[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'tern-bench-'));
  try {
    const script = await bundle(run.entry, join(folder, 'bundle'));
    const server = await serve({
      '/': { type: 'text/html', body: PAGE },
      '/worker.js': { type: 'text/javascript', body: script },
      '/kernel.wasm': { type: 'application/wasm', path: KERNEL },
      ...run.files,
    });
    const executablePath = process.env['TERNDB_CHROMIUM'] ?? '/usr/bin/chromium';
    const context = await chromium.launchPersistentContext(join(folder, 'profile'), { executablePath, args: ['--no-sandbox'] });
    try {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const answer = await page.evaluate(
        (asked) =>
          new Promise<{ rows?: unknown[]; error?: string }>((resolve) => {
            const worker = new Worker('/worker.js', { type: 'module' });
            worker.onmessage = (event) => resolve(event.data);
            worker.onerror = (event) => resolve({ error: event.message });
            worker.postMessage(asked);
          }),
        run.message,
      );
      if (answer.rows === undefined) throw new Error(answer.error);
      return { browser: `Chromium ${context.browser()?.version() ?? ''}`.trim(), rows: answer.rows as Row[] };
    } finally {
      await context.close();
      server.closeAllConnections();
      server.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
