import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, test as base, chromium, expect } from '@playwright/test';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** The built demo. */
export const DEMO_FOLDER: string = process.env['DEMO_DIST'] ?? join(root, 'web-demo', 'dist');
/** A server that says nothing for this long will not start. */
const READY_TIMEOUT_MS = 30_000;

export interface DemoServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The demo as `npm start` serves it, on a free port of the loopback. */
export async function startDemo(): Promise<DemoServer> {
  const data = await mkdtemp(join(tmpdir(), 'terndb-data-'));
  const flags = ['--port', '0', '--data', data, '--demo', DEMO_FOLDER, '--issue-tokens', 'loopback', '--log-level', 'warn'];
  const main = join(root, 'server', 'src', 'main.ts');
  const child: ChildProcess = spawn('node', ['--conditions=@terndb/source', main, 'serve', ...flags], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', TERNDB_DRAIN_MS: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the demo server did not get ready')), READY_TIMEOUT_MS);
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const found = /ready (http:\S+)/.exec(text)?.[1];
      if (found !== undefined) {
        clearTimeout(timer);
        resolve(found);
      }
    });
    child.on('exit', (code) => reject(new Error(`the demo server ended with ${code}: ${text}`)));
  });
  return {
    url,
    stop: async () => {
      await new Promise<void>((resolve) => {
        child.removeAllListeners('exit');
        child.on('exit', () => resolve());
        child.kill('SIGTERM');
      });
      await rm(data, { recursive: true, force: true });
    },
  };
}

export interface Profile {
  readonly folder: string;
  open(): Promise<BrowserContext>;
}

const launchOptions = { executablePath: process.env['TERNDB_CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'], headless: true };

/** A browser on a profile folder; storage is on disk, as a user's is (a plain context keeps it in memory). */
export const launchProfile = (folder: string, flags: readonly string[] = []): Promise<BrowserContext> =>
  chromium.launchPersistentContext(folder, { ...launchOptions, args: [...launchOptions.args, ...flags] });

async function createProfile(): Promise<Profile & { remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'terndb-profile-'));
  const opened: BrowserContext[] = [];
  return {
    folder,
    open: async () => {
      const context = await launchProfile(folder);
      opened.push(context);
      return context;
    },
    remove: async () => {
      for (const context of opened) await context.close().catch(() => undefined);
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** One server per test: what one test writes, the browsers of the next would be given. */
export const test = base.extend<{ demo: DemoServer; profile: Profile; newProfile: () => Promise<Profile> }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a destructured first argument.
  demo: async ({}, use) => {
    const server = await startDemo();
    await use(server);
    await server.stop();
  },
  /** Browsers of several people. */
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a destructured first argument.
  newProfile: async ({}, use) => {
    const profiles: Awaited<ReturnType<typeof createProfile>>[] = [];
    await use(async () => {
      const profile = await createProfile();
      profiles.push(profile);
      return profile;
    });
    for (const profile of profiles) await profile.remove();
  },
  profile: async ({ newProfile }, use) => use(await newProfile()),
});

export { expect };
