import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { build } from 'vite';
import { type StaticServer, serveFolders } from '../static-server.ts';

/** Firefox, driven over WebDriver BiDi: Playwright needs a patched one. A profile on disk, because storage must survive a restart. */

const root = fileURLToPath(new URL('../../..', import.meta.url));
const executablePath = process.env['TERNDB_FIREFOX'] ?? '/usr/bin/firefox-esr';

const QUICK_PAGE = `<!doctype html><meta charset="utf-8"><title>quick</title><script type="module">
import { open, defineSchema, f } from '/client/index.js';
const schema = defineSchema({ notes: { title: f.text({ search: true }), vec: f.vector(3) } });
window.db = await open('second-engine', { schema });
</script>`;
const CONTRACT_PAGE =
  '<!doctype html><meta charset="utf-8"><title>contract</title><script type="module" src="/contract/contract.js"></script>';

declare const window: { db?: any; contract?: Promise<{ passed: number; failures: string[] }> };

let folder: string;
let server: StaticServer;
let browser: Browser;

const launch = (): Promise<Browser> =>
  puppeteer.launch({ browser: 'firefox', executablePath, headless: true, userDataDir: join(folder, 'profile') });

async function openPage(path: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${server.url}${path}`);
  return page;
}

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-firefox-'));
  const entry = join(folder, 'entry.ts');
  const suite = join(root, 'packages/client/src/storage/contracts.browser.test.ts');
  const runner = join(root, 'playwright/src/engines/mini-vitest.ts');
  await writeFile(
    entry,
    `import ${JSON.stringify(suite)};\nimport { runAll } from ${JSON.stringify(runner)};\nwindow.contract = runAll();\n`,
  );
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { vitest: runner }, conditions: ['@terndb/source', 'module', 'browser'] },
    build: {
      outDir: join(folder, 'contract'),
      target: 'es2023',
      lib: { entry, formats: ['es'], fileName: () => 'contract.js' },
      // The suite is imported for what it registers; its package says that its modules have no side effects.
      rolldownOptions: { treeshake: false },
    },
  });
  server = await serveFolders(
    { '/client': join(root, 'packages/client/dist'), '/contract': join(folder, 'contract') },
    { '/quick': QUICK_PAGE, '/contract': CONTRACT_PAGE },
  );
  browser = await launch();
});

test.afterAll(async () => {
  await browser?.close();
  server?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

test('the storage contract holds in a second browser engine', async () => {
  const page = await openPage('/contract');
  await page.waitForFunction(() => window.contract !== undefined);
  const outcome = await page.evaluate(() => window.contract!);
  expect(outcome.failures).toEqual([]);
  expect(outcome.passed).toBeGreaterThan(20);
});

test('what is put is found, and found again after the browser was restarted', async () => {
  const search = (page: Page) =>
    page.evaluate(async () => {
      const { hits } = await window.db.notes.search({ vector: [1, 0, 0], limit: 2 });
      return hits.map((hit: { entity: { title: string } }) => hit.entity.title);
    });
  const page = await openPage('/quick');
  await page.waitForFunction(() => window.db !== undefined);
  await page.evaluate(async () => {
    await window.db.notes.putMany([
      { id: 'a', title: 'arctic tern', vec: [1, 0, 0] },
      { id: 'b', title: 'red kite', vec: [0, 1, 0] },
    ]);
  });
  expect(await search(page)).toEqual(['arctic tern', 'red kite']);
  expect(await page.evaluate(() => window.db.storage.get().mode)).toBe('indexeddb');
  await page.reload();
  await page.waitForFunction(() => window.db !== undefined);
  expect(await search(page)).toEqual(['arctic tern', 'red kite']);
  await browser.close();
  browser = await launch();
  const again = await openPage('/quick');
  await again.waitForFunction(() => window.db !== undefined);
  expect(await search(again)).toEqual(['arctic tern', 'red kite']);
});
