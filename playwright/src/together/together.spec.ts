import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { LibraryPage, shot } from '../library/library-page.ts';

/** Two people in one passage, with a real server between two browsers. */

async function openPassage({ page, rows }: LibraryPage, title: string): Promise<Locator> {
  await rows.filter({ hasText: title }).getByRole('button').first().click();
  const drawer = page.getByRole('dialog');
  await expect(textOf(drawer)).toBeVisible();
  return drawer;
}
function textOf(drawer: Locator): Locator {
  return drawer.getByLabel('Text', { exact: true });
}
/** Without the cursors of others, which lie in it. */
async function expectText(drawer: Locator, text: string): Promise<void> {
  const read = (): Promise<string> =>
    textOf(drawer).evaluate((content) => {
      const copy = content.cloneNode(true) as HTMLElement;
      for (const cursor of copy.querySelectorAll('.cm-ySelectionCaret')) cursor.remove();
      return (copy.textContent ?? '').replaceAll('\u2060', '');
    });
  await expect.poll(read).toBe(text);
}
async function typeAt(page: Page, drawer: Locator, where: 'Home' | 'End', text: string): Promise<void> {
  await textOf(drawer).click();
  await page.keyboard.press(`Control+${where}`);
  await page.keyboard.type(text);
}

test('two people type in one passage, see each other, and keep what both typed while they were apart', async ({ demo, newProfile }) => {
  const ada = await LibraryPage.open(await (await newProfile()).open(), demo.url);
  const ben = await LibraryPage.open(await (await newProfile()).open(), demo.url);
  for (const [person, index] of [ada, ben].map((one, at) => [one, at] as const)) {
    await person.page.evaluate((who) => localStorage.setItem('tern-library:who', String(who)), index + 3);
    await person.says('Sync: Up to date');
  }
  await ada.newNote('Terns', 'Terns fly far.');
  await expect(ben.rows.filter({ hasText: 'Terns' })).toHaveCount(1);
  const left = await openPassage(ada, 'Terns');
  const right = await openPassage(ben, 'Terns');

  // What one types the other reads, and where.
  await typeAt(ada.page, left, 'Home', 'Arctic ');
  await expectText(right, 'Arctic Terns fly far.');
  await typeAt(ben.page, right, 'End', ' Very.');
  await expectText(left, 'Arctic Terns fly far. Very.');
  await expect(left.getByText('is here too')).toContainText('Gannet');
  await expect(right.getByText('is here too')).toContainText('Fulmar');
  await expect(right.locator('.cm-ySelectionInfo')).toHaveText('Fulmar');
  await ben.page.screenshot({ path: shot('together-cursors') });

  // Undo is one's own.
  await ada.page.keyboard.press('Control+z');
  await expectText(right, 'Terns fly far. Very.');

  // Apart, both go on; met again, nothing is lost.
  await ada.page.keyboard.press('Escape');
  await expect(left).toBeHidden();
  await ada.pretendOffline(true);
  await ada.says('Sync: Pretending to be offline');
  const again = await openPassage(ada, 'Terns');
  await typeAt(ada.page, again, 'Home', 'All ');
  await typeAt(ben.page, right, 'End', ' Indeed.');
  await expectText(again, 'All Terns fly far. Very.');
  await expectText(right, 'Terns fly far. Very. Indeed.');
  await ada.page.keyboard.press('Escape');
  await ada.pretendOffline(false);
  for (const person of [ada, ben]) await expect(person.rows.filter({ hasText: 'All Terns fly far. Very. Indeed.' })).toHaveCount(1);
  await expectText(right, 'All Terns fly far. Very. Indeed.');
  await ben.page.keyboard.press('Escape');

  // It is text like any other: found at once.
  await ben.find('indeed', 'Terns');
  await ada.page.reload();
  await expect(ada.rows.filter({ hasText: 'All Terns fly far. Very. Indeed.' })).toHaveCount(1);
  expect([...ada.errors, ...ben.errors]).toEqual([]);
});
