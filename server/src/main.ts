/**
 * Serves the built demo and prints `ready URL`. Ends on SIGINT and SIGTERM.
 *   PORT   default 5173; 0 for any free one      HOST   default 127.0.0.1
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serveDemo } from './access/serve-demo.ts';

const MAX_PORT = 65_535;
const root = fileURLToPath(new URL('../../web-demo/dist', import.meta.url));

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

function portFrom(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) fail(`PORT: an integer from 0 to ${MAX_PORT} expected, got ${text}`);
  return port;
}

if (!existsSync(root)) fail('The demo is not built: run "npm run build -w @terndb/web-demo", or "npm start", which does.');
const port = portFrom(process.env['PORT']);
const host = process.env['HOST'];
const serving = await serveDemo({ root, ...(port === undefined ? {} : { port }), ...(host === undefined ? {} : { host }) });
console.log(`ready ${serving.url}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void serving.close().then(() => process.exit(0));
  });
}
