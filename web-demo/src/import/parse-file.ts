import { parseCsv } from './csv.ts';
import { decodeText, NotTextError } from './decode-text.ts';
import { parseJsonl } from './jsonl.ts';
import { parseMarkdown } from './markdown.ts';
import type { ParseContext, Parsed, Parser } from './parsed.ts';
import { problemAt } from './parsed.ts';
import { parsePlainText } from './plain-text.ts';

const PARSERS: Readonly<Record<string, Parser>> = {
  jsonl: parseJsonl,
  ndjson: parseJsonl,
  csv: parseCsv,
  tsv: parseCsv,
  md: parseMarkdown,
  markdown: parseMarkdown,
  txt: parsePlainText,
  text: parsePlainText,
};

/** For file dialogues. */
export const ACCEPTED_EXTENSIONS: readonly string[] = Object.keys(PARSERS).map((extension) => `.${extension}`);

/** Everything in a file, by its name's ending. A file that cannot be read at all gives one problem. */
export async function* parseFile(bytes: AsyncIterable<Uint8Array>, context: ParseContext): AsyncGenerator<Parsed, void, undefined> {
  const extension = /\.([^.]+)$/.exec(context.fileName)?.[1]?.toLowerCase() ?? '';
  const parser = PARSERS[extension];
  if (parser === undefined) {
    yield problemAt(1, `a file ending in ${ACCEPTED_EXTENSIONS.join(', ')} expected`, context.fileName);
    return;
  }
  try {
    yield* parser(decodeText(bytes), context);
  } catch (error) {
    if (!(error instanceof NotTextError)) throw error;
    yield problemAt(1, error.message, context.fileName);
  }
}
