/**
 * Installs the quick start as a user would get it: packs the client and what it needs (built before: `npm run build`), copies both apps to a
 * folder outside the workspaces, installs the tarballs there and builds the Vite app.
 *   node examples/quickstart/install.mjs <folder>
 */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const PACKAGES = ['core', 'kernel', 'engine', 'sync', 'model-mini', 'embed', 'client'];

const folder = resolve(process.argv[2] ?? fail('a folder to install into is needed'));
for (const name of PACKAGES) {
  const built = name === 'client' ? 'dist/worker.js' : 'dist/index.js';
  if (!existsSync(join(root, 'packages', name, built))) fail(`packages/${name} is not built: npm run build`);
}
const tarballs = join(folder, 'tarballs');
rmSync(folder, { recursive: true, force: true });
mkdirSync(tarballs, { recursive: true });
const packed = PACKAGES.map((name) => {
  const out = execFileSync('npm', ['pack', '--json', '--pack-destination', tarballs], {
    cwd: join(root, 'packages', name),
    encoding: 'utf8',
  });
  return { name: `@terndb/${name}`, file: join(tarballs, JSON.parse(out)[0].filename) };
});
for (const app of ['plain-page', 'vite-app']) {
  const target = join(folder, app);
  cpSync(join(here, app), target, { recursive: true, filter: (path) => !/node_modules|dist$/.test(path) });
  const file = join(target, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  for (const { name, file: tarball } of packed) manifest.dependencies[name] = `file:${tarball}`;
  writeFileSync(file, JSON.stringify(manifest, null, 2));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: target, stdio: 'inherit' });
}
execFileSync('npm', ['run', 'build'], { cwd: join(folder, 'vite-app'), stdio: 'inherit' });
console.log(`installed in ${folder}`);

function fail(message) {
  console.error(message);
  process.exit(1);
}
