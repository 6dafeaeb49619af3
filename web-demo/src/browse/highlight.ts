/** A run of text that is, or is not, part of what was searched for. */
export interface Part {
  readonly text: string;
  readonly marked: boolean;
}
/** Start and end in UTF-16 units, as searches give them: ascending, apart from each other. */
export type Ranges = readonly (readonly [number, number])[];

export const NO_RANGES: Ranges = [];

/** The text in runs. Ranges that an edit has left behind are cut, never thrown at. */
export function markRanges(text: string, ranges: Ranges): readonly Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const [from, to] of ranges) {
    const start = Math.max(from, end);
    const stop = Math.min(to, text.length);
    if (start >= stop) continue;
    if (start > end) parts.push({ text: text.slice(end, start), marked: false });
    parts.push({ text: text.slice(start, stop), marked: true });
    end = stop;
  }
  if (end < text.length || parts.length === 0) parts.push({ text: text.slice(end), marked: false });
  return parts;
}

export interface Snippet {
  readonly text: string;
  readonly ranges: Ranges;
}

const SNIPPET_CHARS = 260;
const LEAD_CHARS = 60;
const CUT = '…';

/** The stretch of a long text that shows the first match, else its beginning. Line breaks become blanks, one for one: ranges stay true. */
export function snippet(text: string, ranges: Ranges): Snippet {
  const flat = text.replace(/\s/g, ' ');
  if (flat.length <= SNIPPET_CHARS) return { text: flat, ranges };
  const first = ranges[0]?.[0] ?? 0;
  const from = first <= SNIPPET_CHARS - LEAD_CHARS ? 0 : startNear(flat, first);
  const end = from + SNIPPET_CHARS;
  const before = from === 0 ? '' : CUT;
  const shift = before.length - from;
  const inside = ranges.filter(([, to]) => to > from).filter(([at]) => at < end);
  return {
    text: before + flat.slice(from, end),
    ranges: inside.map(([at, to]) => [Math.max(at, from) + shift, Math.min(to, end) + shift] as const),
  };
}

/** Some words before the place, or the place itself if it is inside a very long one. */
function startNear(text: string, at: number): number {
  const blank = text.indexOf(' ', at - LEAD_CHARS);
  return blank === -1 || blank >= at ? at : blank + 1;
}

/** The distinct words of the text that are marked, in small letters, in order of appearance. */
export function markedWords(text: string, ranges: Ranges): readonly string[] {
  return [
    ...new Set(
      markRanges(text, ranges)
        .filter((part) => part.marked)
        .map((part) => part.text.toLowerCase()),
    ),
  ];
}
