import { defineConfig } from '@playwright/test';

/** Real browsers against the built demo and the packed packages. One worker: the tests share two cores with the browser they drive. */
export default defineConfig({
  testDir: './src',
  outputDir: '../test-results/playwright',
  workers: 1,
  forbidOnly: process.env['CI'] !== undefined,
  retries: 0,
  timeout: 120_000,
  reporter: [['line'], ['json', { outputFile: process.env['PLAYWRIGHT_JSON_OUTPUT_FILE'] ?? '../test-results/playwright.json' }]],
});
