import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright';

export interface Profile {
  readonly page: Page;
  /** Ends the browser and removes its profile. */
  readonly close: () => Promise<void>;
}

/** A Chromium with a profile on disk of its own, as another person's browser; its page is still empty. */
export async function openProfile(): Promise<Profile> {
  const profile = await mkdtemp(join(tmpdir(), 'terndb-bench-profile-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env['TERNDB_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
    headless: true,
  });
  const close = async (): Promise<void> => {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 3 });
  };
  return { page: await context.newPage(), close };
}
