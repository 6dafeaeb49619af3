import { MAX_TITLE_CHARS } from './limits.ts';
import { readLines } from './lines.ts';
import type { ParseContext, Parsed } from './parsed.ts';
import { DEFAULT_KIND } from './row.ts';
import { splitLong } from './split-long.ts';
import { baseName } from './title.ts';

const HEADING = /^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/;
const FENCE = /^ {0,3}(```|~~~)/;

/** One passage per heading; what stands before the first one is titled by the file. Headings without text are passed over, front matter too. */
export async function* parseMarkdown(chunks: AsyncIterable<string>, context: ParseContext): AsyncGenerator<Parsed, void, undefined> {
  const topic = baseName(context.fileName);
  let title = topic;
  let section: string[] = [];
  let fence: string | undefined;
  let inFrontMatter = false;
  const flush = function* (): Generator<Parsed> {
    for (const body of splitLong(section.join('\n'))) {
      yield { passage: { title, body, topic, kind: DEFAULT_KIND, source: context.fileName, stars: 0, addedMs: null, vec: null } };
    }
    section = [];
  };
  for await (const { number, text } of readLines(chunks)) {
    if (number === 1 && text.trim() === '---') {
      inFrontMatter = true;
      continue;
    }
    if (inFrontMatter) {
      inFrontMatter = text.trim() !== '---';
      continue;
    }
    const mark = FENCE.exec(text)?.[1];
    if (mark !== undefined && (fence === undefined || fence === mark)) fence = fence === undefined ? mark : undefined;
    const heading = fence === undefined ? HEADING.exec(text)?.[1] : undefined;
    if (heading === undefined) {
      section.push(text);
    } else {
      yield* flush();
      title = heading.slice(0, MAX_TITLE_CHARS) || topic;
    }
  }
  yield* flush();
}
