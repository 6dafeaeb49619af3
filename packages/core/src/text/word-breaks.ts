import { WORD_BREAK_RUNS } from './word-break-table.ts';

/**
 * Classes of code points for word boundaries (UAX #29, section 4), from pinned tables: a code point that a later Unicode version assigns stays
 * `OTHER`, so that a text has the same tokens in every engine. Only where words begin and end is decided here.
 */
export const OTHER = 0;
export const LETTER = 1;
export const HEBREW = 2;
export const DIGIT = 3;
/** `_` and its kind: joins, but is no word alone. */
export const CONNECTOR = 4;
export const MID_LETTER = 5;
export const MID_NUMBER = 6;
export const MID_BOTH = 7;
export const SINGLE_QUOTE = 8;
export const DOUBLE_QUOTE = 9;
/** Marks and formatting: belong to what is before them. */
export const EXTEND = 10;
/** Of a script written without spaces. */
export const DENSE = 11;
/** A letter or number that is a token by itself: `²`, `Ⅳ`. */
export const SINGLE = 12;

const BMP = 0x10000;

interface Classes {
  readonly bmp: Uint8Array;
  /** Code points above the BMP where a new run starts, ascending, and the classes of the runs. */
  readonly starts: readonly number[];
  readonly classes: readonly number[];
}
let expanded: Classes | undefined;

/** 64 KiB, made at the first use. */
function expand(): Classes {
  const bmp = new Uint8Array(BMP);
  const starts: number[] = [];
  const classes: number[] = [];
  let from = 0;
  for (const [, letter = 'A', length] of WORD_BREAK_RUNS.matchAll(/([A-Z])([0-9a-z]*)/g)) {
    const value = letter.charCodeAt(0) - 65;
    const to = from + (length ? Number.parseInt(length, 36) : 1);
    if (from < BMP) bmp.fill(value, from, Math.min(to, BMP));
    if (to > BMP) {
      starts.push(Math.max(from, BMP));
      classes.push(value);
    }
    from = to;
  }
  starts.push(from);
  classes.push(OTHER);
  return { bmp, starts, classes };
}

export function bmpClasses(): Uint8Array {
  expanded ??= expand();
  return expanded.bmp;
}

export function astralClass(codePoint: number): number {
  expanded ??= expand();
  const { starts, classes } = expanded;
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= codePoint) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? OTHER : classes[low - 1]!;
}
