/**
 * Compiles `assembly/` to `dist/kernel.wasm` (release) and `dist/kernel.debug.wasm` (assertions kept). The same sources give the same bytes.
 * `node scripts/build.mjs [--out <folder>]`
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import asc from 'assemblyscript/asc';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { out: { type: 'string', default: join(here, 'dist') } } });

const COMMON = ['assembly/index.ts', '--enable', 'simd', '--runtime', 'stub', '--use', 'abort=', '--baseDir', here];
const BUILDS = [
  { file: 'kernel.wasm', flags: ['-O3', '--converge', '--noAssert'] },
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
