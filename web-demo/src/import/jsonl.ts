import { MAX_RECORD_CHARS } from './limits.ts';
import { readLines } from './lines.ts';
import type { ParseContext, Parsed } from './parsed.ts';
import { problemAt } from './parsed.ts';
import { passageFromRow, type Row, RowError } from './row.ts';

/** One JSON object per line; empty lines are passed over. */
export async function* parseJsonl(chunks: AsyncIterable<string>, context: ParseContext): AsyncGenerator<Parsed, void, undefined> {
  for await (const { number, text, cut } of readLines(chunks)) {
    if (text.trim() === '') continue;
    yield cut ? problemAt(number, `a line of at most ${MAX_RECORD_CHARS} characters expected`, text) : parseLine(number, text, context);
  }
}

function parseLine(number: number, text: string, context: ParseContext): Parsed {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (error) {
    return problemAt(number, `not JSON: ${(error as Error).message}`, text);
  }
  if (row === null || typeof row !== 'object' || Array.isArray(row)) return problemAt(number, 'a JSON object expected', text);
  try {
    return { passage: passageFromRow(row as Row, context) };
  } catch (error) {
    if (error instanceof RowError) return problemAt(number, error.message, text);
    throw error;
  }
}
