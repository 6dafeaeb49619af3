import { testBit } from '../bitmap/bitmap.ts';

/** Where a cursor is after its last posting. */
const END = 0xffff_ffff;
/** Above this many lists, adding up list by list is faster than walking them side by side. */
const MAX_SIDE_BY_SIDE = 12;
/** Sums of doubles in another order may differ in their last bits: what is this close to the limit is scored, not skipped. */
const SLACK = 1e-9;

/** One list of postings that score: a term of a text query, or a dimension of a sparse vector. */
export interface ScoredCursor {
  /** Of the current posting, END after the last. */
  readonly offset: number;
  /** No posting scores more; not below 0, as a row that is not in the list scores 0. */
  readonly bound: number;
  /** Of the largest score, with or without its sign. */
  readonly magnitude: number;
  score(): number;
  next(): void;
  /** To the first posting at or after `target`. */
  advance(target: number): void;
  /** Past blocks of postings of which none scores as much as `least`. */
  skipBelow(least: number): void;
}

export interface MaxScoreOptions {
  readonly rows: number;
  /** Rows that may be found. */
  readonly mask: Uint32Array;
  /** Scores below it need not be offered. Rises as rows are offered. */
  readonly limit: () => number;
  readonly offer: (offset: number, score: number) => void;
}

/**
 * Offers every row that is in a list and scores at least the limit, by ascending offset, with the sum of its scores in the order of the
 * cursors. MaxScore (Turtle and Flood 1995): lists that together cannot reach the limit only complete rows that others bring up.
 */
export function offerScored(cursors: readonly ScoredCursor[], options: MaxScoreOptions): void {
  if (cursors.length === 0) return;
  if (cursors.length === 1) offerOne(cursors[0]!, options);
  else if (cursors.length > MAX_SIDE_BY_SIDE) addUp(cursors, options);
  else sideBySide(cursors, options);
}

function offerOne(cursor: ScoredCursor, { rows, mask, limit, offer }: MaxScoreOptions): void {
  for (;;) {
    const least = limit();
    if (least > -Infinity) cursor.skipBelow(least - SLACK * cursor.magnitude);
    const { offset } = cursor;
    if (offset >= rows) return;
    if (testBit(mask, offset)) offer(offset, cursor.score());
    cursor.next();
  }
}

function addUp(cursors: readonly ScoredCursor[], { rows, mask, offer }: MaxScoreOptions): void {
  const scores = new Float64Array(rows);
  const touched = new Uint32Array(mask.length);
  for (const cursor of cursors) {
    for (; cursor.offset < rows; cursor.next()) {
      const { offset } = cursor;
      if (!testBit(mask, offset)) continue;
      scores[offset]! += cursor.score();
      touched[offset >>> 5]! |= 1 << (offset & 31);
    }
  }
  for (let index = 0; index < touched.length; index++) {
    for (let word = touched[index]!; word !== 0; word &= word - 1) {
      const offset = index * 32 + 31 - Math.clz32(word & -word);
      offer(offset, scores[offset]!);
    }
  }
}

function sideBySide(cursors: readonly ScoredCursor[], { rows, mask, limit, offer }: MaxScoreOptions): void {
  const order = cursors.map((_, i) => i).sort((a, b) => cursors[a]!.bound - cursors[b]!.bound);
  // What the weakest lists can bring together.
  const bounds = new Float64Array(order.length + 1);
  order.forEach((i, at) => {
    bounds[at + 1] = bounds[at]! + cursors[i]!.bound;
  });
  const slack = SLACK * cursors.reduce((sum, { magnitude }) => sum + magnitude, 0);
  const scores = new Float64Array(cursors.length);
  const present = new Uint8Array(cursors.length);
  /** Lists from here on bring rows up. */
  let first = 0;
  for (;;) {
    const least = limit() - slack;
    while (first < order.length && bounds[first + 1]! < least) first++;
    if (first === order.length) return;
    if (first === order.length - 1) cursors[order[first]!]!.skipBelow(least - bounds[first]!);
    let offset = END;
    for (let at = first; at < order.length; at++) offset = Math.min(offset, cursors[order[at]!]!.offset);
    if (offset >= rows) return;
    if (!testBit(mask, offset)) {
      const next = nextSet(mask, offset + 1, rows);
      for (let at = first; at < order.length; at++) cursors[order[at]!]!.advance(next);
      continue;
    }
    let reachable = bounds[first]!;
    present.fill(0);
    for (let at = first; at < order.length; at++) {
      const i = order[at]!;
      const cursor = cursors[i]!;
      if (cursor.offset !== offset) continue;
      scores[i] = cursor.score();
      present[i] = 1;
      reachable += scores[i]!;
      cursor.next();
    }
    let at = first - 1;
    for (; at >= 0 && reachable >= least; at--) {
      const i = order[at]!;
      const cursor = cursors[i]!;
      cursor.advance(offset);
      reachable -= cursor.bound;
      if (cursor.offset !== offset) continue;
      scores[i] = cursor.score();
      present[i] = 1;
      reachable += scores[i]!;
    }
    if (at >= 0 || reachable < least) continue;
    let score = 0;
    for (let i = 0; i < cursors.length; i++) if (present[i] === 1) score += scores[i]!;
    offer(offset, score);
  }
}

function nextSet(mask: Uint32Array, from: number, rows: number): number {
  let index = from >>> 5;
  let word = index < mask.length ? mask[index]! & (0xffff_ffff << (from & 31)) : 0;
  while (word === 0) {
    index++;
    if (index >= mask.length) return rows;
    word = mask[index]!;
  }
  return index * 32 + 31 - Math.clz32(word & -word);
}
