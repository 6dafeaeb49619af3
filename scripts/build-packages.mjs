/**
 * Builds what the packed packages contain: `dist/` of the packages in NEEDS.
 *   npm run build              all of them
 *   npm run build -- client    one, and what it needs
 * All but the client become the compiler's output, module by module. The client becomes bundles, so that a plain page can load it without a bundler:
 * `index.js` for pages, with chunks that it loads when they are needed, `worker.js` for the engine worker and `embed-worker.js` for the embed worker;
 * `yjs.js` is the entry for collab fields. Beside them lie the files of PARTS, which the worker loads when it needs them, the kernel, onnxruntime's WebAssembly and the model that ships
 * with Tern.
 */
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { build } from 'vite';
import { root } from './lib/run.mjs';
import { buildKernel, SetupError } from './lib/setup.mjs';

const NEEDS = {
  core: [],
  kernel: [],
  engine: ['core', 'kernel'],
  sync: ['core'],
  'model-mini': [],
  embed: ['core', 'model-mini'],
  client: ['core', 'kernel', 'engine', 'sync', 'model-mini', 'embed'],
  react: ['core', 'kernel', 'engine', 'sync', 'model-mini', 'embed', 'client'],
};
/** Files of the model that ships with Tern, as `packages/embed/src/default-assets.ts` names them. */
const MODEL_FILES = [
  'manifest.json',
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'modules.json',
  '1_Pooling/config.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
  'model.onnx',
];
/**
 * Parts of the workers that not every database needs: whole files, each with a copy of what it uses of the rest, loaded by their address.
 * Bundlers of users take them for assets; real chunks would not do, as the usual format of workers there (one script) has none.
 */
const PARTS = [
  { name: 'replication', entry: 'src/sync/replication.ts', imported: './sync/replication.ts' },
  { name: 'collab', entry: '../engine/src/collab/yjs-documents.ts', imported: './yjs-documents.ts' },
  { name: 'hnswlib', entry: 'src/hnswlib/hnswlib-library.ts', imported: './hnswlib/hnswlib-library.ts' },
  { name: 'lists', entry: '../engine/src/indexes/kernel-lists.ts', imported: './kernel-lists.ts' },
  { name: 'scalar', entry: '../engine/src/indexes/scalar/scalar-index.ts', imported: './scalar/scalar-index.ts' },
  { name: 'aggregates', entry: '../engine/src/read/aggregate/aggregates.ts', imported: './aggregates.ts' },
  { name: 'stemmers', entry: '../core/src/text/more-stemmers.ts', imported: './more-stemmers.ts' },
  { name: 'probes', entry: '../engine/src/read/probes/probes.ts', imported: './probes.ts' },
  { name: 'transfer', entry: 'src/transfer/transfers.ts', imported: './transfer/transfers.ts' },
  { name: 'webgpu', entry: '../embed/src/run/webgpu-library.ts', imported: './webgpu-library.ts' },
];
const RUNTIME_ADDRESS = /new URL\('(?:\.\.\/){3}node_modules\/onnxruntime-web\/dist\/ort-wasm-simd-threaded\.wasm', import\.meta\.url\)/;
/** Not for users: tests, benches and the helpers of both. */
const PRIVATE = /\.(test|test-d|bench)\.tsx?$|\/testing(\/|\.ts$)/;

const asked = process.argv.slice(2);
const wanted = Object.keys(NEEDS).filter((name) => asked.length === 0 || asked.some((one) => one === name || NEEDS[one]?.includes(name)));

try {
  const unknown = asked.filter((name) => NEEDS[name] === undefined);
  if (unknown.length > 0) throw new SetupError(`no package named ${unknown.join(', ')}; there are: ${Object.keys(NEEDS).join(', ')}`);
  for (const name of wanted) {
    if (!existsSync(join(root, 'packages', name, 'src', 'index.ts'))) throw new SetupError(`packages/${name} has no src/index.ts`);
    if (name !== 'kernel') rmSync(join(root, 'packages', name, 'dist'), { recursive: true, force: true });
    compile(name, { declarationsOnly: name === 'client' });
    if (name === 'kernel') await buildKernel();
    if (name === 'embed') placeEmbedAssets();
    if (name === 'client') await bundleClient();
    console.log(`built packages/${name}/dist`);
  }
} catch (error) {
  console.error(error instanceof SetupError ? error.message : error);
  process.exitCode = 1;
}

/** JavaScript and declarations next to each other, one file per source file. Other packages are seen as their users see them: built. */
function compile(name, { declarationsOnly }) {
  const folder = join(root, 'packages', name);
  const overrides = {
    noEmit: false,
    emitDeclarationOnly: declarationsOnly,
    outDir: join(folder, 'dist'),
    rootDir: join(folder, 'src'),
    customConditions: [],
    allowImportingTsExtensions: !declarationsOnly ? undefined : true,
    rewriteRelativeImportExtensions: true,
    stripInternal: true,
  };
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (diagnostic) => fail(name, [diagnostic]) };
  const config = ts.getParsedCommandLineOfConfigFile(join(folder, 'tsconfig.json'), overrides, host);
  const files = config.fileNames.filter((file) => !PRIVATE.test(relative(folder, file)));
  const program = ts.createProgram(files, config.options);
  const emitted = program.emit();
  const diagnostics = [...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics].filter(
    ({ category }) => category === ts.DiagnosticCategory.Error,
  );
  if (diagnostics.length > 0) fail(name, diagnostics);
}

function fail(name, diagnostics) {
  const formatHost = { getCanonicalFileName: (file) => file, getCurrentDirectory: () => root, getNewLine: () => '\n' };
  throw new SetupError(`packages/${name} does not compile:\n${ts.formatDiagnostics(diagnostics, formatHost)}`);
}

/**
 * The worker's and the kernel's addresses must stay literal expressions in the built files, because bundlers of users look for them. Vite would
 * resolve and inline them here, so they are taken out before it sees them and put back, pointing to the built files, after minifying.
 */
function keepAddresses() {
  const addresses = [
    {
      source: /new Worker\(new URL\('\.\/engine-worker\.ts', import\.meta\.url\), \{ type: 'module' \}\)/,
      mark: '__TERNDB_NEW_WORKER__()',
      built: `new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })`,
    },
    {
      source: /new URL\('\.\.\/dist\/kernel\.wasm', import\.meta\.url\)/,
      mark: '__TERNDB_KERNEL_URL__()',
      built: `new URL('./kernel.wasm', import.meta.url)`,
    },
    {
      source: /new Worker\(new URL\('\.\/worker\.ts', import\.meta\.url\), \{ type: 'module', name: 'terndb-embed' \}\)/,
      mark: '__TERNDB_NEW_EMBED_WORKER__()',
      built: `new Worker(new URL('./embed-worker.js', import.meta.url), { type: 'module', name: 'terndb-embed' })`,
    },
    {
      source: RUNTIME_ADDRESS,
      mark: '__TERNDB_RUNTIME_URL__()',
      built: `new URL('./ort-wasm-simd-threaded.wasm', import.meta.url)`,
    },
    // onnxruntime's own guess at where it lies: it is always told.
    {
      source: /new URL\("ort-wasm-simd-threaded(?:\.asyncify)?\.wasm",import\.meta\.url\)/g,
      mark: '__TERNDB_NO_URL__()',
      built: 'new URL("about:blank")',
    },
    ...PARTS.map(({ name, imported }) => ({
      source: new RegExp(`import\\('${imported.replaceAll('.', '\\.')}'\\)`),
      mark: `__TERNDB_PART_${name}__()`,
      built: `(url=>import(/* @vite-ignore */ /* webpackIgnore: true */ url))(new URL('./chunks/${name}.js', import.meta.url).href)`,
    })),
    ...MODEL_FILES.map((file) => ({
      source: new RegExp(`new URL\\('\\.\\./\\.\\./model-mini/model/${file.replaceAll('.', '\\.')}', import\\.meta\\.url\\)`),
      mark: `__TERNDB_MODEL_${file.replace(/\W/g, '_')}__()`,
      built: `new URL('./model-mini/${file}', import.meta.url)`,
    })),
  ];
  return {
    name: 'terndb-keep-addresses',
    enforce: 'pre',
    transform(code) {
      const found = addresses.filter(({ source }) => source.test(code));
      if (found.length === 0) return null;
      return { code: found.reduce((text, { source, mark }) => text.replace(source, mark), code), map: null };
    },
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        for (const { mark, built } of addresses) chunk.code = chunk.code.replaceAll(mark, built);
      }
    },
  };
}

async function bundleClient() {
  const folder = join(root, 'packages', 'client');
  const parts = Object.fromEntries(PARTS.map(({ name, entry }) => [`chunks/${name}`, entry]));
  const pages = { index: 'src/index.ts', yjs: 'src/yjs/index.ts' };
  const entries = { ...pages, worker: 'src/engine-worker.ts', ...parts, 'embed-worker': '../embed/src/worker/worker.ts' };
  for (const [name, entry] of Object.entries(entries)) {
    await build({
      configFile: false,
      root: folder,
      logLevel: 'warn',
      plugins: name === 'yjs' ? [besideIndex()] : [keepAddresses()],
      resolve: { conditions: ['@terndb/source', 'module', 'browser', 'production'] },
      define: { 'process.env.NODE_ENV': '"production"' },
      build: {
        target: 'es2022',
        outDir: 'dist',
        emptyOutDir: false,
        copyPublicDir: false,
        lib: { entry: join(folder, entry), formats: ['es'], fileName: name },
        // Chunks share nothing with what loads them (they import nothing at run time), so the code that a page loads first stays one file.
        rolldownOptions: {
          output: {
            minify: true,
            entryFileNames: `${name}.js`,
            chunkFileNames: 'chunks/[name].js',
            codeSplitting: name === 'index',
          },
        },
      },
    });
  }
  copyFileSync(join(root, 'packages', 'kernel', 'dist', 'kernel.wasm'), join(folder, 'dist', 'kernel.wasm'));
  copyFileSync(runtimeWasm(), join(folder, 'dist', 'ort-wasm-simd-threaded.wasm'));
  for (const file of MODEL_FILES) cpSync(join(root, 'packages', 'model-mini', 'model', file), join(folder, 'dist', 'model-mini', file));
}

/** The entry for collab fields: it shares the first entry's classes by importing it, and Yjs with the application, whose own dependency it is. */
function besideIndex() {
  return {
    name: 'terndb-beside-index',
    enforce: 'pre',
    resolveId(source) {
      if (source === '../index.ts') return { id: './index.js', external: true };
      return source === 'yjs' ? { id: 'yjs', external: true } : null;
    },
  };
}

function runtimeWasm() {
  return createRequire(join(root, 'packages', 'embed', 'package.json')).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm');
}

/** The compiled embed package lies in node_modules: its worker is built, and onnxruntime a neighbour. */
function placeEmbedAssets() {
  const dist = join(root, 'packages', 'embed', 'dist');
  replaceIn(
    join(dist, 'worker', 'worker-embedder.js'),
    `new URL('./worker.ts', import.meta.url)`,
    `new URL('./worker.js', import.meta.url)`,
  );
  replaceIn(
    join(dist, 'default-assets.js'),
    `new URL('../../../node_modules/onnxruntime-web/`,
    // From node_modules/@terndb/embed/dist.
    `new URL('../../../onnxruntime-web/`,
  );
}

function replaceIn(file, from, to) {
  const code = readFileSync(file, 'utf8');
  if (!code.includes(from)) throw new SetupError(`${relative(root, file)}: expected ${from}`);
  writeFileSync(file, code.replace(from, to));
}
