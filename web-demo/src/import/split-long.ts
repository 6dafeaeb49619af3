import { MAX_BODY_CHARS } from './limits.ts';

/** Parts of at most `MAX_BODY_CHARS`, cut between paragraphs where possible, then between lines and words. */
export function splitLong(body: string): readonly string[] {
  const parts: string[] = [];
  let rest = body.trim();
  while (rest.length > MAX_BODY_CHARS) {
    const cut =
      ['\n\n', '\n', ' '].map((mark) => rest.lastIndexOf(mark, MAX_BODY_CHARS)).find((at) => at > MAX_BODY_CHARS / 2) ?? MAX_BODY_CHARS;
    parts.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  if (rest !== '') parts.push(rest);
  return parts;
}
