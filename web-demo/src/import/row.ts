import { MAX_BODY_CHARS, MAX_KEYWORD_CHARS, MAX_STARS, MAX_TITLE_CHARS, VECTOR_DIM } from './limits.ts';
import type { ParseContext, ParsedPassage } from './parsed.ts';
import { titleFrom } from './title.ts';

/** Columns that mean a field, most specific first; compared in lower case. */
const COLUMNS = {
  id: ['id', 'key', '_id'],
  title: ['title', 'name', 'heading', 'headword', 'subject'],
  body: ['body', 'text', 'content', 'passage', 'description', 'note', 'definition'],
  topic: ['topic', 'category', 'tag', 'label', 'folder'],
  kind: ['kind', 'type', 'pos'],
  source: ['source', 'url', 'author'],
  stars: ['stars', 'rating'],
  added: ['added', 'date', 'created', 'created_at', 'timestamp'],
  vec: ['vec', 'vector', 'embedding'],
} as const;
type Column = keyof typeof COLUMNS;

export const DEFAULT_TOPIC = 'notes';
export const DEFAULT_KIND = 'note';
const REPLACEMENT = '\uFFFD';

/** A row that cannot become a passage; the message is shown in the report. */
export class RowError extends Error {}

export type Row = Readonly<Record<string, unknown>>;

/** Whether any column could hold text: otherwise the file's header is wrong, not each of its rows. */
export function hasTextColumn(names: readonly string[]): boolean {
  const known: readonly string[] = [...COLUMNS.title, ...COLUMNS.body];
  return names.some((name) => known.includes(name.trim().toLowerCase()));
}

/** @throws RowError with the column, what was expected and what was found. */
export function passageFromRow(row: Row, context: ParseContext): ParsedPassage {
  const cells = new Map(Object.entries(row).map(([name, value]) => [name.trim().toLowerCase(), value]));
  const cell = (column: Column): unknown => {
    for (const name of COLUMNS[column]) if (present(cells.get(name))) return cells.get(name);
    return undefined;
  };
  const body = text('body', cell('body'), MAX_BODY_CHARS);
  const title = text('title', cell('title'), MAX_TITLE_CHARS) || titleFrom(body);
  if (title === '')
    throw new RowError(`neither a title nor a body (columns looked for: ${[...COLUMNS.title, ...COLUMNS.body].join(', ')})`);
  const id = cell('id');
  return {
    ...(id === undefined ? {} : { id: text('id', id, MAX_KEYWORD_CHARS) }),
    title,
    body,
    topic: text('topic', cell('topic'), MAX_KEYWORD_CHARS) || DEFAULT_TOPIC,
    kind: text('kind', cell('kind'), MAX_KEYWORD_CHARS) || DEFAULT_KIND,
    source: text('source', cell('source'), MAX_KEYWORD_CHARS) || context.fileName.slice(-MAX_KEYWORD_CHARS),
    stars: stars(cell('stars')),
    addedMs: date(cell('added')),
    vec: vector(cell('vec')),
  };
}

function present(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function text(column: Column, value: unknown, maxChars: number): string {
  if (value === undefined) return '';
  if (typeof value !== 'string' && typeof value !== 'number') throw new RowError(`${column}: text expected, got ${typeName(value)}`);
  const trimmed = String(value).trim();
  if (trimmed.includes(REPLACEMENT)) throw new RowError(`${column}: holds bytes that are not UTF-8`);
  if (trimmed.length > maxChars) throw new RowError(`${column}: at most ${maxChars} characters expected, got ${trimmed.length}`);
  return trimmed;
}

function stars(value: unknown): number {
  if (value === undefined) return 0;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !(number >= 0 && number <= MAX_STARS))
    throw new RowError(`stars: a number from 0 to ${MAX_STARS} expected, got ${show(value)}`);
  return Math.round(number);
}

function date(value: unknown): number | null {
  if (value === undefined) return null;
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(new Date(ms).getTime())) throw new RowError(`added: a date expected, got ${show(value)}`);
  return ms;
}

function vector(value: unknown): readonly number[] | null {
  if (value === undefined) return null;
  const numbers = typeof value === 'string' ? parseNumbers(value) : value;
  if (!Array.isArray(numbers)) throw new RowError(`vec: a list of ${VECTOR_DIM} numbers expected, got ${typeName(value)}`);
  if (numbers.length !== VECTOR_DIM) throw new RowError(`vec: ${VECTOR_DIM} numbers expected, got ${numbers.length}`);
  const wrong = numbers.findIndex((n) => typeof n !== 'number' || !Number.isFinite(n));
  if (wrong >= 0) throw new RowError(`vec: element ${wrong} is not a finite number`);
  return numbers;
}

/** A CSV cell holds a vector as JSON. */
function parseNumbers(cell: string): unknown {
  try {
    return JSON.parse(cell);
  } catch {
    return cell;
  }
}

function typeName(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : typeof value;
}

function show(value: unknown): string {
  return typeof value === 'string' ? `"${value.slice(0, 40)}"` : typeName(value) === 'number' ? String(value) : typeName(value);
}
