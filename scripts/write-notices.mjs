/**
 * Writes `packages/client/THIRD_PARTY_NOTICES.txt`: what the packed client holds of others, with their licences. What it holds is read from the sources: every
 * package that a module of the bundled packages imports, and what that one depends on.
 *   node scripts/write-notices.mjs           writes it
 *   node scripts/write-notices.mjs --check   ends with 1 if it would be another
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root } from './lib/run.mjs';

/** The packages whose sources `scripts/build-packages.mjs` makes the client's bundles of. */
const BUNDLED = ['core', 'kernel', 'engine', 'sync', 'embed', 'client'];
const NOT_BUNDLED = /\.(?:test|test-d|bench)\.ts$|\/testing(?:\/|\.ts$)|\/node(?:-runtime)?\.ts$|\/folder-source\.ts$/;
/** `import … from 'x'`, `export … from 'x'`, `import('x')`; types leave nothing behind. */
const IMPORT = /^(?:import|export)\s+(?!type\b)[^;]*?from '([^'.][^']*)'|import\('([^'.][^']*)'\)/gms;
/** Declarations leave nothing behind. */
const TYPES_ONLY = /^(?:@types\/|undici-types$)/;
const OUT = join(root, 'packages', 'client', 'THIRD_PARTY_NOTICES.txt');

function sourcesOf(name) {
  const folder = join(root, 'packages', name, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file).replaceAll('\\', '/'));
  return files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !NOT_BUNDLED.test(file));
}

const packageOf = (specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Package → its folder; with all that it depends on. */
function collect(name, from, found) {
  if (TYPES_ONLY.test(name)) return;
  const folder = folderOf(name, from);
  if (found.has(folder)) return;
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  found.set(folder, manifest);
  for (const dependency of Object.keys(manifest.dependencies ?? {})) collect(dependency, folder, found);
}

/** As Node looks for it: not every package lets its `package.json` be asked for. */
function folderOf(name, from) {
  const paths = createRequire(join(from, 'package.json')).resolve.paths(name) ?? [];
  const place = paths.map((path) => join(path, name)).find((path) => existsSync(join(path, 'package.json')));
  if (place === undefined) throw new Error(`${name}, imported in ${from}, is not installed`);
  return place;
}

function licenceOf(folder, { license }) {
  const file = readdirSync(folder).find((name) => /^(?:licen[cs]e|copying)/i.test(name));
  return file === undefined
    ? `(The package has no file with the text of its licence, ${license}.)`
    : readFileSync(join(folder, file), 'utf8').replaceAll('\r', '').trim();
}

const found = new Map();
for (const name of BUNDLED) {
  for (const file of sourcesOf(name)) {
    for (const [, imported, loaded] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const specifier = imported ?? loaded;
      if (specifier.startsWith('@terndb/') || specifier.startsWith('node:')) continue;
      collect(packageOf(specifier), dirname(file), found);
    }
  }
}
const sections = [...found]
  .map(([folder, manifest]) => ({ title: `${manifest.name} ${manifest.version} (${manifest.license})`, text: licenceOf(folder, manifest) }))
  .sort((a, b) => (a.title < b.title ? -1 : 1));
const version = sections.find(({ title }) => title.startsWith('onnxruntime-web '))?.title.split(' ')[1];
const unicode = readFileSync(join(root, 'scripts', 'data', 'unicode-license.txt'), 'utf8').trim();
const model = readFileSync(join(root, 'packages', 'model-mini', 'LICENSE'), 'utf8').trim();
const rule = '='.repeat(80);
const text = [
  'The packed @terndb/client holds code and data of others. Written by scripts/write-notices.mjs.',
  `onnxruntime's WebAssembly holds libraries of its own: https://github.com/microsoft/onnxruntime/blob/v${version}/ThirdPartyNotices.txt`,
  ...[
    ...sections,
    { title: 'Unicode Character Database 15.1.0: word boundaries', text: unicode },
    { title: '@terndb/model-mini: weights trained from WordNet', text: model },
  ].map((section) => `${rule}\n${section.title}\n${rule}\n\n${section.text}`),
].join('\n\n');

if (!process.argv.includes('--check')) writeFileSync(OUT, `${text}\n`);
else if (!existsSync(OUT) || readFileSync(OUT, 'utf8') !== `${text}\n`) {
  console.error('packages/client/THIRD_PARTY_NOTICES.txt does not name what is bundled now: node scripts/write-notices.mjs');
  process.exitCode = 1;
}
