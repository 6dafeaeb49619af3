import { expect, test } from '../fixtures.ts';
import { startCutProxy } from '../sync/cut-proxy.ts';
import { LibraryPage, SAMPLE_PASSAGES, shot } from './library-page.ts';

test('import the sample, search it, reload: it is still there', async ({ demo, profile }) => {
  const context = await profile.open();
  const library = await LibraryPage.open(context, demo.url);
  await expect(library.page.getByRole('button', { name: 'Load the sample' })).toBeVisible();
  await library.page.screenshot({ path: shot('empty') });
  await library.loadSample();
  await library.find('nocturnal bird of prey', /owl/);
  await library.page.screenshot({ path: shot('search') });
  await library.page.reload();
  await expect(library.count).toContainText(SAMPLE_PASSAGES.toLocaleString('en'));
  await library.find('nocturnal bird of prey', /owl/);
  expect(library.errors).toEqual([]);
});

test('a note is written, found, edited and deleted, and each step survives a reload', async ({ demo, profile }) => {
  const library = await LibraryPage.open(await profile.open(), demo.url);
  await library.newNote('Espresso', 'Grind fine, 18 g in, 36 g out.');
  await library.find('grind', 'Espresso');
  await library.rows.first().getByRole('button').first().click();
  const drawer = library.page.getByRole('dialog');
  await drawer.getByLabel('Title').fill('Ristretto');
  await library.saved(drawer);
  await library.page.screenshot({ path: shot('edit') });
  await library.page.reload();
  await library.find('grind', 'Ristretto');
  await library.rows.first().getByRole('button').first().click();
  await library.page.getByRole('button', { name: 'Delete this passage' }).click();
  await expect(library.rows).toHaveCount(0);
  await library.page.reload();
  await expect(library.page.getByRole('button', { name: 'Load the sample' })).toBeVisible();
  expect(library.errors).toEqual([]);
});

test('after one visit the app opens and searches without a network', async ({ demo, profile }) => {
  let context = await profile.open();
  const first = await LibraryPage.open(context, demo.url);
  await first.loadSample();
  await first.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  // A visit counts once the service worker has everything: it controls the next load.
  await first.page.reload();
  await expect.poll(() => first.page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  await context.close();
  context = await profile.open();
  await context.setOffline(true);
  const library = await LibraryPage.open(context, demo.url);
  await expect(library.count).toContainText(SAMPLE_PASSAGES.toLocaleString('en'));
  await library.find('nocturnal bird of prey', /owl/);
  await library.newNote('Offline', 'written aboard a stratocruiser');
  await library.find('stratocruiser', 'Offline');
});

test('what the model has learnt to read can be searched by meaning without a network, by a browser that used it once', async ({
  demo,
  profile,
}) => {
  const cable = await startCutProxy(Number(new URL(demo.url).port));
  let context = await profile.open();
  const first = await LibraryPage.open(context, cable.url);
  await first.newNote('Felis catus', 'A small domesticated carnivorous mammal with soft fur.');
  await first.newNote('Espresso', 'Grind fine, 18 g in, 36 g out.');
  await first.find('kitten', 'Felis catus');
  await first.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  await first.page.waitForTimeout(2_000);
  await context.close();
  cable.cut();
  context = await profile.open();
  const library = await LibraryPage.open(context, cable.url);
  await expect(library.rows).toHaveCount(2);
  await library.find('kitten', 'Felis catus');
  cable.close();
});

test('an edit in one tab shows in the other, and the other goes on when the first is closed', async ({ demo, profile }) => {
  const context = await profile.open();
  const one = await LibraryPage.open(context, demo.url);
  await one.newNote('Shared', 'first version');
  const two = await LibraryPage.open(context, demo.url);
  await expect(two.rows.first()).toContainText('first version');
  await one.newNote('From one', 'seen by two');
  await expect(two.rows.filter({ hasText: 'seen by two' })).toHaveCount(1);
  await two.newNote('From two', 'seen by one');
  await expect(one.rows.filter({ hasText: 'seen by one' })).toHaveCount(1);
  await one.page.close();
  await two.newNote('Alone', 'written by the tab that is left');
  await expect(two.rows.filter({ hasText: 'the tab that is left' })).toHaveCount(1);
  await two.page.reload();
  await expect(two.rows).toHaveCount(4);
});

test('broken files are read as far as they can be, and every row that cannot is reported with its reason', async ({ demo, profile }) => {
  const library = await LibraryPage.open(await profile.open(), demo.url);
  await library.importFiles([
    {
      name: 'mixed.jsonl',
      text: '{"title":"Good one","body":"fine"}\n{"title": broken\n[1,2]\n\n{"title":"Good two","body":"also fine"}\n{"body":"a body alone"}\n{"title":"Bad vector","body":"x","vec":[1,2,3]}\n',
    },
    { name: 'table.csv', text: 'title,body\nComma,"quoted, text"\nLeft open,"never closed\n' },
    { name: 'noise.txt', text: '\u0000\u0001\u0002' },
  ]);
  await expect(library.importPanel.getByText('could not be read')).toBeVisible();
  await library.importPanel.getByRole('button', { name: /could not be read/ }).click();
  const report = library.page.getByRole('dialog', { name: 'Rows that could not be read' });
  await expect(report.getByRole('row').filter({ hasText: 'mixed.jsonl' }).filter({ hasText: '2' }).first()).toBeVisible();
  await library.page.screenshot({ path: shot('import-report') });
  await library.page.keyboard.press('Escape');
  await expect(library.rows.filter({ hasText: 'Good one' })).toHaveCount(1);
  await expect(library.rows.filter({ hasText: 'Good two' })).toHaveCount(1);
  await expect(library.rows.filter({ hasText: 'quoted, text' })).toHaveCount(1);
  expect(library.errors).toEqual([]);
});

test('an import can be cancelled; what was added stays', async ({ demo, profile }) => {
  const library = await LibraryPage.open(await profile.open(), demo.url);
  const rows = Array.from({ length: 60_000 }, (_, i) =>
    JSON.stringify({ title: `Row ${i}`, body: `passage number ${i} of a long import` }),
  );
  await library.importFiles([{ name: 'long.jsonl', text: rows.join('\n') }]);
  await library.importPanel.getByRole('button', { name: 'Cancel' }).click();
  await expect(library.importPanel.getByText('Import cancelled')).toBeVisible();
  const told = Number(/([\d,]+) passages? added/.exec((await library.importPanel.textContent()) ?? '')?.[1]?.replaceAll(',', ''));
  expect(told).toBeLessThan(60_000);
  await library.page.reload();
  if (told > 0) await expect(library.count).toContainText(told.toLocaleString('en'));
});

test('the library can be used with the keyboard alone', async ({ demo, profile }) => {
  const library = await LibraryPage.open(await profile.open(), demo.url);
  await library.newNote('Keys', 'reached without a mouse');
  await library.page.keyboard.press('/');
  await expect(library.search).toBeFocused();
  await library.page.keyboard.type('reached');
  await expect(library.rows).toHaveCount(1);
  await library.page.keyboard.press('ArrowDown');
  await library.page.keyboard.press('Enter');
  await expect(library.page.getByRole('dialog').getByLabel('Title')).toHaveValue('Keys');
  await library.page.keyboard.press('Escape');
  await expect(library.page.getByRole('dialog')).toBeHidden();
});
