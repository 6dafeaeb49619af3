/**
 * Child processes for the set-up and test scripts: no dependency, because they run before `npm ci` has.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's top folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The Node that npm pinned; where npm has none for this machine, the one that runs this script. */
export function pinnedNode() {
  const path = join(root, 'node_modules', '.bin', 'node');
  return existsSync(path) ? path : process.execPath;
}

/** The environment of every step: the Node that npm pinned comes first on the path. */
export function stepEnv(extra = {}) {
  return {
    ...process.env,
    PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`,
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1',
    FORCE_COLOR: '0',
    NO_COLOR: '1',
    ...extra,
  };
}

/**
 * Runs a command to its end.
 * @returns exit code and everything it printed; printed live too unless `quiet`.
 */
export function run(command, args, { cwd = root, env = {}, quiet = false, timeoutMs = 0 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: stepEnv(env), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk) => {
      output += chunk;
      if (!quiet) process.stdout.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    const timer =
      timeoutMs > 0
        ? setTimeout(() => {
            take(`\n${command}: stopped after ${timeoutMs / 1000} s\n`);
            child.kill('SIGKILL');
          }, timeoutMs)
        : undefined;
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: `${output}${error.message}\n` });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, output });
    });
  });
}
