import { markRanges, type Ranges } from './highlight.ts';

export function MarkedText({ text, ranges }: { text: string; ranges: Ranges }) {
  // Parts have no identity but their place.
  // biome-ignore lint/suspicious/noArrayIndexKey: see above
  return markRanges(text, ranges).map((part, i) => (part.marked ? <mark key={i}>{part.text}</mark> : part.text));
}
