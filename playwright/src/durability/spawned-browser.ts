import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BrowserContext, chromium } from '@playwright/test';

const START_TIMEOUT_MS = 30_000;

export interface SpawnedBrowser {
  readonly context: BrowserContext;
  /** SIGKILL to the browser and every process it started. */
  kill(): Promise<void>;
}

/** A browser as a process of our own, in a process group of its own, so that it can be killed without a chance to tidy up. */
export async function spawnBrowser(profile: string): Promise<SpawnedBrowser> {
  const executable = process.env['TERNDB_CHROMIUM'] ?? '/usr/bin/chromium';
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--no-first-run',
    '--disable-background-networking',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
  ];
  const child = spawn(executable, [...flags, 'about:blank'], { detached: true, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const portFile = join(profile, 'DevToolsActivePort');
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!existsSync(portFile)) {
    if (Date.now() > deadline) throw new Error('the browser did not start');
    await sleep(50);
  }
  await sleep(200);
  const port = readFileSync(portFile, 'utf8').split('\n')[0] ?? '';
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const context = browser.contexts()[0];
  if (context === undefined) throw new Error('the browser has no context');
  return {
    context,
    kill: async () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
  };
}
