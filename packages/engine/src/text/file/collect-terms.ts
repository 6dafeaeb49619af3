import { type Analyzer, utf8Encode } from '@terndb/core';

/** Every occurrence of every term of a field, by term, then row, then position. */
export interface CollectedTerms {
  /** Ascending by UTF-8 bytes. */
  readonly terms: readonly { readonly bytes: Uint8Array; readonly id: number }[];
  /** Occurrences of term `id` are at `starts[id] .. starts[id + 1]` of the other two. */
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
  readonly positions: Uint32Array;
  /** Terms per row. */
  readonly lengths: Uint32Array;
}

export interface TextRows {
  readonly rows: number;
  /** Undefined for a row without text. */
  textAt(row: number): string | undefined;
}

/** Rows between two pauses: a few milliseconds of short texts. */
const ROWS_PER_SLICE = 128;

/** Tokenises all rows and sorts what comes by term, in flat arrays (a counting sort). Memory: 20 bytes an occurrence while it runs. */
export async function collectTerms(texts: TextRows, analyzer: Analyzer, pause: () => Promise<void>): Promise<CollectedTerms> {
  const ids = new Map<string, number>();
  const lengths = new Uint32Array(texts.rows);
  let termOf = new Uint32Array(1024);
  let positionOf = new Uint32Array(1024);
  let count = 0;
  for (let row = 0; row < texts.rows; row++) {
    if (row % ROWS_PER_SLICE === 0) await pause();
    const text = texts.textAt(row);
    if (text === undefined) continue;
    const before = count;
    analyzer.tokens(text, (term, position) => {
      let id = ids.get(term);
      if (id === undefined) {
        id = ids.size;
        ids.set(term, id);
      }
      if (count === termOf.length) {
        termOf = doubled(termOf);
        positionOf = doubled(positionOf);
      }
      termOf[count] = id;
      positionOf[count++] = position;
    });
    lengths[row] = count - before;
  }
  await pause();
  const terms = [...ids.keys()]
    .map((term) => ({ term, bytes: utf8Encode(term), id: ids.get(term)! }))
    .sort((a, b) => compareCodePoints(a.term, b.term));
  return { terms, lengths, ...sortByTerm({ termOf, positionOf, count, terms: ids.size, lengths }) };
}

interface Occurrences {
  readonly termOf: Uint32Array;
  readonly positionOf: Uint32Array;
  readonly count: number;
  readonly terms: number;
  readonly lengths: Uint32Array;
}

function sortByTerm({ termOf, positionOf, count, terms, lengths }: Occurrences): Pick<CollectedTerms, 'starts' | 'rows' | 'positions'> {
  const starts = new Uint32Array(terms + 1);
  for (let i = 0; i < count; i++) starts[termOf[i]! + 1]!++;
  for (let id = 0; id < terms; id++) starts[id + 1]! += starts[id]!;
  const next = starts.slice(0, terms);
  const rows = new Uint32Array(count);
  const positions = new Uint32Array(count);
  let i = 0;
  for (let row = 0; row < lengths.length; row++) {
    for (let left = lengths[row]!; left > 0; left--, i++) {
      const at = next[termOf[i]!]!++;
      rows[at] = row;
      positions[at] = positionOf[i]!;
    }
  }
  return { starts, rows, positions };
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(array.length * 2);
  grown.set(array);
  return grown;
}

/** The order of the UTF-8 bytes. Code units order alike but for surrogates, which are above all others as code points. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rankOf(x) - rankOf(y);
  }
  return a.length - b.length;
}

function rankOf(unit: number): number {
  return (unit & 0xf800) === 0xd800 ? unit + 0x10000 : unit;
}
