import { highlight } from './highlight.ts';

export function MarkedText({ text, words }: { text: string; words: readonly string[] }) {
  // Parts have no identity but their place.
  // biome-ignore lint/suspicious/noArrayIndexKey: see above
  return highlight(text, words).map((part, i) => (part.marked ? <mark key={i}>{part.text}</mark> : part.text));
}
