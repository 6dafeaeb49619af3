import { DbError } from '@terndb/core';
import type { Embedder, EmbedOptions, ModelOptions } from '../embedder.ts';
import { throwIfAborted, unavailable } from '../errors.ts';
import { type LoadOptions, loadModel } from '../model/load-model.ts';
import type { ModelSource } from '../model/source.ts';
import { createEncoder, type Encoded } from '../text/encode.ts';
import { batchesByLength } from './batches.ts';
import { createModelRunner, type ModelRunner } from './model-runner.ts';
import { finishVector } from './pooling.ts';
import type { Runtime } from './runtime.ts';

/** Texts are encoded and run this many at a time, so that a call with a million of them holds the windows of few. */
const TEXTS_PER_ROUND = 1024;

/**
 * Loads the model and runs it in this realm: the worker's part, and Node's.
 * @throws as `loadModel` and `createModelRunner` do; OPTION_INVALID when `dim` is more than the model's.
 */
export async function createLocalEmbedder(
  runtime: Runtime,
  source: ModelSource,
  options: ModelOptions & LoadOptions = {},
): Promise<Embedder> {
  const { id, settings, tokenizer, tokenizerConfig, graph } = await loadModel(source, options);
  const dim = options.dim ?? settings.dim;
  if (!Number.isSafeInteger(dim) || dim < 1 || dim > settings.dim)
    throw new DbError('OPTION_INVALID', `dim: expected an integer from 1 to ${settings.dim}, got ${dim}`, { details: { option: 'dim' } });
  const encoder = createEncoder(tokenizer, tokenizerConfig, settings.maxTokens);
  const runner = await createModelRunner(runtime, graph, settings);
  const prompts = { ...settings.prompts, ...options.prompts };
  const longTexts = options.longTexts ?? 'split';
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  async function embedRound(
    texts: readonly string[],
    first: number,
    call: EmbedOptions,
    check: () => void,
    onBatch: (texts: number) => void,
  ) {
    const prompt = prompts[call.kind ?? 'passage'];
    const windows: Encoded[] = [];
    const starts: number[] = [];
    texts.forEach((text, i) => {
      starts.push(windows.length);
      const encoded = encoder.encode(`${prompt}${text}`, longTexts);
      for (const window of encoded.windows) windows.push(window);
      if (encoded.kept < encoded.tokens) call.onTruncated?.(first + i, encoded.tokens, encoded.kept);
    });
    starts.push(windows.length);
    const vectors = await runAll(runner, windows, check, onBatch);
    return texts.map((_, i) => {
      const [from, to] = [starts[i]!, starts[i + 1]!];
      const weights = windows.slice(from, to).map(({ ids }) => ids.length);
      return finishVector(vectors.slice(from, to), weights, { dim, normalize: settings.normalize });
    });
  }

  async function embedAll(texts: readonly string[], call: EmbedOptions): Promise<Float32Array[]> {
    const check = () => {
      throwIfAborted(call.signal);
      if (closed) throw unavailable('closed', `embedder ${id}: expected open, got closed`);
    };
    check();
    const out: Float32Array[] = [];
    for (let first = 0; first < texts.length; first += TEXTS_PER_ROUND) {
      const round = texts.slice(first, first + TEXTS_PER_ROUND);
      let done = 0;
      const vectors = await embedRound(round, first, call, check, (count) => {
        done += count;
        call.onProgress?.(Math.min(first + done, first + round.length), texts.length);
      });
      for (const vector of vectors) out.push(vector);
    }
    return out;
  }

  return {
    id: dim === settings.dim ? id : `${id}/${dim}`,
    dim,
    device: runtime.device,
    embed(texts, call = {}) {
      const turn = last.then(() => embedAll(texts, call));
      last = turn.catch(() => undefined);
      return turn;
    },
    async close() {
      if (closed) return;
      closed = true;
      await last;
      await runner.release();
    },
  };
}

/** One vector per window, in order. Progress counts windows: a text that was split counts more than once, so the caller caps it. */
async function runAll(
  runner: ModelRunner,
  windows: readonly Encoded[],
  check: () => void,
  onBatch: (windows: number) => void,
): Promise<Float32Array[]> {
  const out = new Array<Float32Array>(windows.length);
  for (const batch of batchesByLength(windows.map(({ ids }) => ids.length))) {
    check();
    const vectors = await runner.run(batch.map((index) => windows[index]!));
    batch.forEach((index, i) => {
      out[index] = vectors[i]!;
    });
    onBatch(batch.length);
  }
  check();
  return out;
}
