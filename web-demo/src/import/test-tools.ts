import type { Parsed, ParsedPassage, Parser, Problem } from './parsed.ts';

/** The text in chunks of `size` characters: parsers must not care where chunks end. */
export async function* inChunks(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

export interface Collected {
  readonly passages: readonly ParsedPassage[];
  readonly problems: readonly Problem[];
}

export async function collect(parsed: AsyncIterable<Parsed>): Promise<Collected> {
  const passages: ParsedPassage[] = [];
  const problems: Problem[] = [];
  for await (const item of parsed) {
    if ('passage' in item) passages.push(item.passage);
    else problems.push(item.problem);
  }
  return { passages, problems };
}

export function parseText(parser: Parser, text: string, options: { fileName: string; chunkChars?: number }): Promise<Collected> {
  return collect(parser(inChunks(text, options.chunkChars ?? 7), { fileName: options.fileName }));
}
