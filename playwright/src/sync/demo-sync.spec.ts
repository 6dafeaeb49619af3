import { fileURLToPath } from 'node:url';
import { expect, test } from '../fixtures.ts';
import { LibraryPage, shot } from '../library/library-page.ts';
import { serveFolders } from '../static-server.ts';
import { startCutProxy } from './cut-proxy.ts';

/** The demo, shared: everything is said on the page, and nothing is looked up behind it. */

const built = fileURLToPath(new URL('../../../web-demo/dist', import.meta.url));

test('two people edit offline in the same library, say what is not sent yet, and converge; a third one joins', async ({
  demo,
  newProfile,
}) => {
  const cable = await startCutProxy(Number(new URL(demo.url).port));
  const ada = await LibraryPage.open(await (await newProfile()).open(), cable.url);
  const ben = await LibraryPage.open(await (await newProfile()).open(), demo.url);
  await ada.says('Sync: Up to date');
  await ben.says('Sync: Up to date');
  await ada.newNote('Espresso', 'Grind fine, 18 g in, 36 g out.');
  await expect(ben.rows.filter({ hasText: 'Espresso' })).toHaveCount(1);
  await expect(ada.pendingRows).toHaveCount(0);

  // One loses the network, the other only says so.
  cable.cut();
  await ada.says(/^Sync: (Offline|Connecting)/);
  await ben.pretendOffline(true);
  await ben.says('Sync: Pretending to be offline');
  await ada.edit('Espresso', { text: 'Grind finer, 18 g in, 40 g out.' });
  await ada.newNote('From Ada', 'written in a tunnel');
  await ben.edit('Espresso', { title: 'Ristretto' });
  await ben.newNote('From Ben', 'written on a plane');
  await expect(ada.pendingRows).toHaveCount(2);
  await expect(ben.pendingRows).toHaveCount(2);
  await ben.says(/unsent writes?$/);
  await expect(ben.rows.filter({ hasText: 'From Ada' })).toHaveCount(0);
  await ben.page.screenshot({ path: shot('sync-unsent-rows') });
  await ben.syncButton.click();
  await expect(ben.syncPanel.getByRole('status')).toContainText('Pretending to be offline');
  await expect(ben.syncPanel.getByRole('img', { name: /Unsent: [1-9]/ })).toBeVisible();
  await ben.page.waitForTimeout(400);
  await ben.page.screenshot({ path: shot('sync-offline') });
  await ben.page.keyboard.press('Escape');

  cable.heal();
  await ben.pretendOffline(false);
  for (const person of [ada, ben]) {
    await person.says('Sync: Up to date');
    await expect(person.rows).toHaveCount(3);
    await expect(person.pendingRows).toHaveCount(0);
    await expect(person.rows.filter({ hasText: 'Ristretto' })).toContainText('Grind finer');
  }

  const cleo = await LibraryPage.open(await (await newProfile()).open(), demo.url);
  await expect(cleo.rows).toHaveCount(3);
  await expect(cleo.rows.filter({ hasText: 'Ristretto' })).toContainText('Grind finer');
  expect(cleo.errors).toEqual([]);
  cable.close();
});

test('the switch that pretends to be offline holds for every tab of the browser, and over a reload', async ({ demo, profile }) => {
  const context = await profile.open();
  const one = await LibraryPage.open(context, demo.url);
  const two = await LibraryPage.open(context, demo.url);
  await one.says('Sync: Up to date');
  await two.says('Sync: Up to date');
  await two.pretendOffline(true);
  await one.says('Sync: Pretending to be offline');
  await one.newNote('Held back', 'not sent');
  await expect(two.pendingRows).toHaveCount(1);
  await one.page.reload();
  await one.says(/^Sync: Pretending to be offline, \d unsent/);
  await one.pretendOffline(false);
  await two.says('Sync: Up to date');
  await expect(two.pendingRows).toHaveCount(0);
  await expect(one.pendingRows).toHaveCount(0);
});

test('on a static host the library is of this device, without errors; once there is a server it is shared as it is', async ({
  demo,
  newProfile,
}) => {
  const host = await serveFolders({ '': built }, { '/': '' });
  const address = await startCutProxy(Number(new URL(host.url).port));
  const context = await (await newProfile()).open();
  const library = await LibraryPage.open(context, `${address.url}/index.html`);
  await library.says('Sync: On this device only');
  await library.newNote('Before', 'there was no server');
  await expect(library.rows).toHaveCount(1);
  await expect(library.pendingRows).toHaveCount(0);
  await library.syncButton.click();
  await expect(library.syncPanel).toContainText('npm start');
  await library.page.waitForTimeout(400);
  await library.page.screenshot({ path: shot('sync-static-host') });
  expect(library.errors).toEqual([]);
  await library.page.close();

  // The same address has a server now.
  address.target(Number(new URL(demo.url).port));
  address.heal();
  const again = await LibraryPage.open(context, address.url);
  await again.says('Sync: Up to date');
  await expect(again.rows.filter({ hasText: 'Before' })).toHaveCount(1);
  const other = await LibraryPage.open(await (await newProfile()).open(), demo.url);
  await expect(other.rows.filter({ hasText: 'there was no server' })).toHaveCount(1);
  host.close();
  address.close();
});
