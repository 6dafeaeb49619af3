/**
 * The simulation of replication: many browsers, tabs, servers and faults from one seed (packages/sim).
 *   npm run sim -- --seeds 1000              seeds 1 to 1000; exit code 1 if one fails
 *   npm run sim -- --seeds 1 --seed 42 --trace
 *   npm run sim -- --seeds 1000 --threads 4  the same in four processes, a quarter of the seeds each
 *   npm run sim -- --seeds 500 --ablate all  every rule switched off in turn; exit code 1 if the checkers do not notice
 */
import { fileURLToPath } from 'node:url';
import { pinnedNode, run } from './lib/run.mjs';

/** `@terndb/*` resolve to their sources only for a process that was started so. */
const SOURCES = '--conditions=@terndb/source';
/** A run makes many small short-lived objects: fewer and larger rounds of the collector take a tenth less time. */
const YOUNG = '--max-semi-space-size=32';

/** The part of the seeds that each process takes; everything else is passed on. */
function partsOf(argv) {
  const value = (name, otherwise) => {
    const at = argv.indexOf(`--${name}`);
    return at < 0 ? otherwise : Number(argv[at + 1]);
  };
  const threads = value('threads', 1);
  const seeds = value('seeds', 200);
  const first = value('seed', 1);
  const others = argv.filter((_, at) => !['--threads', '--seeds', '--seed'].some((name) => argv[at] === name || argv[at - 1] === name));
  if (!Number.isSafeInteger(threads) || threads < 1) throw new Error(`--threads: a number of processes expected, got ${threads}`);
  return Array.from({ length: Math.min(threads, seeds) }, (_, index) => {
    const from = first + Math.floor((seeds * index) / threads);
    const to = first + Math.floor((seeds * (index + 1)) / threads);
    return ['--seeds', String(to - from), '--seed', String(from), ...others];
  });
}

if (process.execArgv.includes(SOURCES)) {
  const { main } = await import('../packages/sim/src/cli.ts');
  process.exitCode = main(process.argv.slice(2), (line) => console.log(line));
} else {
  const runPart = (argv) => run(pinnedNode(), [SOURCES, YOUNG, fileURLToPath(import.meta.url), ...argv]);
  const outcomes = await Promise.all(partsOf(process.argv.slice(2)).map(runPart));
  process.exitCode = outcomes.find(({ code }) => code !== 0)?.code ?? 0;
}
