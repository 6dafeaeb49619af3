import type { Parsed, ParsedPassage, Problem } from './parsed.ts';
import type { Batch } from './protocol.ts';

/** One transaction each: large enough that commits do not dominate, small enough that the page copies it within a frame. */
const BATCH_ROWS = 500;
/** Rows of long text end a batch earlier. */
const BATCH_CHARS = 400_000;

/** Groups what a parser yields; `doneBytes` is asked for at the end of each batch. */
export async function* inBatches(parsed: AsyncIterable<Parsed>, doneBytes: () => number): AsyncGenerator<Batch, void, undefined> {
  let passages: ParsedPassage[] = [];
  let problems: Problem[] = [];
  let chars = 0;
  for await (const item of parsed) {
    if ('problem' in item) {
      problems.push(item.problem);
    } else {
      passages.push(item.passage);
      chars += item.passage.title.length + item.passage.body.length;
    }
    if (passages.length + problems.length < BATCH_ROWS && chars < BATCH_CHARS) continue;
    yield { passages, problems, doneBytes: doneBytes() };
    passages = [];
    problems = [];
    chars = 0;
  }
  if (passages.length + problems.length > 0) yield { passages, problems, doneBytes: doneBytes() };
}
