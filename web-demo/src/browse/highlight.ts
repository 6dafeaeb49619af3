/** A run of text that is, or is not, part of what was searched for. */
export interface Part {
  readonly text: string;
  readonly marked: boolean;
}

const WORD = /[\p{L}\p{N}]+/gu;

export function wordsOf(text: string): readonly string[] {
  return (text.toLowerCase().match(WORD) ?? []) as readonly string[];
}

/** Marks the words of the question as the search matches them: whole words, the last one as a beginning too. */
export function highlight(text: string, words: readonly string[]): readonly Part[] {
  const last = words.at(-1);
  if (last === undefined) return [{ text, marked: false }];
  const whole = new Set(words);
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(WORD)) {
    const word = match[0].toLowerCase();
    const length = whole.has(word) ? match[0].length : word.startsWith(last) ? last.length : 0;
    if (length === 0) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index), marked: false });
    end = match.index + length;
    parts.push({ text: text.slice(match.index, end), marked: true });
  }
  if (end < text.length) parts.push({ text: text.slice(end), marked: false });
  return parts;
}

const SNIPPET_CHARS = 260;
const LEAD_CHARS = 60;

/** The stretch of a long text that shows the first match, else its beginning. */
export function snippet(text: string, words: readonly string[]): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  if (flat.length <= SNIPPET_CHARS) return flat;
  const first = highlight(flat, words)[0];
  const at = first === undefined || first.marked || first.text.length === flat.length ? 0 : first.text.length;
  if (at <= SNIPPET_CHARS - LEAD_CHARS) return flat.slice(0, SNIPPET_CHARS);
  const start = flat.indexOf(' ', at - LEAD_CHARS) + 1;
  return `…${flat.slice(start, start + SNIPPET_CHARS)}`;
}
