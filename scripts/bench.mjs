/**
 * `npm run bench` runs every bench, `npm run bench -- NAME` one. Each prints JSON lines: seed, data, sizes, versions, commit, recall, medians.
 * BENCH_TINY=1 uses tiny inputs, so that CI sees that they still run. `npm run bench -- stability --minutes N` says for how long.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pinnedNode, root, run } from './lib/run.mjs';
import { buildKernel, checkNode, installPackages, SetupError } from './lib/setup.mjs';

const folder = join(root, 'packages', 'bench', 'src');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.slice(0, -'.bench.ts'.length));
const { values, positionals: wanted } = parseArgs({ options: { minutes: { type: 'string' } }, allowPositionals: true });
try {
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new SetupError(`no bench named ${unknown.join(', ')}; there are: ${names.join(', ')}`);
  checkNode();
  await installPackages();
  await buildKernel();
  for (const name of wanted.length > 0 ? wanted : names) {
    const { code } = await run(pinnedNode(), ['--conditions=@terndb/source', join(folder, `${name}.bench.ts`)], {
      env: values.minutes === undefined ? {} : { BENCH_MINUTES: values.minutes },
    });
    if (code !== 0) process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof SetupError ? error.message : error);
  process.exitCode = 1;
}
