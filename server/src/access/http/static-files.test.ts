import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

describe('the files of the demo', () => {
  let root: string;
  let server: TestServer;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'terndb-demo-'));
    await mkdir(join(root, 'assets'));
    await writeFile(join(root, 'index.html'), '<title>Tern</title>');
    await writeFile(join(root, 'sw.js'), '//');
    await writeFile(join(root, 'manifest.webmanifest'), '{}');
    await writeFile(join(root, 'assets', 'kernel-DkQ9_aB2.wasm'), new Uint8Array([0, 0x61, 0x73, 0x6d]));
    server = await startTestServer({ demo: root });
  });
  afterEach(async () => {
    await server.close();
    await rm(root, { recursive: true });
  });

  it('are the page at /, to be asked for anew, under a policy without inline scripts', async () => {
    const response = await fetch(server.url);
    expect(await response.text()).toContain('Tern');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('are hashed assets for ever, WebAssembly by its type, and never the service worker', async () => {
    const wasm = await fetch(`${server.url}/assets/kernel-DkQ9_aB2.wasm`);
    expect(wasm.headers.get('content-type')).toBe('application/wasm');
    expect(wasm.headers.get('cache-control')).toContain('immutable');
    expect((await fetch(`${server.url}/sw.js`)).headers.get('cache-control')).toBe('no-cache');
    expect((await fetch(`${server.url}/manifest.webmanifest`)).headers.get('content-type')).toContain('application/manifest+json');
  });

  it('connect where tokens are given, and nowhere else, whatever the folder says', async () => {
    await writeFile(join(root, 'connect.json'), '{ "sync": "/elsewhere" }');
    expect(await (await fetch(`${server.url}/connect.json`)).json()).toEqual({ sync: null });
    const open = await startTestServer({ demo: root, issueTokens: 'loopback' });
    const response = await fetch(`${open.url}/connect.json`);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ sync: '/sync' });
    await open.close();
  });

  it('do not lead out, and do not hide the other doors', async () => {
    for (const path of ['/nothing.js', '/..%2f..%2fetc/passwd', '/%00']) {
      const { status } = await fetch(`${server.url}${path}`);
      expect([400, 403, 404]).toContain(status);
    }
    expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect((await server.post('/sync/v1/count', { collection: 'notes' })).status).toBe(401);
  });
});
