import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from '@playwright/test';
import { expect, launchProfile, test } from '../fixtures.ts';
import { type StaticServer, serveFolders } from '../static-server.ts';
import { mountSmallDisk } from './small-disk.ts';
import { spawnBrowser } from './spawned-browser.ts';

/** The built client on a plain page, on a profile on disk: what was acknowledged is there after anything. */

const dist = fileURLToPath(new URL('../../../packages/client/dist', import.meta.url));
const PAGE = `<!doctype html><meta charset="utf-8"><title>durability</title><script type="module">
import { open, defineSchema, f } from '/client/index.js';
const schema = defineSchema({ rows: { n: f.number(), text: f.text({ search: true }), vec: f.vector(32) } });
// A disk full of noise: what compresses would not fill it.
const noise = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(600))));
window.row = (n) => ({ id: 'row-' + n, n, text: 'row number ' + n + ' ' + noise(), vec: Float32Array.from({ length: 32 }, (_, i) => Math.sin(n + i)) });
window.db = await open('durability', { schema });
</script>`;

declare const window: { db?: any; row(n: number): object; acknowledge(n: number): Promise<void> };

let server: StaticServer;
test.beforeAll(async () => {
  server = await serveFolders({ '/client': dist }, { '/': PAGE });
});
test.afterAll(() => server.close());

async function openPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${server.url}/`);
  await page.waitForFunction(() => window.db !== undefined);
  return page;
}

/** Puts batches without end; `acknowledged` grows as their handles resolve. */
async function importWithoutEnd(page: Page, batch: number): Promise<{ acknowledged: number }> {
  const progress = { acknowledged: 0 };
  await page.exposeFunction('acknowledge', (n: number) => {
    progress.acknowledged = n;
  });
  void page
    .evaluate(async (batch) => {
      for (let n = 0; ; n += batch) {
        await window.db.rows.putMany(Array.from({ length: batch }, (_, i) => window.row(n + i)));
        await window.acknowledge(n + batch);
      }
    }, batch)
    .catch(() => undefined);
  return progress;
}

/** Every acknowledged row is there with its values, and no batch is there in part. */
async function expectWhole(page: Page, acknowledged: number, batch: number): Promise<void> {
  const { count } = await page.evaluate(() => window.db.rows.count());
  expect(count).toBeGreaterThanOrEqual(acknowledged);
  expect(count % batch).toBe(0);
  const missing = await page.evaluate(async (acknowledged) => {
    const wrong: number[] = [];
    for (let from = 0; from < acknowledged; from += 500) {
      const keys = Array.from({ length: Math.min(500, acknowledged - from) }, (_, i) => `row-${from + i}`);
      const entities = await window.db.rows.getMany(keys, { select: ['n', 'text', 'vec'] });
      for (const [i, entity] of entities.entries()) {
        if (entity?.n !== from + i || entity.vec.length !== 32 || Math.abs(entity.vec[0] - Math.sin(from + i)) > 1e-6) wrong.push(from + i);
      }
    }
    return wrong;
  }, acknowledged);
  expect(missing).toEqual([]);
}

test('a tab that crashes in the middle of an import has lost nothing that was acknowledged', async ({ profile }) => {
  const context = await profile.open();
  const page = await openPage(context);
  const progress = await importWithoutEnd(page, 100);
  await expect.poll(() => progress.acknowledged, { timeout: 60_000 }).toBeGreaterThan(1500);
  const crashed = page.waitForEvent('crash');
  const session = await context.newCDPSession(page);
  void session.send('Page.crash').catch(() => undefined);
  await crashed;
  await expectWhole(await openPage(context), progress.acknowledged, 100);
});

test('a browser that is killed in the middle of an import has lost nothing that was acknowledged', async ({ profile }) => {
  const browser = await spawnBrowser(profile.folder);
  const page = await openPage(browser.context);
  const progress = await importWithoutEnd(page, 100);
  await expect.poll(() => progress.acknowledged, { timeout: 60_000 }).toBeGreaterThan(1500);
  await browser.kill();
  const acknowledged = progress.acknowledged;
  await expectWhole(await openPage(await profile.open()), acknowledged, 100);
});

test('a full disk refuses the write with STORAGE_FULL, keeps what was there and works again when there is room', async () => {
  const disk = await mountSmallDisk({ megabytes: 100 });
  test.skip(disk === undefined, 'mounting a small disk needs root');
  if (disk === undefined) return;
  try {
    let context = await launchProfile(disk.folder);
    let page = await openPage(context);
    const refused = await page.evaluate(async () => {
      for (let n = 0; n < 400_000; n += 1000) {
        try {
          await window.db.rows.putMany(Array.from({ length: 1000 }, (_, i) => window.row(n + i)));
        } catch (error) {
          const { code, kind } = error as { code: string; kind: string };
          return { code, kind, acknowledged: n, count: (await window.db.rows.count()).count, state: window.db.storage.get().state };
        }
      }
      return undefined;
    });
    // What was refused is not there: the read after it shows the durable state.
    expect(refused).toMatchObject({ code: 'STORAGE_FULL', kind: 'unavailable', state: 'full' });
    const acknowledged = refused?.acknowledged ?? 0;
    expect(acknowledged).toBeGreaterThanOrEqual(1000);
    expect(refused?.count).toBe(acknowledged);
    await expectWhole(page, acknowledged, 1000);
    await context.close();
    await disk.grow({ megabytes: 400 });
    context = await launchProfile(disk.folder);
    page = await openPage(context);
    await expectWhole(page, acknowledged, 1000);
    await page.evaluate(() => window.db.rows.put({ ...window.row(0), id: 'after' }));
    expect((await page.evaluate(() => window.db.rows.count())).count).toBe(acknowledged + 1);
    await context.close();
  } finally {
    await disk.unmount();
  }
});
