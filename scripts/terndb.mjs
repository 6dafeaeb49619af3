/**
 * The command `terndb` from a clone: installs and builds what is missing, then runs the server's command line.
 *   npm run terndb -- --help
 *   npm run terndb -- serve --port 19530 --data DIR
 * What it does before goes to standard error, so that standard output is the command's.
 */

import { runServer } from './lib/server.mjs';
import { buildKernel, checkNode, installPackages, SetupError } from './lib/setup.mjs';

console.log = console.error;
try {
  checkNode();
  await installPackages();
  await buildKernel();
} catch (error) {
  console.error(error instanceof SetupError ? error.message : error);
  process.exit(1);
}
process.exitCode = await runServer(process.argv.slice(2));
