import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { DEMO_FOLDER, expect, launchProfile, test } from '../fixtures.ts';
import { LibraryPage, shot } from '../library/library-page.ts';
import { serveFolders } from '../static-server.ts';

/** The examples that the page offers, and a title that must be among the first three. The last one it offers as what does not work. */
const FINDS: Readonly<Record<string, string>> = {
  'young cat': 'wildcat',
  'yellow sour fruit': 'lemon',
  'pain in the head': 'headache',
  'someone who steals': 'thief',
  'big feline of Africa': 'lion',
  bravery: 'courage',
};

async function violations(page: Page): Promise<readonly string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

/** The sample, read for its meaning to the last passage. */
async function openRead(library: LibraryPage): Promise<void> {
  await library.loadSample();
  await library.importPanel.getByRole('button', { name: 'Dismiss the import report' }).click();
  await expect(library.page.getByRole('region', { name: 'Reading for meaning' })).toBeHidden({ timeout: 60_000 });
}

async function openMap(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: 'Map', exact: true }).click();
  const map = page.getByRole('region', { name: 'Map of meaning' });
  await expect(map.getByTestId('map-count')).toBeVisible({ timeout: 60_000 });
  await expect(map.getByRole('group', { name: 'Drawing the map' })).toBeHidden({ timeout: 60_000 });
  return map;
}

const nearest = (page: Page): Locator => page.getByRole('list', { name: 'Nearest passages' }).getByRole('button');

test('every example finds what it promises, and each result says why it is there', async ({ demo, profile }) => {
  const library = await LibraryPage.open(await profile.open(), demo.url);
  const { page } = library;
  await openRead(library);
  const examples = page.getByRole('region', { name: 'Questions to try' }).getByRole('button');
  await page.screenshot({ path: shot('examples') });
  const offered = await examples.allTextContents();
  expect(offered.slice(0, -1)).toEqual(Object.keys(FINDS));
  for (const text of offered.slice(0, -1)) {
    await examples.filter({ hasText: text }).click();
    await expect(
      library.rows
        .filter({ has: page.locator('[data-row="0"],[data-row="1"],[data-row="2"]') })
        .filter({ hasText: FINDS[text]! })
        .first(),
      text,
    ).toBeVisible();
    await library.search.fill('');
  }

  await library.find('young cat', /cat/);
  await expect(library.rows.nth(2)).toBeVisible();
  const why = library.rows.first().getByRole('button', { name: /^Why this result/ });
  await expect(why).toHaveText(/its words and its meaning/);
  await expect(why).toHaveAttribute('aria-expanded', 'false');
  await why.click();
  const table = library.rows.first().getByRole('table');
  await expect(table.getByRole('row', { name: /^Words/ })).toContainText('BM25');
  await expect(table.getByRole('row', { name: /^Meaning/ })).toContainText('similarity');
  const adds = async (name: RegExp): Promise<number> =>
    Number(await table.getByRole('row', { name }).getByRole('cell').last().textContent());
  expect(await adds(/^Together/)).toBeCloseTo((await adds(/^Words/)) + (await adds(/^Meaning/)), 3);
  await page.screenshot({ path: shot('why') });
  expect(await violations(page)).toEqual([]);

  await page.getByLabel('Find by').selectOption('Meaning');
  await expect(library.rows.first().getByRole('button', { name: /^Why this result: its meaning/ })).toBeVisible();
  expect(library.errors).toEqual([]);
});

test('a note about a kitten is found by "young cat", of which it holds neither word', async ({ demo, profile }) => {
  const library = await LibraryPage.open(await profile.open(), demo.url);
  await openRead(library);
  await library.newNote('Kitten', 'A baby feline, playing with wool.');
  await library.search.fill('young cat');
  await expect(
    library.rows
      .filter({ has: library.page.locator('[data-row="0"],[data-row="1"],[data-row="2"],[data-row="3"],[data-row="4"]') })
      .filter({ hasText: 'Kitten' }),
  ).toBeVisible({ timeout: 20_000 });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the map shows the library, and the question as a point in it (${colorScheme})`, async ({ demo, profile }) => {
    const library = await LibraryPage.open(await profile.open(), demo.url);
    const { page } = library;
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await openRead(library);
    const map = await openMap(page);
    await expect(map.getByTestId('map-count')).toHaveText('A sample: 3,000 of 7,001 passages');
    await page.screenshot({ path: shot(`map-${colorScheme}`) });
    expect(await violations(page)).toEqual([]);

    await library.search.fill('nocturnal bird of prey');
    await expect(map.getByRole('heading', { name: 'Nearest to “nocturnal bird of prey”' })).toBeVisible();
    await nearest(page).first().focus();
    await page.waitForTimeout(300);
    await page.screenshot({ path: shot(`map-query-${colorScheme}`) });
    expect(await violations(page)).toEqual([]);

    await nearest(page).first().press('Enter');
    await expect(page.getByRole('dialog').getByLabel('Title')).not.toHaveValue('');
    expect(library.errors).toEqual([]);
  });
}

test('the map is moved by mouse and keyboard, colours stand out when chosen, a point opens its passage', async ({ demo, profile }) => {
  const library = await LibraryPage.open(await profile.open(), demo.url);
  const { page } = library;
  await openRead(library);
  const map = await openMap(page);
  const pane = map.getByRole('group', { name: /^Map: arrows/ });
  const first = async (): Promise<string> => (await nearest(page).allTextContents()).join('\n');
  const whole = await first();

  await pane.focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowRight');
  await expect.poll(first).not.toBe(whole);
  await page.keyboard.press('0');
  await expect.poll(first).toBe(whole);

  const box = (await pane.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 150, box.y + box.height / 2 + 60, { steps: 5 });
  await page.mouse.up();
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect.poll(first).not.toBe(whole);
  await page.mouse.wheel(0, -600);
  await page.getByRole('button', { name: 'Show the whole map' }).click();
  await expect.poll(first).toBe(whole);

  await map.getByLabel('Colour by').selectOption('Colour by kind');
  await map.getByRole('button', { name: /^verb/ }).click();
  await expect(map.getByRole('button', { name: /^verb/ })).toHaveAttribute('aria-pressed', 'true');

  // Near to where the pointed passage is, the pointer finds a point: its title shows, a click opens it.
  const tip = pane.locator('strong');
  for (let x = 0.3; x < 0.7 && !(await tip.isVisible()); x += 0.01) await page.mouse.move(box.x + box.width * x, box.y + box.height / 2);
  const title = await tip.textContent();
  await page.screenshot({ path: shot('map-pointed') });
  await page.mouse.down();
  await page.mouse.up();
  await expect(page.getByRole('dialog').getByLabel('Title')).toHaveValue(title!);
  expect(library.errors).toEqual([]);
});

test('drawing the map can be cancelled, and begun again; a library too small for one says so', async ({ demo, profile }) => {
  const library = await LibraryPage.open(await profile.open(), demo.url);
  const { page } = library;
  await library.newNote('One', 'alone');
  await page.getByRole('button', { name: 'Map', exact: true }).click();
  await expect(page.getByText(/A map needs 16 passages/)).toBeVisible();
  await page.getByRole('button', { name: 'Map', exact: true }).click();
  await page.getByRole('button', { name: 'Import files' }).waitFor();
  await library.importFiles([
    {
      name: 'many.jsonl',
      text: Array.from({ length: 3_000 }, (_, i) => JSON.stringify({ title: `Row ${i}`, body: `number ${i % 97} of ${i % 13}` })).join(
        '\n',
      ),
    },
  ]);
  await expect(page.getByText('Import finished')).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('region', { name: 'Reading for meaning' })).toBeHidden({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Map', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByText('Stopped: the map is as far as it was drawn.')).toBeVisible();
  await page.getByRole('button', { name: 'Draw the map', exact: true }).click();
  await expect(page.getByRole('group', { name: 'Drawing the map' })).toBeVisible();
  expect(library.errors).toEqual([]);
});

test('map and reasons fit a narrow screen', async ({ demo, profile }) => {
  const library = await LibraryPage.open(await profile.open(), demo.url);
  const { page } = library;
  await page.setViewportSize({ width: 360, height: 740 });
  await openRead(library);
  await library.find('young cat', /cat/);
  await library.rows
    .first()
    .getByRole('button', { name: /^Why this result/ })
    .click();
  await page.screenshot({ path: shot('why-narrow') });
  expect(await violations(page)).toEqual([]);
  await openMap(page);
  await page.waitForTimeout(300);
  await page.screenshot({ path: shot('map-narrow') });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
  expect(await violations(page)).toEqual([]);
});

test('over plain http from another machine, where browsers withhold crypto.subtle, the model is checked and read all the same', async () => {
  const server = await serveFolders({ '': DEMO_FOLDER }, { '/': await readFile(join(DEMO_FOLDER, 'index.html'), 'utf8') });
  const folder = await mkdtemp(join(tmpdir(), 'terndb-profile-'));
  // A name that is not this machine's: what a phone in the same house sees.
  const context = await launchProfile(folder, ['--host-resolver-rules=MAP shelf.test 127.0.0.1']);
  try {
    const library = await LibraryPage.open(context, server.url.replace('127.0.0.1', 'shelf.test'));
    const { page } = library;
    expect(await page.evaluate(() => [isSecureContext, crypto.subtle === undefined])).toEqual([false, true]);
    await library.newNote('Kitten', 'A baby feline, playing with wool.');
    await expect(page.getByRole('region', { name: 'Reading for meaning' })).toBeHidden({ timeout: 60_000 });
    await library.search.fill('young cat');
    await page.getByLabel('Find by').selectOption('Meaning');
    await expect(library.rows.filter({ hasText: 'Kitten' })).toBeVisible({ timeout: 60_000 });
  } finally {
    await context.close();
    server.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
});
