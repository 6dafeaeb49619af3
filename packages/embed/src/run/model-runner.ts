import { unavailable } from '../errors.ts';
import type { ModelSettings } from '../model/settings.ts';
import type { Encoded } from '../text/encode.ts';
import { poolTokens } from './pooling.ts';
import { createSession, type Ort, type Runtime, sessionError } from './runtime.ts';

/** A loaded graph. One call at a time. */
export interface ModelRunner {
  /** @returns one vector per window, in order, owned by the caller; not yet normalised, unless the graph does. */
  run(windows: readonly Encoded[]): Promise<Float32Array[]>;
  release(): Promise<void>;
}

/** Outputs that are a text's vector already, and those that are one per token: exports' usual names, best first. */
const TEXT_OUTPUTS = ['sentence_embedding', 'sentence_embeddings', 'text_embeds'];
const TOKEN_OUTPUTS = ['last_hidden_state', 'token_embeddings', 'hidden_states'];
const KNOWN_INPUTS = new Set(['input_ids', 'attention_mask', 'token_type_ids', 'position_ids']);

/** @throws EMBEDDER_UNAVAILABLE (`runtime-missing`, `model-unsupported`, `out-of-memory`) */
export async function createModelRunner(runtime: Runtime, graph: Uint8Array, settings: ModelSettings): Promise<ModelRunner> {
  const session = await createSession(runtime, graph);
  const { inputNames, outputNames } = session;
  const strange = inputNames.filter((name) => !KNOWN_INPUTS.has(name));
  const output = [...TEXT_OUTPUTS, ...TOKEN_OUTPUTS].find((name) => outputNames.includes(name)) ?? outputNames[0];
  if (strange.length > 0 || output === undefined) {
    await session.release();
    throw unavailable('model-unsupported', `model: inputs ${[...KNOWN_INPUTS].join(', ')} expected, got ${inputNames.join(', ')}`);
  }
  return {
    async run(windows) {
      const feeds = feedsOf(runtime.ort, windows, inputNames, settings.padId);
      let results: Awaited<ReturnType<typeof session.run>>;
      try {
        results = await session.run(feeds.tensors, [output]);
      } catch (error) {
        throw sessionError(error);
      }
      const tensor = results[output]!;
      const data = tensor.data as Float32Array;
      const { dims } = tensor;
      const dim = dims[dims.length - 1] ?? 0;
      if (dim !== settings.dim || tensor.type !== 'float32') {
        throw unavailable(
          'model-unsupported',
          `model output ${output}: expected float32 of dim ${settings.dim}, got ${tensor.type} of ${dim}`,
        );
      }
      // A copy per text: the tensor's memory is onnxruntime's.
      if (dims.length === 2) return windows.map((_, i) => data.slice(i * dim, (i + 1) * dim));
      return poolTokens({ data, mask: feeds.mask, texts: windows.length, tokens: feeds.tokens, dim }, settings.pooling);
    },
    release: () => session.release(),
  };
}

/** Windows padded on the right to the longest, as int64. */
function feedsOf(ort: Ort, windows: readonly Encoded[], inputNames: readonly string[], padId: number) {
  // No model likes a sequence of none: an empty text is one masked padding token.
  const tokens = Math.max(1, ...windows.map(({ ids }) => ids.length));
  const size = windows.length * tokens;
  const ids = new BigInt64Array(size).fill(BigInt(padId));
  const mask = new BigInt64Array(size);
  const positions = new BigInt64Array(size);
  windows.forEach((window, row) => {
    window.ids.forEach((id, i) => {
      ids[row * tokens + i] = BigInt(id);
      mask[row * tokens + i] = 1n;
      positions[row * tokens + i] = BigInt(i);
    });
  });
  const inputs: Record<string, BigInt64Array> = {
    input_ids: ids,
    attention_mask: mask,
    token_type_ids: new BigInt64Array(size),
    position_ids: positions,
  };
  const tensors = Object.fromEntries(inputNames.map((name) => [name, new ort.Tensor('int64', inputs[name]!, [windows.length, tokens])]));
  return { tensors, mask, tokens };
}
