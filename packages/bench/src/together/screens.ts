/**
 * From a key to another's screen, in two Chromium profiles: from the key event in one page to the change of the other's editor; both pages read one
 * machine's wall clock. Tern: the demo, both with one passage open in its editor, `terndb serve` between them; needs the built demo (`npm start`
 * makes it). The peers: the same editor alone on a page, their provider, their server with documents in memory. BENCH_KEYS: how many keys.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { installPeers } from '../kernel/peer-package.ts';
import { openProfile, type Profile } from '../lib/profile.ts';
import { percentile, report, round, tiny } from '../lib/report.ts';
import { SERVER_ENV, startProcess } from '../sync/server-process.ts';
import { type Contender, hocuspocus, yWebsocket } from './contenders.ts';
import { type PeerName, servePeerPage } from './peer-page.ts';

const keys = Number(process.env['BENCH_KEYS'] ?? (tiny ? 3 : 200));
const root = fileURLToPath(new URL('../../../..', import.meta.url));
const demo = join(root, 'web-demo', 'dist');
const TITLE = 'Measured';

declare const window: { pressedAt: number[]; changedAt: number[] } & EventTarget;
declare const document: any;
declare const MutationObserver: any;

async function openDemo(url: string): Promise<Profile> {
  const { page, close } = await openProfile();
  await page.goto(url);
  await page.getByRole('button', { name: 'Sync: Up to date' }).waitFor();
  return { page, close };
}

async function watchEditor(page: Page): Promise<void> {
  await page.evaluate(() => {
    const now = (): number => performance.timeOrigin + performance.now();
    const content = document.querySelector('.cm-content');
    window.pressedAt = [];
    window.changedAt = [];
    content.addEventListener('keydown', () => window.pressedAt.push(now()), true);
    // Cursors lie in the text, come another way, and do not count.
    const lengthOf = (): number => {
      let cursors = 0;
      for (const cursor of content.querySelectorAll('.cm-ySelectionCaret')) cursors += cursor.textContent.length;
      return content.textContent.length - cursors;
    };
    let length = lengthOf();
    const look = (): void => {
      const before = length;
      length = lengthOf();
      if (length > before) window.changedAt.push(now());
    };
    new MutationObserver(look).observe(content, { childList: true, characterData: true, subtree: true });
  });
}

type Screen = Awaited<ReturnType<typeof openProfile>>;

/** One key after the other, each when the one before and its cursor are on both screens. */
async function typeAndLook(writer: Screen, reader: Screen): Promise<readonly number[]> {
  for (const { page } of [writer, reader]) await watchEditor(page);
  const delays: number[] = [];
  for (let key = 0; key < keys; key++) {
    await reader.page.waitForTimeout(60);
    await reader.page.evaluate(() => {
      window.changedAt = [];
    });
    await writer.page.keyboard.press('abcdefghij'[key % 10]!);
    await reader.page.waitForFunction(() => window.changedAt.length > 0, undefined, { polling: 5 });
    const pressed = await writer.page.evaluate(() => window.pressedAt.at(-1)!);
    const changed = await reader.page.evaluate(() => window.changedAt[0]!);
    if (key >= keys / 10) delays.push(changed - pressed);
  }
  return delays;
}

function tell(contender: string, delays: readonly number[]): void {
  report('together.screens', {
    contender,
    keys: delays.length,
    p50Ms: round(percentile(delays, 0.5), 1),
    p99Ms: round(percentile(delays, 0.99), 1),
    leastMs: round(Math.min(...delays), 1),
  });
}

async function ternScreens(): Promise<readonly number[]> {
  if (!existsSync(join(demo, 'index.html'))) throw new Error('web-demo/dist is missing: run `npm start` once');
  const data = await mkdtemp(join(tmpdir(), 'terndb-bench-server-'));
  const args = ['serve', '--port', '0', '--data', data, '--demo', demo, '--issue-tokens', 'loopback'];
  const server = await startProcess(join(root, 'server', 'src', 'main.ts'), args, SERVER_ENV);
  const writer = await openDemo(server.url);
  const reader = await openDemo(server.url);
  try {
    await writer.page.getByRole('button', { name: 'New note' }).first().click();
    await writer.page.getByRole('dialog').getByLabel('Title').fill(TITLE);
    await reader.page.getByRole('button', { name: TITLE }).first().click();
    const textIn = ({ page }: Screen) => page.getByRole('dialog').getByLabel('Text', { exact: true });
    await textIn(reader).click();
    await textIn(writer).click();
    await writer.page.keyboard.type('begun ');
    await textIn(reader).getByText('begun').waitFor();
    await reader.page.waitForTimeout(500);
    return await typeAndLook(writer, reader);
  } finally {
    await writer.close();
    await reader.close();
    await server.stop();
    await rm(data, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function peerScreens(name: PeerName, peer: Contender): Promise<readonly number[]> {
  const page = await servePeerPage(name);
  const server = await peer.start();
  const [writer, reader] = [await openProfile(), await openProfile()];
  try {
    for (const screen of [reader, writer]) {
      await screen.page.goto(page.url(server.url));
      await screen.page.getByLabel('Text').click();
    }
    await writer.page.keyboard.type('begun ');
    await reader.page.getByText('begun').waitFor();
    await reader.page.waitForTimeout(500);
    return await typeAndLook(writer, reader);
  } finally {
    await writer.close();
    await reader.close();
    await server.stop();
    page.close();
  }
}

export async function screens(): Promise<void> {
  tell('tern', await ternScreens());
  if (tiny || installPeers() !== undefined) return;
  tell('y-websocket', await peerScreens('y-websocket', yWebsocket));
  tell('Hocuspocus', await peerScreens('Hocuspocus', hocuspocus));
}
