/**
 * Draws the PNG icons of the web manifest from public/icons/tern.svg, in the system's Chromium: `npm run icons -w @terndb/web-demo`.
 *   TERNDB_CHROMIUM   the browser (default: where Debian puts it)
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';

const icons = fileURLToPath(new URL('../public/icons/', import.meta.url));
const svg = readFileSync(`${icons}tern.svg`, 'utf8');
/** A maskable icon has no corners, and its picture stays within the middle four fifths. */
const maskable = svg.replace(' rx="116"', '').replace('<g id="tern">', '<g id="tern" transform="translate(51 51) scale(0.8)">');

const browser = await chromium.launch({ executablePath: process.env.TERNDB_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const [name, size, picture] of [
  ['tern-180', 180, svg],
  ['tern-192', 192, svg],
  ['tern-512', 512, svg],
  ['tern-maskable-512', 512, maskable],
]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body { margin: 0 } svg { display: block; width: ${size}px; height: ${size}px }</style>${picture}`);
  await page.screenshot({ path: `${icons}${name}.png`, omitBackground: true });
  await page.close();
}
await browser.close();
