/**
 * The simulation of replication: many browsers, tabs, servers and faults from one seed (packages/sim).
 *   npm run sim -- --seeds 1000              seeds 1 to 1000; exit code 1 if one fails
 *   npm run sim -- --seeds 1 --seed 42 --trace
 *   npm run sim -- --seeds 500 --ablate all  every rule switched off in turn; exit code 1 if the checkers do not notice
 */
import { fileURLToPath } from 'node:url';
import { pinnedNode, run } from './lib/run.mjs';

/** `@terndb/*` resolve to their sources only for a process that was started so. */
const SOURCES = '--conditions=@terndb/source';
/** A run makes many small short-lived objects: fewer and larger rounds of the collector take a tenth less time. */
const YOUNG = '--max-semi-space-size=32';

if (process.execArgv.includes(SOURCES)) {
  const { main } = await import('../packages/sim/src/cli.ts');
  process.exitCode = main(process.argv.slice(2), (line) => console.log(line));
} else {
  const outcome = await run(pinnedNode(), [SOURCES, YOUNG, fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
  process.exitCode = outcome.code;
}
