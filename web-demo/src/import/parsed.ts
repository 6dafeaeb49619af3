/** A passage read from a file, before it gets a key of its own. */
export interface ParsedPassage {
  readonly id?: string;
  readonly title: string;
  readonly body: string;
  readonly topic: string;
  readonly kind: string;
  readonly source: string | null;
  readonly stars: number;
  /** Milliseconds since 1970; null: the time of the import. */
  readonly addedMs: number | null;
  readonly vec: readonly number[] | null;
}

/** A row that could not be read. `line` counts from 1. */
export interface Problem {
  readonly line: number;
  readonly reason: string;
  /** The beginning of what stands there. */
  readonly excerpt: string;
}

export type Parsed = { readonly passage: ParsedPassage } | { readonly problem: Problem };

/** What a parser knows beside the text. */
export interface ParseContext {
  /** The file's name, for `source` and for passages without a topic. */
  readonly fileName: string;
}

export type Parser = (chunks: AsyncIterable<string>, context: ParseContext) => AsyncGenerator<Parsed, void, undefined>;

const EXCERPT_CHARS = 120;

export function problemAt(line: number, reason: string, text: string): { problem: Problem } {
  const flat = text.replace(/\s+/g, ' ').trim();
  return { problem: { line, reason, excerpt: flat.length > EXCERPT_CHARS ? `${flat.slice(0, EXCERPT_CHARS)}…` : flat } };
}
