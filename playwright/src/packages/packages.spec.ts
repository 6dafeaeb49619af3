import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '../fixtures.ts';
import { serveFolders } from '../static-server.ts';

/** What a user installs: the packed tarballs, in a Vite app and on a page without a bundler. */

const run = promisify(execFile);
const install = fileURLToPath(new URL('../../../examples/quickstart/install.mjs', import.meta.url));
let folder: string;

/** npm may have to fetch Vite. */
const INSTALL_TIMEOUT_MS = 10 * 60_000;

test.beforeAll(async () => {
  test.setTimeout(INSTALL_TIMEOUT_MS);
  folder = await mkdtemp(join(tmpdir(), 'terndb-packed-'));
  await run(process.execPath, [install, folder], { env: { ...process.env, NODE_OPTIONS: '' }, maxBuffer: 16 * 1024 * 1024 });
});
test.afterAll(() => rm(folder, { recursive: true, force: true }));

for (const { name, page, files } of [
  { name: 'a Vite app', page: 'vite-app/dist/index.html', files: { '/assets': 'vite-app/dist/assets' } },
  { name: 'a plain page', page: 'plain-page/index.html', files: { '/node_modules': 'plain-page/node_modules' } },
]) {
  test(`from the packed tarballs, ${name} runs the quick start, and again after a reload`, async ({ profile }) => {
    const folders = Object.fromEntries(Object.entries(files).map(([prefix, path]) => [prefix, join(folder, path)]));
    const server = await serveFolders(folders, { '/': await readFile(join(folder, page), 'utf8') });
    try {
      const tab = await (await profile.open()).newPage();
      const requests: string[] = [];
      tab.on('request', (request) => requests.push(request.url()));
      await tab.goto(`${server.url}/`);
      await expect(tab.locator('#answer')).toHaveText('1 of 1 found');
      await expect(tab.locator('#list')).toHaveText('Espresso');
      // The embed worker, its runtime and the model came from the packages, too.
      await expect(tab.locator('#meaning')).toHaveText('1 by meaning', { timeout: 60_000 });
      await tab.reload();
      await expect(tab.locator('#answer')).toHaveText('2 of 2 found');
      // Replication is a file that the worker loads for a database that is connected.
      const isReplication = (address: string): boolean => /\/replication[^/]*\.js$/.test(address);
      expect(requests.some(isReplication)).toBe(false);
      await tab.goto(`${server.url}/?sync=/sync`);
      // It got as far as the token, which is none.
      await expect(tab.locator('#sync')).toHaveText('needs-auth');
      expect(requests.some(isReplication)).toBe(true);
      // No hidden network: everything came from where the page came from.
      expect(requests.filter((url) => !url.startsWith(server.url))).toEqual([]);
    } finally {
      server.close();
    }
  });
}
