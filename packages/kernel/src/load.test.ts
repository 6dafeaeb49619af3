import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createKernel, loadKernel, loadModule } from './index.ts';
import { buildModule } from './testing/builds.ts';
import type { Kernel } from './types.ts';
import { type HttpResponse, host } from './wasm/platform.ts';

const file = new URL('../dist/kernel.wasm', import.meta.url);

function works(kernel: Kernel): boolean {
  const block = kernel.createBlock({ dim: 2 });
  block.append(new Float32Array([3, 4]));
  return block.scan({ query: new Float32Array([3, 4]), metric: 'IP', k: 1 }).scores[0] === 25;
}

/** A real `Response`, and the addresses asked for. */
function serve(body: Uint8Array<ArrayBuffer>, init: { status?: number; type?: string }) {
  const asked: string[] = [];
  const fetch = async (url: string): Promise<HttpResponse> => {
    asked.push(url);
    return new Response(body, { status: init.status ?? 200, headers: init.type === undefined ? {} : { 'content-type': init.type } });
  };
  return { asked, fetch };
}

describe('loading', () => {
  test('finds the file beside the code', async () => {
    expect(works(await loadKernel())).toBe(true);
  });

  test('takes an address, a URL, bytes, a view of bytes, or a compiled module', async () => {
    const bytes = await readFile(file);
    const copy = new Uint8Array(bytes).buffer;
    for (const wasm of [file.href, file, bytes, copy, await buildModule('kernel.wasm')])
      expect(works(await loadKernel({ wasm }))).toBe(true);
  });

  test('fetches over HTTP, streaming or not, whatever the content type', async () => {
    const bytes = new Uint8Array(await readFile(file));
    for (const type of ['application/wasm', 'application/wasm; charset=x', 'application/octet-stream', undefined]) {
      const { asked, fetch } = serve(bytes, type === undefined ? {} : { type });
      expect(works(await loadKernel({ wasm: 'https://example.test/kernel.wasm', fetch }))).toBe(true);
      expect(asked).toEqual(['https://example.test/kernel.wasm']);
    }
  });

  test('says INTERNAL for a missing file, a refused answer, other bytes and another module', async () => {
    const html = new TextEncoder().encode('<!doctype html>');
    const wasm = 'https://example.test/kernel.wasm';
    await expect(loadModule(new URL('../dist/absent.wasm', import.meta.url))).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(loadModule(wasm, serve(html, { status: 404 }).fetch)).rejects.toMatchObject({
      code: 'INTERNAL',
      details: { status: 404 },
    });
    await expect(loadModule(wasm, serve(html, { type: 'application/wasm' }).fetch)).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(loadModule(wasm, serve(html, { type: 'text/html' }).fetch)).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(loadModule(wasm, () => Promise.reject(new TypeError('offline')))).rejects.toMatchObject({ code: 'INTERNAL' });
    const empty = await host.WebAssembly.compile(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    expect(() => createKernel(empty)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    expect(() => createKernel({})).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });

  test('one module serves several kernels, each with memory of its own', async () => {
    const module = await buildModule('kernel.wasm');
    const [a, b] = [createKernel(module), createKernel(module)];
    a.createBlock({ dim: 2, capacity: 1000 });
    expect(b.usedBytes).toBe(0);
    expect(works(a) && works(b)).toBe(true);
  });
});
