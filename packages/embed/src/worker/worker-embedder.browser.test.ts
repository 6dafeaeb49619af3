import webgpuWasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { describe, expect, it } from 'vitest';
import { createEmbedder } from '../index.ts';

/** Vite serves the repository's files as they are. */
const model = new URL('/packages/model-mini/model/', location.href);
const startWorker = () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const hasWebGpu = async () => {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<object | null> } };
  return gpu !== undefined && (await gpu.requestAdapter()) !== null;
};
const texts = Array.from({ length: 4000 }, (_, i) => `passage number ${i} about cats`);

describe('the embed worker', () => {
  it('loads the model from the page’s own origin and puts meaning near meaning', async () => {
    const files = new Set<string>();
    const embedder = await createEmbedder({ model, wasm, onProgress: ({ file }) => files.add(file) });
    const [query, near, far] = await embedder.embed(['young cat', 'kitten', 'shares on the stock exchange']);
    expect(cosine(query!, near!)).toBeGreaterThan(cosine(query!, far!));
    expect(Math.hypot(...query!)).toBeCloseTo(1, 4);
    expect(files).toContain('model.onnx');
    await embedder.close();
    await expect(embedder.embed(['a'])).rejects.toMatchObject({ code: 'EMBEDDER_UNAVAILABLE', details: { reason: 'closed' } });
  });

  it('stops a call that is aborted, and answers the next', async () => {
    const embedder = await createEmbedder({ model, wasm });
    const controller = new AbortController();
    const running = embedder.embed(texts, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await embedder.embed(['next'])).toHaveLength(1);
    await embedder.close();
  });

  it('is replaced when it dies: calls that ran say so, the next call works', async () => {
    const workers: Worker[] = [];
    const worker = () => {
      workers.push(startWorker());
      return workers.at(-1)!;
    };
    const embedder = await createEmbedder({ model, wasm, worker });
    const started = Promise.withResolvers<void>();
    const running = embedder.embed(texts, { onProgress: () => started.resolve() });
    const lost = expect(running).rejects.toMatchObject({ code: 'EMBEDDER_UNAVAILABLE', details: { reason: 'worker-lost' } });
    await started.promise;
    // What the browser does when a worker runs out of memory.
    workers[0]!.terminate();
    workers[0]!.onerror!(new ErrorEvent('error', { message: 'out of memory' }));
    await lost;
    expect(await embedder.embed(['next'])).toHaveLength(1);
    expect(workers).toHaveLength(2);
    await embedder.close();
  });

  it('ends its worker after a while without work, never during work, and starts another for the next call', async () => {
    const workers: Worker[] = [];
    const worker = () => {
      workers.push(startWorker());
      return workers.at(-1)!;
    };
    const timers = new Set<() => void>();
    const after = (_delayMs: number, callback: () => void) => {
      timers.add(callback);
      return () => timers.delete(callback);
    };
    const embedder = await createEmbedder({ model, wasm, worker, idle: { afterMs: 1000, after } });
    expect(timers.size).toBe(1);
    const started = Promise.withResolvers<void>();
    const running = embedder.embed(texts, { onProgress: () => started.resolve() });
    await started.promise;
    expect(timers.size).toBe(0);
    expect(await running).toHaveLength(texts.length);
    expect(timers.size).toBe(1);
    for (const ring of [...timers]) ring();
    await new Promise((resolve) => setTimeout(resolve));
    const [near] = await embedder.embed(['kitten']);
    expect(Math.hypot(...near!)).toBeCloseTo(1, 4);
    expect(workers).toHaveLength(2);
    await embedder.close();
    expect(timers.size).toBe(0);
  });

  it('runs in WebAssembly where WebGPU was asked for and is not there, and says so', async ({ skip }) => {
    if (await hasWebGpu()) skip('this browser has WebGPU');
    // Not even asked for its own WebAssembly.
    const embedder = await createEmbedder({ model, wasm, webgpu: { wasm: '/no-such.wasm' } });
    expect(embedder.device).toBe('wasm');
    expect(await embedder.embed(['a'])).toHaveLength(1);
    await embedder.close();
  });

  it('runs on WebGPU where it was asked for and is there, with the same vectors', async ({ skip }) => {
    if (!(await hasWebGpu()))
      skip('this browser has no WebGPU; Chromium has it with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader');
    const sample = ['young cat', 'kitten', 'shares on the stock exchange'];
    const plain = await createEmbedder({ model, wasm });
    const embedder = await createEmbedder({ model, wasm, webgpu: { wasm: webgpuWasm } });
    expect([plain.device, embedder.device]).toEqual(['wasm', 'webgpu']);
    const [expected, got] = await Promise.all([plain.embed(sample), embedder.embed(sample)]);
    for (const [i, vector] of expected.entries()) expect(cosine(vector, got[i]!)).toBeCloseTo(1, 4);
    await Promise.all([plain.close(), embedder.close()]);
    await expect(createEmbedder({ model, wasm, webgpu: { wasm: '/no-such.wasm' } })).rejects.toMatchObject({
      code: 'EMBEDDER_UNAVAILABLE',
      details: { reason: 'runtime-missing' },
    });
  });

  it('says what is missing: the model, onnxruntime', async () => {
    const nowhere = new URL('/packages/no-such-model/', location.href);
    // Vite answers unknown paths with its page, so the first thing wrong is the manifest's form.
    await expect(createEmbedder({ model: nowhere, wasm })).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:EMBEDDER_UNAVAILABLE|FORMAT_INVALID)$/),
    });
    await expect(createEmbedder({ model, wasm: '/no-such.wasm' })).rejects.toMatchObject({
      code: 'EMBEDDER_UNAVAILABLE',
      details: { reason: 'runtime-missing' },
    });
  });
});
