import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createEmbedder } from './node.ts';
import { createLocalEmbedder } from './run/local-embedder.ts';
import { startNodeRuntime } from './run/node-runtime.ts';
import { memorySource } from './testing/memory-source.ts';
import { FLOAT, INT64 } from './testing/onnx-writer.ts';
import { bertFolder, bertGraph, DIM, type FolderOptions, hiddenStates } from './testing/tiny-bert.ts';
import { bytePair, unigram, wordPiece } from './testing/tokenizers.ts';

const runtime = await startNodeRuntime();
const open = (options: FolderOptions, more: Parameters<typeof createLocalEmbedder>[2] = {}) =>
  createLocalEmbedder(runtime, memorySource(bertFolder(options)), more);
const unit = (vector: readonly number[]) => vector.map((value) => value / Math.hypot(...vector));
const meanOf = (rows: readonly (readonly number[])[]) => rows[0]!.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length);
const expectClose = (got: Float32Array, expected: readonly number[]) => {
  expect(got).toHaveLength(expected.length);
  for (const [d, value] of expected.entries()) expect(got[d]).toBeCloseTo(value, 4);
};
/** By hand, with the tokenizers of the tests. */
const KITTEN = [2, 4, 5, 6, 3];
const CAFE = [2, 7, 3];

describe('a sentence-transformers export of BERT', () => {
  it('gives the mean of its tokens, scaled to length 1, alike alone and padded in a batch', async () => {
    const embedder = await open({ tokenizer: wordPiece, pooling: 'mean_tokens' });
    const [kitten, cafe] = await embedder.embed(['a kitten', 'café']);
    expectClose(kitten!, unit(meanOf(hiddenStates(KITTEN))));
    expectClose(cafe!, unit(meanOf(hiddenStates(CAFE))));
    const [alone] = await embedder.embed(['café']);
    expectClose(alone!, [...cafe!]);
  });

  it('gives the first or the last token where its folder says so, unscaled where it has no module for that', async () => {
    const first = await open({ tokenizer: wordPiece, pooling: 'cls_token', normalize: false });
    const last = await open({ tokenizer: wordPiece, pooling: 'lasttoken', normalize: false });
    const texts = ['café', 'a kitten'];
    const [[cafe], [, kitten]] = await Promise.all([first.embed(texts), last.embed(texts)]);
    expectClose(cafe!, hiddenStates(CAFE)[0]!);
    expectClose(kitten!, hiddenStates(KITTEN).at(-1)!);
  });

  it.each([
    ['byte pairs', bytePair, 'a kit', [1, 8]],
    ['Unigram', unigram, 'a kitten', [4, 7, 1]],
  ])('reads its text through %s', async (_name, tokenizer, text, ids) => {
    const embedder = await open({ tokenizer, pooling: 'mean_tokens' });
    const [vector] = await embedder.embed([text]);
    expectClose(vector!, unit(meanOf(hiddenStates(ids))));
  });

  it('puts its prompts before queries and passages', async () => {
    const embedder = await open({ tokenizer: wordPiece, pooling: 'mean_tokens', prompts: { query: 'a ', document: 'kit ' } });
    const [[query], [passage]] = await Promise.all([embedder.embed(['café'], { kind: 'query' }), embedder.embed(['café'])]);
    expectClose(query!, unit(meanOf(hiddenStates([2, 4, 7, 3]))));
    expectClose(passage!, unit(meanOf(hiddenStates([2, 5, 7, 3]))));
  });

  it('keeps the first components when asked to (Matryoshka), scaled after the cut', async () => {
    const embedder = await open({ tokenizer: wordPiece, pooling: 'mean_tokens' }, { dim: DIM / 2 });
    const [vector] = await embedder.embed(['a kitten']);
    expectClose(vector!, unit(meanOf(hiddenStates(KITTEN)).slice(0, DIM / 2)));
  });

  it('reads a text longer than its positions in windows, weighted by their tokens', async () => {
    const embedder = await open({ tokenizer: wordPiece, pooling: 'mean_tokens' });
    const [vector] = await embedder.embed([`${'a '.repeat(9)}${'kitten '.repeat(3)}`]);
    const windows = [
      [2, 4, 4, 4, 4, 4, 4, 4, 4, 3],
      [2, 4, 5, 6, 5, 6, 5, 6, 3],
    ];
    const parts = windows.map((ids) => meanOf(hiddenStates(ids)));
    const share = windows[0]!.length / (windows[0]!.length + windows[1]!.length);
    expectClose(vector!, unit(parts[0]!.map((value, d) => share * value + (1 - share) * parts[1]![d]!)));
  });

  it('is read from a folder on disk, its graph in onnx/ as exports have it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tiny-bert-'));
    for (const [path, bytes] of bertFolder({ tokenizer: wordPiece, pooling: 'mean_tokens' })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    const embedder = await createEmbedder({ model: folder });
    expect(embedder).toMatchObject({ dim: DIM, device: 'wasm' });
    const [vector] = await embedder.embed(['a kitten']);
    expectClose(vector!, unit(meanOf(hiddenStates(KITTEN))));
    await embedder.close();
    rmSync(folder, { recursive: true });
  });
});

describe('a graph that cannot be run', () => {
  const ids = [{ name: 'input_ids', type: INT64, dims: ['batch', 'tokens'] }] as const;
  const hidden = [{ name: 'last_hidden_state', type: FLOAT, dims: ['batch', 'tokens', DIM] }] as const;
  const folder = { tokenizer: wordPiece, pooling: 'mean_tokens' } as const;
  const reason = (name: string) => ({ code: 'EMBEDDER_UNAVAILABLE', details: { reason: name } });

  it('says so when it has an operator that nobody knows', async () => {
    const graph = {
      nodes: [{ op: 'Ponder', inputs: ['input_ids'], output: 'last_hidden_state' }],
      tensors: [],
      inputs: ids,
      outputs: hidden,
    };
    await expect(open({ ...folder, graph })).rejects.toMatchObject({
      ...reason('model-unsupported'),
      message: expect.stringContaining('Ponder'),
    });
  });

  it('says so when it wants an input that we do not have, or gives another width than its folder says', async () => {
    const bert = bertGraph();
    const strange = { ...bert, inputs: [...bert.inputs, { name: 'pixel_values', type: FLOAT, dims: [1] } as const] };
    await expect(open({ ...folder, graph: strange })).rejects.toMatchObject(reason('model-unsupported'));
    const files = bertFolder(folder);
    files.set(
      '1_Pooling/config.json',
      new Uint8Array(new TextEncoder().encode('{"word_embedding_dimension":9,"pooling_mode_mean_tokens":true}')),
    );
    const other = await createLocalEmbedder(runtime, memorySource(files));
    await expect(other.embed(['a'])).rejects.toMatchObject(reason('model-unsupported'));
  });
});
