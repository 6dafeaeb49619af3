import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pinnedNode, root, stepEnv } from './run.mjs';

/** npm's shell ends on SIGTERM without telling its child: then nobody is left to end the server. */
const ORPHAN_CHECK_MS = 250;

/**
 * What a server's Node is told; it can be said at the start of a process only. The same in Dockerfile and deploy/terndb.service.
 *
 * Node's own bound of the young generation lets it grow to 128 MiB of garbage while thousands of sockets come and tick; with this it ends at 32 to 48.
 *
 * V8 13.6 can end the process (`Check failed: jit_page.has_value()`, or a segmentation fault) when a thread replaces the wrapper of a call from
 * WebAssembly to JavaScript while other threads come and go (nodejs/node#64500). It replaces one after a thousand calls, which only Node's own
 * type stripping makes here: with this budget never.
 */
export const SERVER_NODE_FLAGS = ['--max-semi-space-size=16', '--wasm-wrapper-tiering-budget=2147483647'];

/** Runs `terndb` with these arguments in the caller's folder until it ends. Ctrl-C and SIGTERM are its own to handle. @returns its exit code. */
export function runServer(args, env = {}) {
  const child = spawn(
    pinnedNode(),
    [...SERVER_NODE_FLAGS, '--conditions=@terndb/source', join(root, 'server', 'src', 'main.ts'), ...args],
    {
      env: stepEnv(env),
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
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
