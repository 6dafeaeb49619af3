import { Tokenizer } from '@huggingface/tokenizers';
import { textOf, unavailable } from '../errors.ts';

/** A text as the model reads it, at most `maxTokens` ids. */
export interface Encoded {
  readonly ids: readonly number[];
}

/** What to do with a text longer than the model reads. */
export type LongTexts = 'split' | 'truncate';

export interface Encoder {
  /**
   * @returns the text's windows, at least one: with `split` all of its tokens in windows of equal length, with `truncate` its beginning.
   *   `tokens` counts those of the text, `kept` those in the windows, special ones aside: fewer means that the text was cut.
   */
  encode(text: string, longTexts: LongTexts): { readonly windows: readonly Encoded[]; readonly tokens: number; readonly kept: number };
}

/** Any tokenizer gives it at least one token. */
const PROBE = 'a';

/** @throws EMBEDDER_UNAVAILABLE (`model-unsupported`) for a tokenizer of a kind that the library does not know. */
export function createEncoder(tokenizerJson: object, tokenizerConfig: object, maxTokens: number): Encoder {
  const tokenizer = createTokenizer(tokenizerJson, tokenizerConfig);
  const { before, after } = specialsOf(tokenizer);
  const room = Math.max(1, maxTokens - before.length - after.length);
  const wrap = (ids: readonly number[]): Encoded => ({ ids: [...before, ...ids, ...after] });
  return {
    encode(text, longTexts) {
      const { ids } = tokenizer.encode(text, { add_special_tokens: false });
      const tokens = ids.length;
      if (tokens <= room) return { windows: [wrap(ids)], tokens, kept: tokens };
      if (longTexts === 'truncate') return { windows: [wrap(ids.slice(0, room))], tokens, kept: room };
      return { windows: splitEvenly(ids, room).map(wrap), tokens, kept: tokens };
    },
  };
}

function createTokenizer(json: object, config: object): Tokenizer {
  try {
    const tokenizer = new Tokenizer(json, config);
    tokenizer.encode(PROBE);
    return tokenizer;
  } catch (error) {
    throw unavailable('model-unsupported', `tokenizer.json: ${textOf(error)}`, error);
  }
}

/** What the model's post-processor puts around a text (`[CLS]` … `[SEP]`). */
function specialsOf(tokenizer: Tokenizer): { before: number[]; after: number[] } {
  const bare = tokenizer.encode(PROBE, { add_special_tokens: false }).ids;
  const whole = tokenizer.encode(PROBE).ids;
  const first = bare[0];
  const start =
    first === undefined ? whole.length : whole.findIndex((id, i) => id === first && bare.every((part, j) => whole[i + j] === part));
  if (start < 0) throw unavailable('model-unsupported', 'tokenizer.json: its post-processor changes the text itself');
  return { before: whole.slice(0, start), after: whole.slice(start + bare.length) };
}

/** Windows of nearly equal length: a short last one would weigh as much as the others. */
function splitEvenly(ids: readonly number[], room: number): number[][] {
  const count = Math.ceil(ids.length / room);
  return Array.from({ length: count }, (_, i) =>
    ids.slice(Math.round((i * ids.length) / count), Math.round(((i + 1) * ids.length) / count)),
  );
}
