import { MAX_RECORD_CHARS } from './limits.ts';

export interface Line {
  /** Counts from 1. */
  readonly number: number;
  readonly text: string;
  /** The line was longer than a record may be; `text` is its beginning. */
  readonly cut: boolean;
}

/** Lines of a text that arrives in chunks, without their ends (LF or CRLF). Memory is bounded by the longest record. */
export async function* readLines(chunks: AsyncIterable<string>): AsyncGenerator<Line, void, undefined> {
  let number = 1;
  let rest = '';
  let cut = false;
  const line = (text: string): Line => ({ number: number++, text: text.endsWith('\r') ? text.slice(0, -1) : text, cut });
  for await (const chunk of chunks) {
    const parts = chunk.split('\n');
    for (let i = 0; i < parts.length; i++) {
      if (!cut) rest += parts[i]!;
      if (rest.length > MAX_RECORD_CHARS) {
        rest = rest.slice(0, MAX_RECORD_CHARS);
        cut = true;
      }
      if (i === parts.length - 1) break;
      yield line(rest);
      rest = '';
      cut = false;
    }
  }
  if (rest !== '') yield line(rest);
}
