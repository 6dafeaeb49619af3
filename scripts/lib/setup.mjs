/**
 * What a bare machine is missing, step by step: npm packages (with the pinned Node among them), a browser, the built kernel.
 * Says what it does; does nothing that is done already.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { root, run } from './run.mjs';

const MIN_NODE_LINUX = [20, 0];
const MIN_NODE_ELSEWHERE = [22, 19];

export class SetupError extends Error {}

export function checkNode() {
  const pinned = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = pinned ? MIN_NODE_LINUX : MIN_NODE_ELSEWHERE;
  if (major < needMajor || (major === needMajor && minor < needMinor)) {
    throw new SetupError(`Node ${needMajor}.${needMinor} or newer is needed here, this is ${process.versions.node}.`);
  }
}

/** `npm ci`, once per lock file. */
export async function installPackages() {
  const stamp = join(root, 'node_modules', '.terndb-lock');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log('Installing npm packages (npm ci) …');
  const { code, output } = await run('npm', ['ci', '--no-audit', '--no-fund'], { quiet: true });
  if (code !== 0) throw new SetupError(`npm ci failed:\n${output}`);
  writeFileSync(stamp, wanted);
}

const findOnPath = (names) => {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    for (const name of names) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch {
        // Not here: look in the next folder.
      }
    }
  }
  return undefined;
};

let updated = false;
/** Installs Debian packages when this is Debian and we may; otherwise says the one command to run. */
async function installDebian(packages) {
  const isRoot = process.getuid?.() === 0;
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const sudo = !isRoot && findOnPath(['sudo']) !== undefined && (await run('sudo', ['-n', 'true'], { quiet: true })).code === 0;
  if (findOnPath(['apt-get']) === undefined || (!isRoot && !sudo)) {
    throw new SetupError(`Missing on this machine: ${packages.join(', ')}. Please run: sudo ${command}`);
  }
  const apt = (args) =>
    run(sudo ? 'sudo' : 'apt-get', sudo ? ['-n', 'apt-get', ...args] : args, { quiet: true, env: { DEBIAN_FRONTEND: 'noninteractive' } });
  console.log(`Installing Debian packages: ${packages.join(', ')} …`);
  if (!updated) {
    updated = true;
    await apt(['update']);
  }
  const { code, output } = await apt(command.split(' ').slice(1));
  if (code !== 0) throw new SetupError(`${command} failed:\n${output.slice(-2000)}`);
}

/** A Chromium to test with. @returns its path. */
export async function ensureChromium() {
  const find = () => process.env.TERNDB_CHROMIUM ?? findOnPath(['chromium', 'chromium-browser', 'google-chrome']);
  if (find() === undefined) await installDebian(['chromium']);
  const path = find();
  if (path === undefined) throw new SetupError('Chromium was installed but is not on the path: set TERNDB_CHROMIUM.');
  return path;
}

/** A second browser engine. @returns its path. */
export async function ensureFirefox() {
  const find = () => process.env.TERNDB_FIREFOX ?? findOnPath(['firefox-esr', 'firefox']);
  if (find() === undefined) await installDebian(['firefox-esr']);
  const path = find();
  if (path === undefined) throw new SetupError('Firefox was installed but is not on the path: set TERNDB_FIREFOX.');
  return path;
}

const CEPH_PACKAGES = ['ceph-mon', 'ceph-osd', 'ceph-mgr', 'ceph-common', 'radosgw'];
const CEPH_COMMANDS = ['ceph-mon', 'ceph-osd', 'ceph-mgr', 'ceph', 'ceph-authtool', 'monmaptool', 'radosgw', 'radosgw-admin'];

/** Ceph with its S3 gateway. Nothing of it is started or enabled here. */
export async function ensureCeph() {
  const missing = () => CEPH_COMMANDS.filter((name) => findOnPath([name]) === undefined);
  if (missing().length > 0) await installDebian(CEPH_PACKAGES);
  if (missing().length > 0) throw new SetupError(`Ceph was installed but these are not on the path: ${missing().join(', ')}.`);
}

/** Newest change below a folder, milliseconds; 0 when it does not exist. */
export async function newestChange(...folders) {
  let newest = 0;
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    if (statSync(folder).isFile()) {
      newest = Math.max(newest, statSync(folder).mtimeMs);
      continue;
    }
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
    }
  }
  return newest;
}

/** Runs a build step unless its output is newer than its inputs. */
export async function buildWhenOld({ what, output, inputs, command }) {
  const outputFile = join(root, output);
  if (existsSync(outputFile) && statSync(outputFile).mtimeMs >= (await newestChange(...inputs.map((path) => join(root, path))))) return;
  console.log(`Building ${what} …`);
  const result = await run(command[0], command.slice(1), { quiet: true });
  if (result.code !== 0) throw new SetupError(`Building ${what} failed:\n${result.output}`);
}

export const buildKernel = () =>
  buildWhenOld({
    what: 'the kernel',
    output: 'packages/kernel/dist/kernel.wasm',
    inputs: ['packages/kernel/assembly', 'packages/kernel/scripts', 'packages/kernel/package.json'],
    command: ['npm', 'run', 'build', '-w', '@terndb/kernel'],
  });

export const buildDemo = () =>
  buildWhenOld({
    what: 'the demo',
    output: 'web-demo/dist/index.html',
    inputs: [
      'web-demo/src',
      'web-demo/public',
      'web-demo/index.html',
      'web-demo/vite.config.ts',
      'packages/core/src',
      'packages/engine/src',
      'packages/kernel/src',
      'packages/kernel/dist/kernel.wasm',
      'packages/client/src',
      'packages/embed/src',
      'packages/model-mini/model',
      'packages/react/src',
      'packages/sync/src',
      'package-lock.json',
    ],
    command: ['npm', 'run', 'build', '-w', '@terndb/web-demo'],
  });
