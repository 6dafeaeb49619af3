/**
 * Compiles `assembly/` to `dist/kernel.wasm` (release), `dist/kernel.threads.wasm` (the same over a memory that comes from outside and that threads
 * share) and `dist/kernel.debug.wasm` (assertions kept). The same sources give the same bytes. `node scripts/build.mjs [--out <folder>]`
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import asc from 'assemblyscript/asc';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { out: { type: 'string', default: join(here, 'dist') } } });

/** One page from the start: the module has no data that would ask for it, and the host takes what lies behind `heapBase`. */
const COMMON = ['assembly/index.ts', '--enable', 'simd', '--runtime', 'stub', '--use', 'abort=', '--initialMemory', '1', '--baseDir', here];
const RELEASE = ['-O3', '--converge', '--noAssert'];
/** 4 GiB: the memory that is given decides. */
const SHARED = ['--enable', 'threads', '--sharedMemory', '--importMemory', '--maximumMemory', '65536'];
const BUILDS = [
  { file: 'kernel.wasm', flags: RELEASE },
  { file: 'kernel.threads.wasm', flags: [...RELEASE, ...SHARED] },
  { file: 'kernel.debug.wasm', flags: ['-O1', '--debug'] },
];

mkdirSync(values.out, { recursive: true });
for (const { file, flags } of BUILDS) {
  const { error, binary, stderr } = await compile([...COMMON, ...flags]);
  if (error || !binary) {
    console.error(stderr);
    throw new Error(`kernel: ${file} did not compile`, { cause: error });
  }
  writeFileSync(join(values.out, file), binary);
  console.log(`kernel: ${file} ${binary.length} bytes`);
}

async function compile(args) {
  let binary;
  const { error, stderr } = await asc.main([...args, '--outFile', 'out.wasm'], {
    writeFile: (name, contents) => {
      if (name === 'out.wasm') binary = contents;
    },
  });
  return { error, binary, stderr: stderr.toString() };
}
