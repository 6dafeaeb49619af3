/**
 * The tab as its user meets it: the built client in Chromium, on a profile on disk. Measures sizes, put → visible, put → durable, the longest time an
 * import keeps the page from answering, and a cold open (a fresh browser process) to the first search result.
 * Needs `npm run build` first (the runner does it). Figures are medians; machines differ, so compare ratios and runs of one machine.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { serveFolders } from '@terndb/playwright/static-server';
import { type BrowserContext, chromium, type Page } from 'playwright';
import { percentile, report, round, tiny } from './lib/report.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const dist = join(root, 'packages', 'client', 'dist');
const seed = 1;
const dim = 384;
const coldRows = tiny ? 500 : 50_000;
const importRows = tiny ? 500 : 10_000;
const puts = tiny ? 20 : 200;
const coldOpens = tiny ? 1 : 5;

const HTML = `<!doctype html><meta charset="utf-8"><title>bench</title><script type="module">
import { open, defineSchema, f } from '/client/index.js';
const passages = defineSchema({ passages: { title: f.text({ search: true }), body: f.text({ search: true }), topic: f.keyword() } });
const vectors = defineSchema({ items: { n: f.number(), vec: f.vector(${dim}) } });
window.bench = { open, passages, vectors };
</script>`;

interface BenchWindow {
  bench: { open: (name: string, options: object) => Promise<any>; passages: object; vectors: object };
}
declare const window: BenchWindow;

async function freshPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}/`);
  await page.waitForFunction(() => window.bench !== undefined);
  return page;
}

/** Put one, then search by its vector until it is the first hit; and separately await its durability. */
function measurePuts(page: Page): Promise<{ visible: number[]; durable: number[] }> {
  return page.evaluate(
    async ({ puts, dim }) => {
      const db = await window.bench.open('puts', { schema: window.bench.vectors });
      const vector = (i: number) => Float32Array.from({ length: dim }, (_, j) => Math.sin((i + 1) * (j + 1) * 1.7));
      await db.items.putMany(Array.from({ length: 1000 }, (_, n) => ({ n, vec: vector(n) })));
      const visible: number[] = [];
      const durable: number[] = [];
      for (let i = 0; i < puts; i++) {
        const vec = vector(5000 + i);
        const start = performance.now();
        const write = db.items.put({ n: i, vec });
        const { hits } = await db.items.search({ vector: vec, limit: 1 });
        if (hits[0].key !== write.key) throw new Error('the put was not visible to the search after it');
        visible.push(performance.now() - start);
        await write;
        const again = performance.now();
        await db.items.put({ n: i, vec });
        durable.push(performance.now() - again);
      }
      await db.close();
      return { visible, durable };
    },
    { puts, dim },
  );
}

/** Imports in batches of 500, as the demo does, while a timer chain watches how long the page did not answer. */
function measureImport(page: Page, rows: readonly object[]): Promise<{ seconds: number; longestBlockMs: number }> {
  return page.evaluate(async (rows) => {
    const db = await window.bench.open('import', { schema: window.bench.passages });
    let longest = 0;
    let last = performance.now();
    let watching = true;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      if (watching) channel.port2.postMessage(0);
    };
    channel.port2.postMessage(0);
    const start = performance.now();
    for (let i = 0; i < rows.length; i += 500) await db.passages.putMany(rows.slice(i, i + 500));
    const seconds = (performance.now() - start) / 1000;
    watching = false;
    const { count } = await db.passages.count();
    if (count !== rows.length) throw new Error(`${count} of ${rows.length} passages are there`);
    await db.close();
    return { seconds, longestBlockMs: longest };
  }, rows);
}

function fillCold(page: Page): Promise<void> {
  return page.evaluate(
    async ({ rows, dim, seed }) => {
      const db = await window.bench.open('cold', { schema: window.bench.vectors });
      let state = seed;
      const next = () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32 - 0.5;
      };
      for (let i = 0; i < rows; i += 1000) {
        const batch = Array.from({ length: Math.min(1000, rows - i) }, (_, j) => ({
          n: i + j,
          vec: Float32Array.from({ length: dim }, next),
        }));
        await db.items.putMany(batch);
      }
      await db.close();
    },
    { rows: coldRows, dim, seed },
  );
}

function measureColdOpen(page: Page): Promise<{ openMs: number; firstResultMs: number; rows: number }> {
  return page.evaluate(async (dim) => {
    const query = Float32Array.from({ length: dim }, (_, j) => Math.sin(j));
    const start = performance.now();
    const db = await window.bench.open('cold', { schema: window.bench.vectors });
    const openMs = performance.now() - start;
    const { hits } = await db.items.search({ vector: query, limit: 10 });
    const firstResultMs = performance.now() - start;
    if (hits.length !== 10) throw new Error(`${hits.length} hits`);
    const { count } = await db.items.count();
    await db.close();
    return { openMs, firstResultMs, rows: count };
  }, dim);
}

/** The demo's own sample, repeated to the wanted number. */
function samplePassages(): readonly object[] {
  const lines = readFileSync(join(root, 'web-demo/public/sample/wordnet-passages.jsonl'), 'utf8').trim().split('\n');
  return Array.from({ length: importRows }, (_, i) => {
    const { title, body, topic } = JSON.parse(lines[i % lines.length] ?? '{}') as Record<string, string>;
    return { title, body, topic };
  });
}

const gzipBytes = (...files: readonly string[]): number =>
  files.reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length, 0);

if (!existsSync(join(dist, 'worker.js'))) throw new Error('packages/client/dist is missing: run `npm run build` first');
const profile = await mkdtemp(join(tmpdir(), 'terndb-bench-'));
const server = await serveFolders({ '/client': dist }, { '/': HTML });
const launch = (): Promise<BrowserContext> =>
  chromium.launchPersistentContext(profile, {
    executablePath: process.env['TERNDB_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
    headless: true,
  });
try {
  report('tab.size', { mainThreadGzipBytes: gzipBytes('index.js'), workerAndWasmGzipBytes: gzipBytes('worker.js', 'kernel.wasm') });
  let context = await launch();
  const { visible, durable } = await measurePuts(await freshPage(context, server.url));
  report('tab.put', {
    rows: 1000,
    dim,
    puts,
    visibleP50Ms: round(percentile(visible, 0.5)),
    visibleP99Ms: round(percentile(visible, 0.99)),
    durableP50Ms: round(percentile(durable, 0.5)),
    durableP99Ms: round(percentile(durable, 0.99)),
  });
  const imported = await measureImport(await freshPage(context, server.url), samplePassages());
  report('tab.import', {
    data: 'WordNet passages',
    rows: importRows,
    seconds: round(imported.seconds),
    longestBlockMs: round(imported.longestBlockMs),
  });
  await fillCold(await freshPage(context, server.url));
  await context.close();
  const opens: number[] = [];
  const firsts: number[] = [];
  for (let i = 0; i < coldOpens; i++) {
    context = await launch();
    const { openMs, firstResultMs, rows } = await measureColdOpen(await freshPage(context, server.url));
    if (rows !== coldRows) throw new Error(`${rows} of ${coldRows} rows are there`);
    opens.push(openMs);
    firsts.push(firstResultMs);
    await context.close();
  }
  report('tab.cold-open', {
    seed,
    rows: coldRows,
    dim,
    runs: coldOpens,
    openMs: round(percentile(opens, 0.5)),
    firstResultMs: round(percentile(firsts, 0.5)),
    recall: 1,
  });
} finally {
  server.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 3 });
}
