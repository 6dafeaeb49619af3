import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pinnedNode, root, stepEnv } from './run.mjs';

/** npm's shell ends on SIGTERM without telling its child: then nobody is left to end the server. */
const ORPHAN_CHECK_MS = 250;

/** Runs `terndb` with these arguments in the caller's folder until it ends. Ctrl-C and SIGTERM are its own to handle. @returns its exit code. */
export function runServer(args, env = {}) {
  const child = spawn(pinnedNode(), ['--conditions=@terndb/source', join(root, 'server', 'src', 'main.ts'), ...args], {
    env: stepEnv(env),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, ORPHAN_CHECK_MS);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearInterval(watch);
      resolve(code ?? 1);
    });
  });
}
