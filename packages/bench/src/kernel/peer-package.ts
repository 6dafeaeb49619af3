/** The nested package `peers/`: installed here and not by the repository's own install, with a lock file of its own. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../peers', import.meta.url));
const INSTALL_TIMEOUT_MS = 600_000;
const COMPILE_TIMEOUT_MS = 300_000;

const fromPeers = createRequire(join(FOLDER, 'package.json'));

/** Undefined, or why it cannot be had. */
export function installPeers(): string | undefined {
  const { dependencies } = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  if (Object.keys(dependencies).every((name) => existsSync(join(FOLDER, 'node_modules', name)))) return undefined;
  try {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--workspaces=false'], {
      cwd: FOLDER,
      timeout: INSTALL_TIMEOUT_MS,
      stdio: 'pipe',
    });
    return undefined;
  } catch (error) {
    return whyNot(error);
  }
}

/** The first line of what went wrong. */
export function whyNot(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? 'unknown') : String(error);
}

export const requirePeer = (name: string): any => fromPeers(name);

export const importPeer = (name: string): Promise<any> => import(pathToFileURL(fromPeers.resolve(name)).href);

export const peerFile = (path: string): string => join(FOLDER, 'node_modules', path);

/** hnswlib-node's own source, compiled for this processor: `g++ -O3 -march=native`. Throws where there is no compiler. */
export function requireNativeHnswlib(): any {
  const file = join(FOLDER, 'dist', `hnswlib-${process.version}.node`);
  if (!existsSync(file)) {
    mkdirSync(join(FOLDER, 'dist'), { recursive: true });
    const include = ['node-addon-api', 'node-api-headers/include', 'hnswlib-node/src'].map((path) => `-I${peerFile(path)}`);
    const flags = ['-O3', '-march=native', '-std=c++17', '-shared', '-fPIC', '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DBUILDING_NODE_EXTENSION'];
    execFileSync(process.env['CXX'] ?? 'g++', [...flags, ...include, peerFile('hnswlib-node/src/addon.cc'), '-o', file], {
      timeout: COMPILE_TIMEOUT_MS,
      stdio: 'pipe',
    });
  }
  return fromPeers(file);
}
