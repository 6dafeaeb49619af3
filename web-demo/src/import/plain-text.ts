import { readLines } from './lines.ts';
import type { ParseContext, Parsed } from './parsed.ts';
import { DEFAULT_KIND } from './row.ts';
import { splitLong } from './split-long.ts';
import { baseName, titleFrom } from './title.ts';

/** A shorter paragraph (a heading, a line of a dialogue) is read together with the next. */
const MIN_PASSAGE_CHARS = 120;

/** Paragraphs, separated by empty lines; each one a passage titled by its first words. */
export async function* parsePlainText(chunks: AsyncIterable<string>, context: ParseContext): AsyncGenerator<Parsed, void, undefined> {
  const topic = baseName(context.fileName);
  let passage = '';
  let paragraph: string[] = [];
  const endParagraph = (): void => {
    if (paragraph.length > 0) passage += (passage === '' ? '' : '\n\n') + paragraph.join('\n');
    paragraph = [];
  };
  const flush = function* (): Generator<Parsed> {
    for (const body of splitLong(passage)) {
      yield {
        passage: { title: titleFrom(body), body, topic, kind: DEFAULT_KIND, source: context.fileName, stars: 0, addedMs: null, vec: null },
      };
    }
    passage = '';
  };
  for await (const { text } of readLines(chunks)) {
    if (text.trim() !== '') {
      paragraph.push(text.trimEnd());
      continue;
    }
    endParagraph();
    if (passage.length >= MIN_PASSAGE_CHARS) yield* flush();
  }
  endParagraph();
  yield* flush();
}
