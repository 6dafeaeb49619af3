import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from '@playwright/test';
import { test as base, expect, launchProfile } from '../fixtures.ts';
import { type StaticServer, serveFolders } from '../static-server.ts';
import { type CutProxy, startCutProxy } from './cut-proxy.ts';
import { startTern, type TernServer, tokenFor } from './tern-server.ts';

/** Real browsers, a real server process, a network that can be cut: everything acknowledged is there, nothing twice, and everybody sees the same. */

const dist = fileURLToPath(new URL('../../../packages/client/dist', import.meta.url));
const PAGE = `<!doctype html><meta charset="utf-8"><title>sync</title><script type="module">
import { open, defineSchema, f } from '/client/index.js';
const schema = defineSchema({ notes: { title: f.text({ search: true }), n: f.number().default(0), vec: f.vector(32) } });
window.row = (id, n = 0) => ({ id, title: 'note ' + id, n, vec: Float32Array.from({ length: 32 }, (_, i) => Math.sin(n + i + 1)) });
window.db = await open('sync', { schema });
</script>`;

declare const window: {
  db: any;
  row(id: string, n?: number): object;
  connection: any;
  freshToken(): Promise<string>;
  rejected: any[];
};

const TEAM = { partition: 'team' };

/** One person's browser: a profile on disk, a page, and what connects it. */
class Device {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly folder: string;
  seconds = 3600;

  constructor(folder: string, context: BrowserContext, page: Page) {
    this.folder = folder;
    this.context = context;
    this.page = page;
  }

  static async open(url: string, folder?: string): Promise<Device> {
    const profile = folder ?? (await mkdtemp(join(tmpdir(), 'terndb-sync-')));
    const context = await launchProfile(profile);
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => window.db !== undefined);
    return new Device(profile, context, page);
  }

  async connect(url: string, subject: string): Promise<void> {
    await this.page.exposeFunction('freshToken', () => tokenFor(subject, { seconds: this.seconds }));
    await this.page.evaluate((url) => {
      window.rejected = [];
      window.db.on('rejected', (event: unknown) => window.rejected.push(event));
      window.connection = window.db.connect({ url, partitions: ['team'], getToken: () => window.freshToken() });
    }, url);
  }

  state(): Promise<string> {
    return this.page.evaluate(() => window.db.sync.get().state.name);
  }

  async live(): Promise<void> {
    await expect.poll(() => this.state(), { timeout: 60_000 }).toBe('live');
  }

  /** Everything written here is in the log and applied. */
  async settled(): Promise<void> {
    await this.live();
    await expect.poll(() => this.page.evaluate(() => window.db.sync.get().outbox), { timeout: 60_000 }).toBe(0);
  }

  put(ids: readonly string[], n = 0): Promise<unknown> {
    return this.page.evaluate(
      ({ ids, n, team }) =>
        window.db.notes
          .putMany(
            ids.map((id: string) => window.row(id, n)),
            team,
          )
          .then((keys: unknown) => keys),
      { ids, n, team: TEAM },
    );
  }

  patch(id: string, fields: object): Promise<unknown> {
    return this.page.evaluate(({ id, fields, team }) => window.db.notes.patch(id, fields, team).then(() => 0), { id, fields, team: TEAM });
  }

  remove(id: string): Promise<unknown> {
    return this.page.evaluate(({ id, team }) => window.db.notes.delete(id, team).then(() => 0), { id, team: TEAM });
  }

  /** id → n of everything in the partition. */
  async rows(): Promise<Record<string, number>> {
    return this.page.evaluate(async () => {
      const { entities } = await window.db.notes.query({ partitions: ['team'], scope: 'local', limit: 16_000, select: ['id', 'n'] });
      return Object.fromEntries(entities.map(({ id, n }: { id: string; n: number }) => [id, n]));
    });
  }

  async close(): Promise<void> {
    await this.context.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface World {
  readonly data: string;
  readonly proxy: CutProxy;
  server(): TernServer;
  /** Starts the server again on the same port, on this or another data folder. */
  restart(options?: { readonly args?: readonly string[] }): Promise<void>;
  device(): Promise<Device>;
}

const test = base.extend<{ world: World }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a destructured first argument.
  world: async ({}, use) => {
    const data = await mkdtemp(join(tmpdir(), 'terndb-data-'));
    let server = await startTern(data);
    const proxy = await startCutProxy(server.port);
    const pages: StaticServer = await serveFolders({ '/client': dist }, { '/': PAGE });
    const devices: Device[] = [];
    await use({
      data,
      proxy,
      server: () => server,
      restart: async ({ args } = {}) => {
        server = await startTern(data, { ...(args === undefined ? {} : { args }) });
        proxy.target(server.port);
      },
      device: async () => {
        const device = await Device.open(`${pages.url}/`);
        devices.push(device);
        return device;
      },
    });
    for (const device of devices) await device.close().catch(() => undefined);
    proxy.close();
    pages.close();
    await server.stop().catch(() => undefined);
    await rm(data, { recursive: true, force: true, maxRetries: 3 });
  },
});

test('two people edit offline and converge; a third one joins and downloads what there is', async ({ world }) => {
  const [ada, ben] = [await world.device(), await world.device()];
  // Written before anybody connected: goes up at the first connection.
  await ada.put(['a1', 'a2', 'shared'], 1);
  await ada.connect(`${world.proxy.url}/sync`, 'ada');
  await ben.connect(`${world.proxy.url}/sync`, 'ben');
  await ada.settled();
  await expect.poll(() => ben.rows(), { timeout: 30_000 }).toEqual({ a1: 1, a2: 1, shared: 1 });

  world.proxy.cut();
  await ada.patch('shared', { n: 10 });
  await ada.remove('a2');
  await ben.put(['b1'], 2);
  await ben.patch('shared', { title: 'renamed by ben' });
  expect(await ben.rows()).toEqual({ a1: 1, a2: 1, shared: 1, b1: 2 });
  world.proxy.heal();

  await ada.settled();
  await ben.settled();
  const expected = { a1: 1, shared: 10, b1: 2 };
  await expect.poll(() => ada.rows(), { timeout: 30_000 }).toEqual(expected);
  await expect.poll(() => ben.rows(), { timeout: 30_000 }).toEqual(expected);
  const title = (device: Device): Promise<string> => device.page.evaluate(async () => (await window.db.notes.get('shared')).title);
  expect(await title(ada)).toBe('renamed by ben');

  const cleo = await world.device();
  await cleo.connect(`${world.proxy.url}/sync`, 'cleo');
  await cleo.live();
  await expect.poll(() => cleo.rows(), { timeout: 30_000 }).toEqual(expected);
  expect(await title(cleo)).toBe('renamed by ben');
  const found = await cleo.page.evaluate(async () => (await window.db.notes.search({ text: 'renamed', scope: 'local' })).hits.length);
  expect(found).toBe(1);
});

test('a server killed in the middle of an import has lost nothing it acknowledged, and nothing is there twice', async ({ world }) => {
  const [ada, ben] = [await world.device(), await world.device()];
  await ada.connect(`${world.proxy.url}/sync`, 'ada');
  await ben.connect(`${world.proxy.url}/sync`, 'ben');
  await ada.live();
  const ids = Array.from({ length: 3000 }, (_, i) => `row-${String(i).padStart(5, '0')}`);
  const importing = ada.page.evaluate(async (ids) => {
    for (let at = 0; at < ids.length; at += 50)
      await window.db.notes.putMany(
        ids.slice(at, at + 50).map((id) => window.row(id, 1)),
        { partition: 'team' },
      );
  }, ids);
  await expect.poll(async () => Object.keys(await ben.rows()).length, { timeout: 60_000 }).toBeGreaterThan(200);
  await world.server().kill();
  await importing;
  await world.restart();
  await ada.settled();
  await ben.live();
  await expect.poll(async () => Object.keys(await ben.rows()).length, { timeout: 60_000 }).toBe(ids.length);
  const hashes = await Promise.all(
    [ada, ben].map((device) =>
      device.page.evaluate(async () =>
        (await window.db.inspect()).partitions.filter((p: any) => p.partition === 'team').map((p: any) => p.hash),
      ),
    ),
  );
  expect(hashes[0]).toEqual(hashes[1]);
});

test('a socket that silently died is noticed, and what was written meanwhile arrives', async ({ world }) => {
  const [ada, ben] = [await world.device(), await world.device()];
  await ada.connect(`${world.proxy.url}/sync`, 'ada');
  await ben.connect(`${world.server().url}/sync`, 'ben');
  await ada.live();
  await ben.live();
  world.proxy.stall();
  await ada.put(['during'], 3);
  await expect.poll(() => ada.state(), { timeout: 60_000 }).not.toBe('live');
  world.proxy.heal();
  await ada.settled();
  await expect.poll(() => ben.rows(), { timeout: 30_000 }).toEqual({ during: 3 });
});

test('a token that expires is renewed while the socket lives, and its refusal keeps the outbox', async ({ world }) => {
  const ada = await world.device();
  ada.seconds = 6;
  await ada.connect(`${world.proxy.url}/sync`, 'ada');
  await ada.live();
  await ada.put(['before'], 1);
  await ada.page.waitForTimeout(9_000);
  await ada.put(['after'], 2);
  await ada.settled();
  // The app cannot get a token any more.
  ada.seconds = -10;
  await expect.poll(() => ada.state(), { timeout: 60_000 }).toBe('needs-auth');
  await ada.put(['waiting'], 3);
  await expect.poll(() => ada.page.evaluate(() => window.db.sync.get().outbox)).toBe(1);
  ada.seconds = 3600;
  await ada.settled();
  expect(await ada.rows()).toEqual({ before: 1, after: 2, waiting: 3 });
});

test('a server restored from an older folder gets back what its clients hold', async ({ world }) => {
  const [ada, ben] = [await world.device(), await world.device()];
  await ada.connect(`${world.proxy.url}/sync`, 'ada');
  await ben.connect(`${world.proxy.url}/sync`, 'ben');
  await ada.put(['old-1', 'old-2'], 1);
  await ada.settled();
  await expect.poll(() => ben.rows(), { timeout: 30_000 }).toEqual({ 'old-1': 1, 'old-2': 1 });
  await world.server().stop();
  const backup = `${world.data}-backup`;
  await cp(world.data, backup, { recursive: true });
  await world.restart();
  await ada.settled();
  await ada.put(['new-1'], 2);
  await ben.remove('old-2');
  await ada.settled();
  await ben.settled();
  await world.server().stop();
  await rm(world.data, { recursive: true });
  await cp(backup, world.data, { recursive: true });
  await rm(backup, { recursive: true });
  await world.restart({ args: ['--restored'] });
  await ada.settled();
  await ben.settled();
  const expected = { 'old-1': 1, 'new-1': 2 };
  await expect.poll(() => ada.rows(), { timeout: 60_000 }).toEqual(expected);
  await expect.poll(() => ben.rows(), { timeout: 60_000 }).toEqual(expected);
});
