/**
 * A new device: 100,000 rows of 384 dimensions with a title, as segments with graph and text index, against inserting the same rows anew into a
 * database of the same browser and indexing them there. Both in Chromium on profiles on disk; the first takes turns after the second. Segments hold
 * the float32 vectors beside the SQ8 codes of the graph: full copies, nothing is left out.
 * First hit: of a search with the default scope, which the server answers as long as not all is here, and of one on this device alone, which has
 * some segments by then (`firstLocalCoverage`: the share of rows). Covered: the partition is complete and durable on the device, graphs excepted,
 * which are opened after it (`graphsMs`). For inserting: nothing is left to be sealed, merged or indexed, and has not been for a while.
 * Bytes: what came over the connection, with headers, against the files of segments and indexes that the server's newest manifest names.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineSchema, f, type Op } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { serveFolders } from '@terndb/playwright/static-server';
import type { Page } from 'playwright';
import { openProfile, type Profile } from '../lib/profile.ts';
import { report, round, tiny } from '../lib/report.ts';
import { startCountingProxy } from './counting-proxy.ts';
import { SERVER_ENV, type ServedProcess, sleep, startProcess, tokenFor, until } from './server-process.ts';
import { resolveChannel, SimulatedDevice } from './simulated-device.ts';

const rows = Number(process.env['BENCH_ROWS'] ?? (tiny ? 300 : 100_000));
const dim = tiny ? 16 : 384;
const BATCH = 500;
const PLACE = 'shared';
const STEP_TIMEOUT_MS = 900_000;
/** A database that has not sealed or merged anything for this long, and has nothing left to index, is done; what has a graph then is `indexedRows`. */
const SETTLE_MS = tiny ? 200 : 5_000;
const definition = defineSchema({ items: { title: f.text({ search: true }), vec: f.vector(dim) } }).definition.collections.items;
const dist = fileURLToPath(new URL('../../../client/dist', import.meta.url));
/** Rows are made alike on both sides: from their number alone, around one of 64 centres. */
const MAKE_ROW = `(i) => {
  let state = (i * 2654435761 + 12345) >>> 0;
  const next = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5);
  const centre = i % 64;
  const vec = Float32Array.from({ length: ${dim} }, (_, j) => Math.sin((centre + 1) * (j + 1)) + next());
  return { id: 'item-' + i, title: 'item ' + i + ' of group ' + centre + ' kind ' + (i % 997), vec };
}`;
const makeRow = new Function(`return ${MAKE_ROW}`)() as (i: number) => { id: string; title: string; vec: Float32Array };
const HTML = `<!doctype html><meta charset="utf-8"><title>bench</title><script type="module">
import { open, defineSchema, f } from '/client/index.js';
window.openDb = (name) => open(name, { schema: defineSchema({ items: { title: f.text({ search: true }), vec: f.vector(${dim}) } }) });
window.makeRow = ${MAKE_ROW};
window.isReady = true;
</script>`;

declare const window: { openDb(name: string): Promise<any>; makeRow(i: number): any; isReady: boolean; freshToken(): Promise<string> };

/** All rows in the log, sealed and with their indexes. */
async function fill(server: ServedProcess): Promise<number> {
  const start = performance.now();
  const url = `${server.url}/sync`;
  const channel = await resolveChannel(url, { name: 'items', definition: definition, partition: PLACE });
  const device = new SimulatedDevice({ url, channel, subject: 'writer', rng: seededRng(3) });
  try {
    await until('the writer is live', () => device.isLive);
    for (let done = 0; done < rows; done += BATCH) {
      const ops = Array.from({ length: Math.min(BATCH, rows - done) }, (_, index): Op => {
        const { id, title, vec } = makeRow(done + index);
        return { type: 'put', pk: id, fields: { title, vec }, create: true };
      });
      device.writeMany(ops);
      await until('rows are written', () => device.held < BATCH);
    }
    await until('rows are written', () => device.held === 0);
    if (device.failure !== undefined) throw new Error(`bootstrap: ${device.failure}`);
  } finally {
    device.close();
  }
  const sealed = new Promise((resolve) => server.child.once('message', resolve));
  server.child.send('seal');
  await sealed;
  return performance.now() - start;
}

async function newPage(url: string): Promise<Profile> {
  const { page, close } = await openProfile();
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  await page.exposeFunction('freshToken', () => tokenFor('newcomer'));
  await page.goto(`${url}/`);
  await page.waitForFunction(() => window.isReady);
  return { page, close };
}

interface Bootstrapped {
  readonly firstHitMs: number;
  readonly firstLocalHitMs: number;
  readonly firstLocalCoverage: number;
  readonly coveredMs: number;
  readonly graphsMs: number;
  readonly indexes: number;
}

function bootstrap(page: Page, url: string): Promise<Bootstrapped> {
  return page.evaluate(
    async ({ url, place, rows }) => {
      const db = await window.openDb('new-device');
      const { vec } = window.makeRow(7);
      const start = performance.now();
      const since = (): number => performance.now() - start;
      db.connect({ url, partitions: [place], getToken: () => window.freshToken() });
      const read = { vector: vec, limit: 1, partitions: [place], select: ['title'] };
      const again = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
      const hit = async (): Promise<number> => {
        for (;;) {
          const found = await db.items.search(read).catch(() => undefined);
          if (found?.hits[0]?.key === 'item-7') return since();
          await again();
        }
      };
      // Which rows are here first is the server's choice: any of them is a hit.
      const localHit = async (): Promise<{ readonly ms: number; readonly coverage: number }> => {
        for (;;) {
          const found = await db.items.search({ ...read, scope: 'local' }).catch(() => undefined);
          if (found?.hits.length === 1) return { ms: since(), coverage: found.coverage };
          await again();
        }
      };
      const covered = async (): Promise<number> => {
        for (;;) {
          const found = await db.items.count({ partitions: [place], scope: 'local' }).catch(() => undefined);
          if (found?.count === rows && found.coverage === 1) return since();
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      const [firstHitMs, local, coveredMs] = await Promise.all([hit(), localHit(), covered()]);
      for (;;) {
        const { current, waiting } = (await db.inspect()).indexing;
        if (current === null && waiting === 0) break;
        await again();
      }
      const graphsMs = since();
      const { partitions } = await db.inspect();
      const indexes = partitions.flatMap(({ segments }: any) => segments.flatMap((segment: any) => segment.indexes)).length;
      await db.close();
      return { firstHitMs, firstLocalHitMs: local.ms, firstLocalCoverage: local.coverage, coveredMs, graphsMs, indexes };
    },
    { url, place: PLACE, rows },
  );
}

function insertAnew(
  page: Page,
): Promise<{ readonly insertedMs: number; readonly indexedMs: number; readonly segments: number; readonly indexedRows: number }> {
  return page.evaluate(
    async ({ rows, batch, settleMs }) => {
      const db = await window.openDb('anew');
      let makingMs = 0;
      const start = performance.now();
      for (let at = 0; at < rows; at += batch) {
        const making = performance.now();
        const made = Array.from({ length: Math.min(batch, rows - at) }, (_, index) => window.makeRow(at + index));
        makingMs += performance.now() - making;
        await db.items.putMany(made);
      }
      const insertedMs = performance.now() - start - makingMs;
      let before = '';
      let indexedMs = insertedMs;
      for (;;) {
        const now = performance.now() - start - makingMs;
        const { partitions, indexing } = await db.inspect();
        const segments = partitions.flatMap((partition: any) => partition.segments);
        const shape = JSON.stringify(segments);
        if (shape !== before || indexing.current !== null || indexing.waiting > 0) indexedMs = now;
        before = shape;
        if (now - indexedMs > settleMs) {
          await db.close();
          const isIndexed = ({ indexes }: any): boolean => indexes.some((name: string) => name.includes('hnsw'));
          const indexedRows = segments.filter(isIndexed).reduce((sum: number, segment: any) => sum + segment.rows, 0);
          return { insertedMs, indexedMs, segments: segments.length, indexedRows };
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    { rows, batch: BATCH, settleMs: SETTLE_MS },
  );
}

export async function bootstrapNewDevice(): Promise<void> {
  if (!existsSync(join(dist, 'worker.js'))) throw new Error('packages/client/dist is missing: run `npm run build` first');
  const data = await mkdtemp(join(tmpdir(), 'terndb-bench-bootstrap-'));
  const server = await startProcess(fileURLToPath(new URL('./serving-process.ts', import.meta.url)), [], {
    ...SERVER_ENV,
    TERNDB_DATA: data,
  });
  const pages = await serveFolders({ '/client': dist }, { '/': HTML });
  const proxy = await startCountingProxy(server.url);
  try {
    const serverFillMs = await fill(server);
    const anewPage = await newPage(pages.url);
    const anew = await insertAnew(anewPage.page);
    await anewPage.close();
    // What that wrote is on its way to the disk.
    await sleep(SETTLE_MS);
    const device = await newPage(pages.url);
    proxy.reset();
    const found = await bootstrap(device.page, `${proxy.url}/sync`);
    await device.close();
    const offered = await offeredBytes(server);
    report('sync.bootstrap', {
      rows,
      dim,
      float32: true,
      loadAverage: round(loadavg()[0]!, 1),
      serverFillSeconds: round(serverFillMs / 1000, 1),
      insertedMs: round(anew.insertedMs, 0),
      indexedMs: round(anew.indexedMs, 0),
      indexedRows: anew.indexedRows,
      segments: anew.segments,
      firstHitMs: round(found.firstHitMs, 0),
      firstLocalHitMs: round(found.firstLocalHitMs, 0),
      firstLocalCoverage: round(found.firstLocalCoverage, 3),
      graphsMs: round(found.graphsMs, 0),
      coveredMs: round(found.coveredMs, 0),
      indexes: found.indexes,
      firstHitRatio: round(anew.indexedMs / found.firstHitMs, 1),
      firstLocalHitRatio: round(anew.indexedMs / found.firstLocalHitMs, 1),
      coveredRatio: round(anew.indexedMs / found.coveredMs, 1),
      wireMiB: round(proxy.bytes / 2 ** 20, 1),
      wireRatio: round(proxy.bytes / offered, 3),
      segmentMiB: round(offered / 2 ** 20, 1),
    });
  } finally {
    proxy.close();
    pages.close();
    await server.stop();
    await rm(data, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Bytes of the segments, indexes and tombstones that the newest manifest names. */
async function offeredBytes(server: ServedProcess): Promise<number> {
  const answer = new Promise<number>((resolve) => server.child.once('message', (bytes) => resolve(bytes as number)));
  server.child.send('bytes');
  return answer;
}
