import { fileURLToPath } from 'node:url';
import { type BrowserContext, expect, type Locator, type Page } from '@playwright/test';

/** The bundled sample, as `scripts/make-sample.mjs` makes it. */
export const SAMPLE_PASSAGES = 7001;

/** One picture per main screen, to be looked at; never compared by a machine. */
export const shot = (name: string): string => fileURLToPath(new URL(`../../screenshots/${name}.png`, import.meta.url));

/** The demo as its user sees it: by labels and roles, never by class names. */
export class LibraryPage {
  readonly page: Page;
  readonly errors: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  static async open(context: BrowserContext, url: string): Promise<LibraryPage> {
    const library = new LibraryPage(await context.newPage());
    await library.page.goto(url);
    return library;
  }

  get search(): Locator {
    return this.page.getByLabel('Search the library');
  }

  get rows(): Locator {
    return this.page.getByRole('list', { name: 'Passages' }).getByRole('listitem');
  }

  get count(): Locator {
    return this.page.getByTestId('result-count');
  }

  get importPanel(): Locator {
    return this.page.getByRole('region', { name: 'Import' });
  }

  get syncButton(): Locator {
    return this.page.getByRole('button', { name: /^Sync: / });
  }

  get syncPanel(): Locator {
    return this.page.getByRole('dialog', { name: 'Sync' });
  }

  /** Rows with writes that the server has not confirmed. */
  get pendingRows(): Locator {
    return this.rows.filter({ has: this.page.getByRole('img', { name: 'Not on the server yet' }) });
  }

  /** The header says so. */
  async says(state: string | RegExp): Promise<void> {
    await expect(this.syncButton).toHaveAccessibleName(state, { timeout: 30_000 });
  }

  /** By the switch in the panel. */
  async pretendOffline(pretend: boolean): Promise<void> {
    await this.syncButton.click();
    await this.syncPanel.getByRole('switch', { name: /^Pretend to be offline/ }).setChecked(pretend);
    await this.page.keyboard.press('Escape');
    await expect(this.syncPanel).toBeHidden();
  }

  async loadSample(): Promise<void> {
    await this.page.getByRole('button', { name: 'Load the sample' }).click();
    await expect(this.importPanel.getByText('Import finished')).toBeVisible({ timeout: 60_000 });
    await expect(this.count).toContainText(SAMPLE_PASSAGES.toLocaleString('en'));
  }

  async find(text: string, expected: string | RegExp): Promise<void> {
    await this.search.fill(text);
    await expect(this.rows.first()).toContainText(expected);
  }

  async newNote(title: string, text: string): Promise<void> {
    await this.page.getByRole('button', { name: 'New note' }).first().click();
    const drawer = this.page.getByRole('dialog');
    await drawer.getByLabel('Title').fill(title);
    await drawer.getByLabel('Text', { exact: true }).fill(text);
    await this.saved(drawer);
    await drawer.getByRole('button', { name: 'Close' }).click();
    await expect(drawer).toBeHidden();
  }

  /** Opens the passage that shows this text, changes it, and closes it again. */
  async edit(shown: string, change: { readonly title?: string; readonly text?: string }): Promise<void> {
    await this.rows.filter({ hasText: shown }).getByRole('button').first().click();
    const drawer = this.page.getByRole('dialog');
    if (change.title !== undefined) await drawer.getByLabel('Title').fill(change.title);
    if (change.text !== undefined) await drawer.getByLabel('Text', { exact: true }).fill(change.text);
    await this.saved(drawer);
    await drawer.getByRole('button', { name: 'Close' }).click();
    await expect(drawer).toBeHidden();
  }

  /** The editor says that what it shows is durable on the device. */
  async saved(drawer: Locator): Promise<void> {
    await expect(drawer.locator('[data-save-state]')).toHaveAttribute('data-save-state', 'durable', { timeout: 10_000 });
  }

  /** Files as if dropped or chosen. */
  async importFiles(files: readonly { name: string; text: string }[]): Promise<void> {
    const chooser = this.page.waitForEvent('filechooser');
    await this.page.getByRole('button', { name: 'Import files' }).first().click();
    await (await chooser).setFiles(files.map(({ name, text }) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })));
  }
}
