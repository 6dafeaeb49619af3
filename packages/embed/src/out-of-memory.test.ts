import { setFlagsFromString } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { createLocalEmbedder } from './run/local-embedder.ts';
import { startNodeRuntime } from './run/node-runtime.ts';
import { sessionError } from './run/runtime.ts';
import { memorySource } from './testing/memory-source.ts';
import { FLOAT, type Graph, INT64 } from './testing/onnx-writer.ts';
import { bertFolder, DIM } from './testing/tiny-bert.ts';
import { wordPiece } from './testing/tokenizers.ts';

const OUT_OF_MEMORY = { code: 'EMBEDDER_UNAVAILABLE', details: { reason: 'out-of-memory' } };
const folder = { tokenizer: wordPiece, pooling: 'mean_tokens' } as const;
/** Pages of 64 KiB for all WebAssembly of this process: enough for onnxruntime itself. */
const MEMORY_PAGES = 2048;
/** 100 MB for each token of the text. */
const ROWS_PER_TOKEN = 3_125_000n;

const greedy: Graph = {
  nodes: [
    { op: 'Shape', inputs: ['input_ids'], output: 'shape' },
    { op: 'Mul', inputs: ['shape', 'much'], output: 'size' },
    { op: 'Concat', inputs: ['size', 'dim'], output: 'dims', attributes: { axis: 0 } },
    { op: 'ConstantOfShape', inputs: ['dims'], output: 'last_hidden_state' },
  ],
  tensors: [
    { name: 'much', dims: [2], data: BigInt64Array.of(1n, ROWS_PER_TOKEN) },
    { name: 'dim', dims: [1], data: BigInt64Array.of(BigInt(DIM)) },
  ],
  inputs: [{ name: 'input_ids', type: INT64, dims: ['batch', 'tokens'] }],
  outputs: [{ name: 'last_hidden_state', type: FLOAT, dims: ['batch', 'tokens', DIM] }],
};

describe('a model that memory does not suffice for', () => {
  it('says so, and a smaller one works', async () => {
    setFlagsFromString(`--wasm-max-mem-pages=${MEMORY_PAGES}`);
    const runtime = await startNodeRuntime();
    const large = await createLocalEmbedder(runtime, memorySource(bertFolder({ ...folder, graph: greedy })));
    await expect(large.embed(['a kitten'])).rejects.toMatchObject(OUT_OF_MEMORY);
    const small = await createLocalEmbedder(runtime, memorySource(bertFolder(folder)));
    expect(await small.embed(['a kitten'])).toHaveLength(1);
  });

  it.each([
    "Can't create a session. failed to allocate a buffer of size 2147483648.",
    'WebAssembly.Memory(): could not allocate memory',
    'std::bad_alloc',
    'Array buffer allocation failed',
  ])('is known by what onnxruntime and browsers say: %s', (text) => {
    expect(sessionError(new Error(text))).toMatchObject(OUT_OF_MEMORY);
  });
});
