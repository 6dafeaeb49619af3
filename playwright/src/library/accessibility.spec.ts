import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { LibraryPage, shot } from './library-page.ts';

async function violations(page: Page): Promise<readonly string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no screen has an accessibility violation that axe can see (${colorScheme})`, async ({ demo, profile }) => {
    const library = await LibraryPage.open(await profile.open(), demo.url);
    await library.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await expect(library.page.getByRole('button', { name: 'Load the sample' })).toBeVisible();
    expect(await violations(library.page)).toEqual([]);
    await library.loadSample();
    expect(await violations(library.page)).toEqual([]);
    await library.find('bird', /bird/);
    await library.rows.first().getByRole('button').first().click();
    await expect(library.page.getByRole('dialog').getByLabel('Title')).toBeVisible();
    expect(await violations(library.page)).toEqual([]);
    await library.page.screenshot({ path: shot(`passage-${colorScheme}`) });
    await library.page.keyboard.press('Escape');
    await library.page.getByRole('button', { name: 'Library and storage' }).click();
    await expect(library.page.getByRole('dialog', { name: 'Library and storage' })).toBeVisible();
    await library.page.waitForTimeout(500);
    expect(await violations(library.page)).toEqual([]);
    await library.page.screenshot({ path: shot(`storage-${colorScheme}`) });
    await library.page.keyboard.press('Escape');
    await library.says(/^Sync: Up to date$/);
    await library.syncButton.focus();
    await library.page.keyboard.press('Enter');
    await expect(library.syncPanel.getByRole('status')).toContainText('Up to date');
    await expect(library.syncPanel.getByRole('img', { name: /Tail/ })).toBeVisible();
    await library.page.waitForTimeout(500);
    expect(await violations(library.page)).toEqual([]);
    await library.page.screenshot({ path: shot(`sync-${colorScheme}`) });
  });
}

test('nothing is cut off on a narrow screen', async ({ demo, profile }) => {
  const library = await LibraryPage.open(await profile.open(), demo.url);
  await library.page.setViewportSize({ width: 360, height: 740 });
  await library.loadSample();
  await library.find('bird', /bird/);
  const overflow = await library.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
  expect(await violations(library.page)).toEqual([]);
  await library.page.screenshot({ path: shot('narrow') });
  await library.syncButton.click();
  await expect(library.syncPanel.getByRole('img', { name: /Tail/ })).toBeVisible();
  await library.page.waitForTimeout(400);
  expect(await violations(library.page)).toEqual([]);
  await library.page.screenshot({ path: shot('sync-narrow') });
});
