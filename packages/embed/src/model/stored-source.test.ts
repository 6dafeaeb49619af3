import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryChunks } from '../testing/memory-chunks.ts';
import { CHUNK_BYTES } from './chunk-store.ts';
import { loadModel } from './load-model.ts';
import { createStoredSource } from './stored-source.ts';

const bytes = Uint8Array.from({ length: 3 * CHUNK_BYTES + 5 }, (_, i) => (i * 7) & 0xff);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const expected = { bytes: bytes.length, sha256 };
const asks: string[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let address: string;
const server = createServer((request, response) => {
  asks.push(`${request.url} ${request.headers.range ?? 'all'}`);
  answer(request, response);
});

/** With ranges; `cutAt` ends the connection after so many bytes. */
const serve =
  (file: Uint8Array, cutAt = Number.POSITIVE_INFINITY) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const rest = file.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length });
    if (rest.length <= cutAt) response.end(rest);
    else response.write(rest.subarray(0, cutAt), () => response.destroy());
  };

beforeEach(async () => {
  asks.length = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('a model kept on this device', () => {
  it('is downloaded once, in chunks, and found by its hash', async () => {
    answer = serve(bytes);
    const store = memoryChunks();
    expect(await createStoredSource(address, store).read('model.onnx', { expected })).toEqual(bytes);
    expect(await createStoredSource(`${address}-moved`, store).read('model.onnx', { expected })).toEqual(bytes);
    expect(asks).toEqual(['/model/model.onnx all']);
    expect(store.files.get(`sha256-${sha256}`)).toMatchObject({ bytes: bytes.length, isComplete: true });
    expect(store.chunks.get(`sha256-${sha256}`)!.length).toBeGreaterThanOrEqual(3);
  });

  it('goes on where a download ended, and tells progress from there', async () => {
    const store = memoryChunks();
    const source = createStoredSource(address, store);
    answer = serve(bytes, 2 * CHUNK_BYTES + 100_000);
    await expect(source.read('model.onnx', { expected })).rejects.toMatchObject({ details: { reason: 'unreachable' } });
    const kept = store.files.get(`sha256-${sha256}`)!;
    expect(kept).toMatchObject({ isComplete: false });
    expect(kept.bytes).toBeGreaterThanOrEqual(CHUNK_BYTES);
    answer = serve(bytes);
    const seen: number[] = [];
    expect(await source.read('model.onnx', { expected, onProgress: (loaded) => seen.push(loaded) })).toEqual(bytes);
    expect(asks[1]).toBe(`/model/model.onnx bytes=${kept.bytes}-`);
    expect(seen[0]).toBeGreaterThan(kept.bytes);
    expect(seen.at(-1)).toBe(bytes.length);
  });

  it('begins anew at a server without ranges', async () => {
    const store = memoryChunks();
    const source = createStoredSource(address, store);
    answer = serve(bytes, 2 * CHUNK_BYTES);
    await expect(source.read('model.onnx', { expected })).rejects.toMatchObject({ code: 'EMBEDDER_UNAVAILABLE' });
    answer = (_, response) => response.end(bytes);
    expect(await source.read('model.onnx', { expected })).toEqual(bytes);
    expect(await source.read('model.onnx', { expected })).toEqual(bytes);
    expect(asks).toHaveLength(2);
  });

  it('is refused and forgotten when its bytes are other than the manifest says', async () => {
    const manifest = {
      id: 'm',
      files: { 'config.json': { bytes: 15, sha256: createHash('sha256').update('{"dim":1,"a":2}').digest('hex') } },
    };
    let config = '{"dim":1,"a":3}';
    answer = (request, response) => response.end(request.url!.endsWith('manifest.json') ? JSON.stringify(manifest) : config);
    const store = memoryChunks();
    const load = () => loadModel(createStoredSource(address, store));
    await expect(load()).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    expect([...store.files.keys()].filter((name) => name.startsWith('sha256-'))).toEqual([]);
    config = '{"dim":1,"a":2}';
    // The right bytes now; what is wrong next is that there is no more than a configuration.
    await expect(load()).rejects.toMatchObject({ code: expect.not.stringMatching('CHECKSUM_MISMATCH') });
  });

  it('asks for the manifest each time, and uses the last one when nobody answers', async () => {
    const store = memoryChunks();
    const source = createStoredSource(address, store);
    const text = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value);
    answer = (_, response) => response.end('one');
    expect(text(await source.read('manifest.json'))).toBe('one');
    answer = (_, response) => response.end('two!');
    expect(text(await source.read('manifest.json'))).toBe('two!');
    answer = (_, response) => response.writeHead(503).end();
    expect(text(await source.read('manifest.json'))).toBe('two!');
    // Known by its own hash it is not asked for again.
    answer = (_, response) => response.end('three');
    expect(text(await source.read('manifest.json', { expected: 'sha256-x' }))).toBe('three');
    const asked = asks.length;
    expect(text(await source.read('manifest.json', { expected: 'sha256-x' }))).toBe('three');
    expect(asks).toHaveLength(asked);
  });

  it('says that a file is missing, and keeps nothing of it', async () => {
    answer = (_, response) => response.writeHead(404).end();
    const store = memoryChunks();
    expect(await createStoredSource(address, store).read('model.onnx', { expected })).toBeUndefined();
    expect(store.files.size).toBe(0);
  });
});
