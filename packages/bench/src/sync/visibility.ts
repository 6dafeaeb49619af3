/**
 * From a write in one browser to its sight in another: two Chromium pages of two profiles, the built client in both, `terndb serve` between them. The
 * reader follows a live query; the writer puts one row after the other, each when the one before was seen. Both pages read one machine's wall
 * clock (`performance.timeOrigin + now`). Needs `npm run build` (the test run does it).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveFolders } from '@terndb/playwright/static-server';
import { openProfile, type Profile } from '../lib/profile.ts';
import { percentile, report, round, tiny } from '../lib/report.ts';
import { startTern, tokenFor } from './server-process.ts';

const writes = tiny ? 5 : 500;
const SEEN_TIMEOUT_MS = 30_000;
const dist = fileURLToPath(new URL('../../../client/dist', import.meta.url));
const HTML = `<!doctype html><meta charset="utf-8"><title>bench</title><script type="module">
import { open, defineSchema, f } from '/client/index.js';
window.db = await open('sync', { schema: defineSchema({ notes: { title: f.text(), n: f.number() } }) });
</script>`;
const PLACE = 'team';

declare const window: { db: any; seen: Map<number, number>; freshToken(): Promise<string> };

async function openBrowser(url: string): Promise<Profile> {
  const { page, close } = await openProfile();
  await page.goto(`${url}/`);
  await page.waitForFunction(() => window.db !== undefined);
  return { page, close };
}

/** Until it is live. */
async function connect({ page }: Profile, url: string, subject: string): Promise<void> {
  await page.exposeFunction('freshToken', () => tokenFor(subject));
  await page.evaluate(
    ({ url, place }) => {
      window.db.connect({ url, partitions: [place], getToken: () => window.freshToken() });
    },
    { url, place: PLACE },
  );
  await page.waitForFunction(() => window.db.sync.get().state.name === 'live');
}

/** Notes when each number was first seen in a live query of the newest rows. */
async function watch({ page }: Profile): Promise<void> {
  await page.evaluate((place) => {
    window.seen = new Map();
    const query = { partitions: [place], orderBy: { field: 'n', order: 'desc' }, limit: 1, scope: 'local' };
    window.db.notes.liveQuery(query, ({ entities }: { entities: readonly { n: number }[] }) => {
      const at = performance.timeOrigin + performance.now();
      for (const { n } of entities) if (!window.seen.has(n)) window.seen.set(n, at);
    });
  }, PLACE);
}

/** @returns when the write began, on the wall clock. */
function write({ page }: Profile, n: number): Promise<number> {
  return page.evaluate(
    ({ n, place }) => {
      const at = performance.timeOrigin + performance.now();
      void window.db.notes.put({ id: `note-${n}`, title: `note ${n}`, n }, { partition: place });
      return at;
    },
    { n, place: PLACE },
  );
}

export async function visibility(): Promise<void> {
  if (!existsSync(join(dist, 'worker.js'))) throw new Error('packages/client/dist is missing: run `npm run build` first');
  const server = await startTern();
  const pages = await serveFolders({ '/client': dist }, { '/': HTML });
  const browsers: Profile[] = [];
  try {
    for (const subject of ['ann', 'bob']) {
      const browser = await openBrowser(pages.url);
      browsers.push(browser);
      await connect(browser, `${server.url}/sync`, subject);
    }
    const [writer, reader] = browsers as [Profile, Profile];
    await watch(reader);
    const delays: number[] = [];
    const warmUp = Math.ceil(writes / 10);
    for (let n = 1; n <= writes + warmUp; n++) {
      const writtenMs = await write(writer, n);
      await reader.page.waitForFunction((n) => window.seen.has(n), n, { polling: 5, timeout: SEEN_TIMEOUT_MS });
      const seenMs = await reader.page.evaluate((n) => window.seen.get(n)!, n);
      if (n > warmUp) delays.push(seenMs - writtenMs);
    }
    report('sync.visibility', {
      browsers: 'two Chromium profiles',
      writes: delays.length,
      p50Ms: round(percentile(delays, 0.5), 1),
      p99Ms: round(percentile(delays, 0.99), 1),
      leastMs: round(Math.min(...delays), 1),
    });
  } finally {
    for (const browser of browsers) await browser.close();
    pages.close();
    await server.stop();
  }
}
