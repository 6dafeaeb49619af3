import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Serving, serveDemo } from './serve-demo.ts';

describe('the demo server', () => {
  let root: string;
  const open: Serving[] = [];
  const serve = async (port = 0): Promise<Serving> => {
    const serving = await serveDemo({ root, port });
    open.push(serving);
    return serving;
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'terndb-demo-'));
    await mkdir(join(root, 'assets'));
    await writeFile(join(root, 'index.html'), '<title>Tern</title>');
    await writeFile(join(root, 'sw.js'), '//');
    await writeFile(join(root, 'manifest.webmanifest'), '{}');
    await writeFile(join(root, 'assets', 'kernel-DkQ9_aB2.wasm'), new Uint8Array([0, 0x61, 0x73, 0x6d]));
  });
  afterEach(async () => {
    for (const serving of open.splice(0)) await serving.close();
    await rm(root, { recursive: true });
  });

  it('serves the page at /, to be asked for anew, under a policy without inline scripts', async () => {
    const response = await fetch((await serve()).url);
    expect(await response.text()).toContain('Tern');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('serves hashed assets for ever, WebAssembly by its type, and never the service worker', async () => {
    const { url } = await serve();
    const wasm = await fetch(`${url}/assets/kernel-DkQ9_aB2.wasm`);
    expect(wasm.headers.get('content-type')).toBe('application/wasm');
    expect(wasm.headers.get('cache-control')).toContain('immutable');
    expect((await fetch(`${url}/sw.js`)).headers.get('cache-control')).toBe('no-cache');
    expect((await fetch(`${url}/manifest.webmanifest`)).headers.get('content-type')).toContain('application/manifest+json');
  });

  it('answers 404 for what is not there and for paths that lead out', async () => {
    const { url } = await serve();
    for (const path of ['/nothing.js', '/..%2f..%2fetc/passwd', '/%00']) {
      const response = await fetch(`${url}${path}`);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
    }
  });

  it('says that it is well', async () => {
    const response = await fetch(`${(await serve()).url}/healthz`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('takes the next free port when the wanted one is taken', async () => {
    const first = await serve();
    const taken = Number(new URL(first.url).port);
    const second = await serve(taken);
    expect(Number(new URL(second.url).port)).toBeGreaterThan(taken);
    expect((await fetch(`${second.url}/healthz`)).status).toBe(200);
  });
});
