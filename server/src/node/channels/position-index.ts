/** Forgotten entries are dropped from the arrays once they are this many. */
const COMPACT_AT = 1_024;

/** Where the frames of one channel stand in the slot's stream, without a hole: 16 bytes per entry that the log still has. */
export class PositionIndex {
  #bases: number[] = [];
  #sequences: number[] = [];
  #start = 0;
  /** Position after the last entry. */
  #next = 0;

  /** An entry with `records` records from `base` on. Ascending; after a hole (a log that lost its tail) only what follows it counts. */
  add(sequence: number, base: number, records: number): void {
    if (base !== this.#next) this.clear();
    this.#bases.push(base);
    this.#sequences.push(sequence);
    this.#next = base + records;
  }

  /** First position that a reader can have who reads on up to `position`; `position + 1` when there is nothing to read. */
  firstPosition(position: number): number {
    return this.#next === position + 1 ? (this.#bases[this.#start] ?? position + 1) : position + 1;
  }

  /** Sequences of the entries from the one that holds `position` on, in order, at most `count`. Empty: it is not in the log (any more). */
  from(position: number, count: number): readonly number[] {
    const bases = this.#bases;
    let low = this.#start;
    let high = bases.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bases[middle]! <= position) low = middle + 1;
      else high = middle;
    }
    const at = low - 1;
    return at < this.#start || position >= this.#next ? [] : this.#sequences.slice(at, at + count);
  }

  /** The log was truncated up to this sequence. */
  cut(upTo: number): void {
    while (this.#start < this.#sequences.length && this.#sequences[this.#start]! <= upTo) this.#start += 1;
    if (this.#start < COMPACT_AT || this.#start * 2 < this.#sequences.length) return;
    this.#bases = this.#bases.slice(this.#start);
    this.#sequences = this.#sequences.slice(this.#start);
    this.#start = 0;
  }

  clear(): void {
    this.#bases = [];
    this.#sequences = [];
    this.#start = 0;
  }
}
