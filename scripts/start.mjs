/**
 * `npm start`: installs what is missing, builds the demo, and runs the server with the demo at one printed URL. Ctrl-C stops it.
 *   PORT   where to listen (default 5173; the next free one when it is taken; 0: any free one)
 *   HOST   default 127.0.0.1
 * Data is kept in `.tern-data`. Every visitor of the page gets a token, which is why it is served to this machine only.
 */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { root } from './lib/run.mjs';
import { runServer } from './lib/server.mjs';
import { buildDemo, buildKernel, checkNode, installPackages, SetupError } from './lib/setup.mjs';

const DEFAULT_PORT = 5173;
/** Beyond this many neighbours in use something else is wrong. */
const MAX_PORTS_TRIED = 50;

const isFree = (port, host) =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host }, () => probe.close(() => resolve(true)));
  });

async function freePort(host) {
  const wanted = Number(process.env.PORT || DEFAULT_PORT);
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535)
    throw new SetupError(`PORT: an integer from 0 to 65535 expected, got ${process.env.PORT}`);
  if (wanted === 0) return 0;
  for (let port = wanted; port < wanted + MAX_PORTS_TRIED && port <= 65_535; port++) if (await isFree(port, host)) return port;
  throw new SetupError(`No free port from ${wanted} to ${wanted + MAX_PORTS_TRIED - 1}.`);
}

try {
  checkNode();
  await installPackages();
  await buildKernel();
  await buildDemo();
  const host = process.env.HOST || '127.0.0.1';
  const port = await freePort(host);
  const data = process.env.TERNDB_DATA || join(root, '.tern-data');
  const issue = process.env.TERNDB_ISSUE_TOKENS || 'loopback';
  const flags = ['--host', host, '--port', `${port}`, '--data', data, '--demo', join(root, 'web-demo', 'dist'), '--issue-tokens', issue];
  process.exitCode = await runServer(['serve', ...flags, '--log-level', process.env.TERNDB_LOG_LEVEL || 'warn']);
} catch (error) {
  console.error(error instanceof SetupError ? error.message : error);
  process.exitCode = 1;
}
