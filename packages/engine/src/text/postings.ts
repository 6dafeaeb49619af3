/** Postings that are packed, skipped and bounded together. */
export const POSTINGS_PER_BLOCK = 128;
/** Where a cursor is after its last posting; no row has this offset. */
export const END = 0xffff_ffff;

/**
 * Rows that hold a term, ascending by offset, with how often each does, in blocks of POSTINGS_PER_BLOCK (the last one shorter). The maxima and
 * minima bound what a posting can score without reading it.
 */
export interface PostingList {
  readonly count: number;
  readonly blocks: number;
  readonly maxFrequency: number;
  /** Terms of the shortest row. */
  readonly minLength: number;
  lastOf(block: number): number;
  maxFrequencyOf(block: number): number;
  minLengthOf(block: number): number;
  /** Fills both arrays, which have room for a block; returns how many. */
  read(block: number, offsets: Uint32Array, frequencies: Uint32Array): number;
  /**
   * Places of the term in the rows of a block, those of one row after those of another, ascending in each: as many as the frequencies' sum.
   * Undefined where places are not kept.
   */
  positions(block: number, frequencies: Uint32Array, count: number): Uint32Array | undefined;
}

/** The terms of one text field of a run of rows. Dead rows are in it: liveness is the view's and applied by the reader. */
export interface TextIndex {
  /** Rows indexed; those of growing rows may be more than a view has. */
  readonly rows: number;
  /** Terms per row; a row without text has none. May be longer than `rows`. */
  readonly lengths: Uint8Array | Uint16Array | Uint32Array;
  /** Rows with a term, and terms, of all rows; undefined where they are to be counted. */
  readonly totals: { readonly texts: number; readonly tokens: number } | undefined;
  /** Postings of a term in the first `rows` rows; undefined when there are none. */
  list(term: string, rows: number): PostingList | undefined;
  /** Each term that starts with the prefix, itself included, in no order, with its postings in the first `rows` rows. */
  withPrefix(prefix: string, rows: number, visit: (list: PostingList, isWhole: boolean) => void): void;
}

/** A walk over a list, block by block; blocks that are skipped are not read. */
export class PostingCursor {
  readonly list: PostingList;
  readonly #offsets = new Uint32Array(POSTINGS_PER_BLOCK);
  readonly #frequencies = new Uint32Array(POSTINGS_PER_BLOCK);
  #block = -1;
  #count = 0;
  #at = 0;
  #positions: Uint32Array | undefined;
  /** Offset of the current posting, END after the last. */
  offset = 0;
  frequency = 0;

  constructor(list: PostingList) {
    this.list = list;
    this.enter(0);
  }

  get block(): number {
    return this.#block;
  }

  next(): void {
    this.#at++;
    if (this.#at < this.#count) this.#set();
    else this.enter(this.#block + 1);
  }

  /** To the first posting at or after `target`; never back. */
  advance(target: number): void {
    if (this.offset >= target) return;
    let block = this.#block;
    while (block < this.list.blocks && this.list.lastOf(block) < target) block++;
    if (block !== this.#block) this.enter(block);
    while (this.offset < target) this.next();
  }

  /** Places of the term in the current row, ascending. Borrowed. */
  positions(): Uint32Array | undefined {
    this.#positions ??= this.list.positions(this.#block, this.#frequencies, this.#count);
    let start = 0;
    for (let i = 0; i < this.#at; i++) start += this.#frequencies[i]!;
    return this.#positions?.subarray(start, start + this.frequency);
  }

  /** To the first posting of a block, or to the end. */
  enter(block: number): void {
    this.#block = block;
    this.#positions = undefined;
    this.#at = 0;
    if (block >= this.list.blocks) {
      this.offset = END;
      return;
    }
    this.#count = this.list.read(block, this.#offsets, this.#frequencies);
    this.#set();
  }

  #set(): void {
    this.offset = this.#offsets[this.#at]!;
    this.frequency = this.#frequencies[this.#at]!;
  }
}

const scratchOffsets = new Uint32Array(POSTINGS_PER_BLOCK);
const scratchFrequencies = new Uint32Array(POSTINGS_PER_BLOCK);

/** Every posting in order. Not to be nested: the walk uses one buffer. */
export function forEachPosting(list: PostingList, visit: (offset: number, frequency: number) => void): void {
  for (let block = 0; block < list.blocks; block++) {
    const count = list.read(block, scratchOffsets, scratchFrequencies);
    for (let i = 0; i < count; i++) visit(scratchOffsets[i]!, scratchFrequencies[i]!);
  }
}

/** A list over plain arrays, bounded as a whole; `positions` are not kept. */
export class ArrayPostings implements PostingList {
  readonly count: number;
  readonly blocks: number;
  readonly maxFrequency: number;
  readonly minLength: number;
  readonly #offsets: Uint32Array;
  readonly #frequencies: Uint32Array;

  /** The arrays are borrowed and have one entry per posting or more. */
  constructor(
    offsets: Uint32Array,
    frequencies: Uint32Array,
    bounds: { readonly count: number; readonly maxFrequency: number; readonly minLength: number },
  ) {
    this.#offsets = offsets;
    this.#frequencies = frequencies;
    this.count = bounds.count;
    this.blocks = Math.ceil(bounds.count / POSTINGS_PER_BLOCK);
    this.maxFrequency = bounds.maxFrequency;
    this.minLength = bounds.minLength;
  }

  lastOf(block: number): number {
    return this.#offsets[Math.min((block + 1) * POSTINGS_PER_BLOCK, this.count) - 1]!;
  }

  maxFrequencyOf(): number {
    return this.maxFrequency;
  }

  minLengthOf(): number {
    return this.minLength;
  }

  read(block: number, offsets: Uint32Array, frequencies: Uint32Array): number {
    const from = block * POSTINGS_PER_BLOCK;
    const count = Math.min(POSTINGS_PER_BLOCK, this.count - from);
    for (let i = 0; i < count; i++) {
      offsets[i] = this.#offsets[from + i]!;
      frequencies[i] = this.#frequencies[from + i]!;
    }
    return count;
  }

  positions(): undefined {
    return undefined;
  }
}
