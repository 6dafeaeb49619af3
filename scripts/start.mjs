/**
 * `npm start`: installs what is missing, builds the demo and serves it at one printed URL. Ctrl-C stops it.
 *   PORT   where to listen (default 5173; the next free one when it is taken)
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pinnedNode, root, stepEnv } from './lib/run.mjs';
import { buildDemo, buildKernel, checkNode, installPackages, SetupError } from './lib/setup.mjs';

try {
  checkNode();
  await installPackages();
  await buildKernel();
  await buildDemo();
} catch (error) {
  console.error(error instanceof SetupError ? error.message : error);
  process.exit(1);
}
const server = spawn(pinnedNode(), ['--conditions=@terndb/source', join(root, 'server', 'src', 'main.ts')], {
  cwd: root,
  env: stepEnv(),
  stdio: ['ignore', 'inherit', 'inherit'],
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal));
server.on('close', (code) => process.exit(code ?? 0));
