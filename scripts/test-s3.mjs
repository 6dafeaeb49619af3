/**
 * `npm run test:s3`: the S3 object store against a real gateway. Installs Ceph's Debian packages where that is permitted, starts a gateway in a
 * temporary folder on free loopback ports, runs the vitest project `s3` and ends everything that it started.
 * The last line is `N passed, N failed`; the exit code is 75 when the gateway cannot be set up here.
 *   npm run test:s3 -- -t conditional     further words go to vitest
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { startCeph } from './lib/ceph.mjs';
import { root, run } from './lib/run.mjs';
import { checkNode, ensureCeph, installPackages, SetupError } from './lib/setup.mjs';

/** As in sysexits.h, EX_TEMPFAIL: not a failed test, something this machine lacks. */
const EXIT_NO_GATEWAY = 75;
const TEST_TIMEOUT_MS = 10 * 60_000;
const report = join(root, 'test-results', 's3.json');

/** How a test kills the gateway and starts it again: only this process knows it. */
function startControl(ceph) {
  const actions = { '/kill': ceph.killGateway, '/start': ceph.startGateway };
  const server = createServer((request, response) => {
    const action = request.method === 'POST' ? actions[request.url] : undefined;
    if (action === undefined) return void response.writeHead(404).end();
    action().then(
      () => response.writeHead(204).end(),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

let ceph;
let control;
async function cleanUp() {
  control?.close();
  control?.closeAllConnections();
  const started = ceph;
  ceph = undefined;
  await started?.stop();
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void cleanUp().then(() => process.exit(1)));

let passed = 0;
let failed = 0;
let isMissing = false;
try {
  checkNode();
  await installPackages();
  await ensureCeph().catch((error) => {
    isMissing = true;
    throw error;
  });
  mkdirSync(join(root, 'test-results'), { recursive: true });
  rmSync(report, { force: true });
  const start = Date.now();
  ceph = await startCeph();
  console.log(`S3 gateway ready after ${((Date.now() - start) / 1000).toFixed(1)} s`);
  control = await startControl(ceph);
  const { code } = await run(
    'npx',
    ['vitest', 'run', '--project', 's3', '--reporter=verbose', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
    {
      timeoutMs: TEST_TIMEOUT_MS,
      env: {
        TERNDB_S3_ENDPOINT: ceph.endpoint,
        TERNDB_S3_ACCESS_KEY_ID: ceph.accessKeyId,
        TERNDB_S3_SECRET_ACCESS_KEY: ceph.secretAccessKey,
        TERNDB_S3_BUCKET: 'terndb-test',
        S3_TEST_CONTROL: `http://127.0.0.1:${control.address().port}`,
      },
    },
  );
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { numPassedTests: 0, numFailedTests: 0 };
  passed = counts.numPassedTests;
  // A runner that fails although its tests pass counts as a failure, and so does one that ran nothing.
  failed = Math.max(counts.numFailedTests, code === 0 && passed > 0 ? 0 : 1);
} catch (error) {
  failed += 1;
  console.error(error instanceof SetupError ? error.message : error);
} finally {
  await cleanUp();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = isMissing ? EXIT_NO_GATEWAY : failed === 0 ? 0 : 1;
