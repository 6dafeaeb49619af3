import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MODEL_DIM, MODEL_FOLDER } from '@terndb/model-mini';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_DIM } from './default-assets.ts';
import { createEmbedder, type Embedder, type LoadProgress } from './node.ts';
import { createLocalEmbedder } from './run/local-embedder.ts';
import { startNodeRuntime } from './run/node-runtime.ts';
import { memorySource, shippedFiles } from './testing/memory-source.ts';

const runtime = await startNodeRuntime();
const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const similarities = async (embedder: Embedder, query: string, texts: readonly string[]) => {
  const [first, ...others] = await embedder.embed([query, ...texts]);
  return others.map((vector) => cosine(first!, vector));
};
const reasonOf = (reason: string) => ({ code: 'EMBEDDER_UNAVAILABLE', details: { reason } });
const integrityOf = (bytes: Uint8Array) => `sha256-${createHash('sha256').update(bytes).digest('base64')}`;
const utf8 = (text: string) => new Uint8Array(Buffer.from(text));

describe('the embedder in Node, with the model that ships with Tern', () => {
  let embedder: Embedder;
  beforeAll(async () => {
    embedder = await createEmbedder();
  });
  afterAll(() => embedder.close());

  it('gives one vector of length 1 per text', async () => {
    const vectors = await embedder.embed(['a young cat', 'the price of oil']);
    expect(embedder.dim).toBe(MODEL_DIM);
    expect(embedder.dim).toBe(DEFAULT_DIM);
    expect(vectors.map((vector) => vector.length)).toEqual([MODEL_DIM, MODEL_DIM]);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
  });

  it('finds what means the same in other words', async () => {
    const [kitten, shares, ship] = await similarities(embedder, 'young cat', ['kitten', 'shares on the stock exchange', 'a sailing ship']);
    expect(kitten).toBeGreaterThan(shares!);
    expect(kitten).toBeGreaterThan(ship!);
  });

  it('gives a text the same vector alone and among others of any length, in the order of the texts', async () => {
    const words = 'the quick brown fox jumps over a lazy dog near the old river bank'.split(' ');
    const texts = Array.from(
      { length: 200 },
      (_, i) => words.slice(i % 7, 1 + ((i * 5) % words.length)).join(' ') || words[i % words.length]!,
    );
    const together = await embedder.embed(texts);
    for (const i of [0, 1, 57, 128, 199]) {
      const [alone] = await embedder.embed([texts[i]!]);
      expect(cosine(alone!, together[i]!)).toBeCloseTo(1, 5);
    }
  });

  it('gives texts without a known word the zero vector, and no text no vector', async () => {
    const [empty] = await embedder.embed(['']);
    expect([...empty!].every((value) => value === 0)).toBe(true);
    expect(await embedder.embed([])).toEqual([]);
  });

  it('reports progress up to the number of texts', async () => {
    const seen: (readonly [number, number])[] = [];
    await embedder.embed(['one', 'two', 'three'], { onProgress: (done, total) => seen.push([done, total]) });
    expect(seen.at(-1)).toEqual([3, 3]);
  });

  it('ends with ABORTED once its signal is aborted, and serves the next call', async () => {
    const controller = new AbortController();
    const texts = Array.from({ length: 5000 }, (_, i) => `passage number ${i}`);
    const running = embedder.embed(texts, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await embedder.embed(['next'])).toHaveLength(1);
  });

  it('is named by the manifest', () => {
    expect(embedder.id).toMatch(/^terndb\/model-mini@\d+$/);
  });
});

describe('texts longer than the model', () => {
  const long = `${'a very old wooden ship with sails '.repeat(300)}and a kitten`;

  it('are embedded whole, window by window, by default', async () => {
    const embedder = await createEmbedder();
    const cuts: number[] = [];
    const [whole, begun] = await embedder.embed([long, long.slice(0, 1000)], { onTruncated: (text) => cuts.push(text) });
    expect(cuts).toEqual([]);
    expect(Math.hypot(...whole!)).toBeCloseTo(1, 4);
    expect(cosine(whole!, begun!)).toBeGreaterThan(0.9);
    await embedder.close();
  });

  it('are cut only when asked to, and never silently', async () => {
    const embedder = await createEmbedder({ longTexts: 'truncate' });
    const cuts: unknown[] = [];
    await embedder.embed(['short', long], { onTruncated: (...cut) => cuts.push(cut) });
    expect(cuts).toEqual([[1, 2103, 512]]);
    await embedder.close();
  });
});

describe('options', () => {
  it('dim keeps the first components, scaled to length 1 again, and names another space', async () => {
    const [small, whole] = await Promise.all([createEmbedder({ dim: 64 }), createEmbedder()]);
    const [[cut], [full]] = await Promise.all([small.embed(['a cat']), whole.embed(['a cat'])]);
    expect(cut).toHaveLength(64);
    expect(Math.hypot(...cut!)).toBeCloseTo(1, 4);
    expect(cut![3]! / cut![0]!).toBeCloseTo(full![3]! / full![0]!, 3);
    expect(small.id).not.toBe(whole.id);
    await expect(createEmbedder({ dim: 257 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await Promise.all([small.close(), whole.close()]);
  });

  it('prompts go before the texts of their kind', async () => {
    const embedder = await createEmbedder({ prompts: { query: 'cat ' } });
    const [[query], [passage], [written]] = await Promise.all([
      embedder.embed(['young'], { kind: 'query' }),
      embedder.embed(['young']),
      embedder.embed(['cat young']),
    ]);
    expect(cosine(query!, written!)).toBeCloseTo(1, 5);
    expect(cosine(query!, passage!)).toBeLessThan(0.99);
    await embedder.close();
  });

  it('integrity lets the right manifest through and no other', async () => {
    const manifest = readFileSync(join(fileURLToPath(MODEL_FOLDER), 'manifest.json'));
    const embedder = await createEmbedder({ model: MODEL_FOLDER, integrity: integrityOf(manifest) });
    await embedder.close();
    await expect(createEmbedder({ integrity: integrityOf(utf8('another')) })).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    await expect(createEmbedder({ integrity: 'md5-x' })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe('a model that cannot be used', () => {
  it('says which file is missing', async () => {
    await expect(createEmbedder({ model: '/nowhere' })).rejects.toMatchObject(reasonOf('model-missing'));
    const files = shippedFiles();
    files.delete('model.onnx');
    await expect(createLocalEmbedder(runtime, memorySource(files))).rejects.toMatchObject(reasonOf('model-missing'));
  });

  it('is refused when a byte of a listed file is another', async () => {
    for (const path of ['model.onnx', 'tokenizer.json', 'config.json']) {
      const files = shippedFiles();
      const bytes = files.get(path)!;
      bytes[bytes.length >> 1]! ^= 1;
      await expect(createLocalEmbedder(runtime, memorySource(files)), path).rejects.toMatchObject({
        code: 'CHECKSUM_MISMATCH',
        details: { file: path },
      });
    }
  });

  it('is refused when integrity is asked for and there is no manifest', async () => {
    const files = shippedFiles();
    files.delete('manifest.json');
    await expect(createLocalEmbedder(runtime, memorySource(files), { integrity: integrityOf(utf8('')) })).rejects.toMatchObject(
      reasonOf('model-missing'),
    );
  });

  it('without a manifest says what is wrong with its files', async () => {
    const damage = async (path: string, bytes: Uint8Array<ArrayBuffer>) => {
      const files = shippedFiles();
      files.delete('manifest.json');
      files.set(path, bytes);
      return createLocalEmbedder(runtime, memorySource(files));
    };
    await expect(damage('model.onnx', utf8('not a graph'))).rejects.toMatchObject(reasonOf('model-unsupported'));
    await expect(damage('tokenizer.json', utf8('{'))).rejects.toMatchObject({ code: 'FORMAT_INVALID' });
    await expect(damage('config.json', utf8('{}'))).resolves.toMatchObject({ dim: MODEL_DIM });
    await expect(damage('1_Pooling/config.json', utf8('{"pooling_mode_max_tokens":true}'))).rejects.toMatchObject(
      reasonOf('model-unsupported'),
    );
  });

  it('answers nothing after it was closed', async () => {
    const embedder = await createEmbedder();
    await embedder.close();
    await expect(embedder.embed(['a'])).rejects.toMatchObject(reasonOf('closed'));
  });
});

describe('a model behind an address', () => {
  it('is loaded with progress, and a server in trouble is told from a missing file', async () => {
    const folder = fileURLToPath(MODEL_FOLDER);
    let broken = false;
    const server = createServer((request, response) => {
      const path = join(folder, (request.url ?? '').replace('/model/', ''));
      if (broken) response.writeHead(503).end();
      else if (!existsSync(path)) response.writeHead(404).end();
      else response.end(readFileSync(path));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const model = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`;
    const progress: LoadProgress[] = [];
    const embedder = await createEmbedder({ model, onProgress: (one) => progress.push(one) });
    expect(await embedder.embed(['a'])).toHaveLength(1);
    await embedder.close();
    const last = progress.filter(({ file }) => file === 'model.onnx').at(-1)!;
    expect(last.loadedBytes).toBe(last.totalBytes);
    expect(last.loadedBytes).toBeGreaterThan(1_000_000);
    broken = true;
    await expect(createEmbedder({ model })).rejects.toMatchObject(reasonOf('unreachable'));
    server.close();
    server.closeAllConnections();
  });
});
