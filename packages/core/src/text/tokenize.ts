/**
 * The keyword tokenizer, `keyword-1`: what `match`, `phrase` and keyword search see of a text. NFKC (so full-width and composed forms are one),
 * lower case (without locale), then runs of letters, numbers and the marks that follow them. No stemming, no stop words, no segmentation of
 * scripts written without spaces. This behaviour is pinned: token indexes built with it must find what it finds. Real analyzers get other names.
 */
const TOKEN = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;

/** Tokens in the order of the text, repeated ones repeated. Cost: O(text). */
export function tokenize(text: string): string[] {
  return text.normalize('NFKC').toLowerCase().match(TOKEN) ?? [];
}
