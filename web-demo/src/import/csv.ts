import Papa from 'papaparse';
import { MAX_RECORD_CHARS } from './limits.ts';
import type { ParseContext, Parsed } from './parsed.ts';
import { problemAt } from './parsed.ts';
import { hasTextColumn, passageFromRow, RowError } from './row.ts';

interface CsvRecord {
  /** Line on which the record starts, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** Why the cells cannot be trusted. */
  readonly broken?: string;
}
interface ParserResult {
  readonly data: readonly (readonly string[])[];
  readonly errors: readonly { readonly row?: number; readonly code: string }[];
  readonly meta: { readonly cursor: number };
}

/** RFC 4180 with a header, separated by comma, semicolon, tab or bar. Columns that mean nothing here are passed over. */
export async function* parseCsv(chunks: AsyncIterable<string>, context: ParseContext): AsyncGenerator<Parsed, void, undefined> {
  let header: readonly string[] | undefined;
  for await (const { line, cells, broken } of readRecords(chunks)) {
    const shown = cells.join(', ');
    if (cells.every((cell) => cell.trim() === '')) continue;
    if (broken !== undefined) {
      yield problemAt(line, broken, shown);
    } else if (header === undefined) {
      header = cells;
      if (hasTextColumn(header)) continue;
      yield problemAt(line, 'the first line must name the columns, and one of them title or body', shown);
      return;
    } else if (cells.length !== header.length) {
      yield problemAt(line, `${header.length} columns expected, got ${cells.length}`, shown);
    } else {
      yield parseRecord(line, header, cells, context);
    }
  }
}

function parseRecord(line: number, header: readonly string[], cells: readonly string[], context: ParseContext): Parsed {
  try {
    return { passage: passageFromRow(Object.fromEntries(header.map((name, i) => [name, cells[i]])), context) };
  } catch (error) {
    if (error instanceof RowError) return problemAt(line, error.message, cells.join(', '));
    throw error;
  }
}

/** Records of a text that arrives in chunks. What is not yet a whole record waits for the next chunk. */
async function* readRecords(chunks: AsyncIterable<string>): AsyncGenerator<CsvRecord, void, undefined> {
  let buffer = '';
  let line = 1;
  let delimiter: string | undefined;
  const take = function* (last: boolean): Generator<CsvRecord> {
    delimiter ??= guessDelimiter(buffer);
    const { data, errors, meta } = parse(buffer, delimiter, last);
    for (let i = 0; i < data.length; i++) {
      const cells = data[i]!;
      const error = errors.find(({ row }) => row === i);
      yield { line, cells, ...(error === undefined ? {} : { broken: explain(error.code) }) };
      line += 1 + cells.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0);
    }
    buffer = buffer.slice(meta.cursor);
  };
  for await (const chunk of chunks) {
    // A line end split between two chunks is joined here: the last row always waits.
    buffer = (buffer + chunk).replaceAll('\r\n', '\n');
    if (!buffer.includes('\n')) continue;
    yield* take(false);
    if (buffer.length > MAX_RECORD_CHARS) {
      yield {
        line,
        cells: [buffer.slice(0, 200)],
        broken: `a record of at most ${MAX_RECORD_CHARS} characters expected: is a quote not closed?`,
      };
      return;
    }
  }
  if (buffer !== '') yield* take(true);
}

function parse(input: string, delimiter: string, last: boolean): ParserResult {
  return new Papa.Parser({ delimiter, newline: '\n' }).parse(input, 0, !last) as ParserResult;
}

function explain(code: string): string {
  return code === 'MissingQuotes'
    ? 'a quote is opened and never closed: nothing after it could be read'
    : 'a quote inside a quoted cell must be doubled';
}

function guessDelimiter(text: string): string {
  const firstLine = text.split('\n', 1)[0]!;
  const counts = [',', ';', '\t', '|'].map((delimiter) => ({ delimiter, count: firstLine.split(delimiter).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).delimiter;
}
