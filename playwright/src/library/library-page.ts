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
