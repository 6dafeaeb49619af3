import { POSTINGS_PER_BLOCK, type PostingList } from '../postings.ts';
import { ByteSource } from './byte-source.ts';

/** What the dictionary says of a term; ranges of the sections. Not kept: copied by who needs it. */
export interface TermEntry {
  count: number;
  postings: number;
  postingsEnd: number;
  positions: number;
  positionsEnd: number;
  maxFrequency: number;
  minLength: number;
}

/** Per block of a long list: last row, where postings and positions start, bounds. */
interface Directory {
  readonly lasts: Uint32Array;
  readonly starts: Uint32Array;
  readonly positions: Uint32Array;
  readonly maxFrequencies: Uint32Array;
  readonly minLengths: Uint32Array;
}

/** Postings read where they lie in the file. */
export class FilePostings implements PostingList {
  readonly count: number;
  readonly blocks: number;
  readonly maxFrequency: number;
  readonly minLength: number;
  readonly #postings: Uint8Array;
  readonly #positions: Uint8Array;
  readonly #start: number;
  readonly #positionsStart: number;
  #directory: Directory | undefined;

  constructor(postings: Uint8Array, positions: Uint8Array, entry: TermEntry) {
    this.count = entry.count;
    this.blocks = Math.ceil(entry.count / POSTINGS_PER_BLOCK);
    this.maxFrequency = entry.maxFrequency;
    this.minLength = entry.minLength;
    this.#postings = postings;
    this.#positions = positions;
    this.#start = entry.postings;
    this.#positionsStart = entry.positions;
  }

  lastOf(block: number): number {
    // Of a single block it is not known without reading: no row is beyond it.
    return this.blocks === 1 ? 0xffff_fffe : this.#open().lasts[block]!;
  }

  maxFrequencyOf(block: number): number {
    return this.blocks === 1 ? this.maxFrequency : this.#open().maxFrequencies[block]!;
  }

  minLengthOf(block: number): number {
    return this.blocks === 1 ? this.minLength : this.#open().minLengths[block]!;
  }

  read(block: number, offsets: Uint32Array, frequencies: Uint32Array): number {
    const bytes = this.#postings;
    const single = this.blocks === 1;
    let at = single ? this.#start : this.#open().starts[block]!;
    let row = single || block === 0 ? -1 : this.#open().lasts[block - 1]!;
    const count = Math.min(POSTINGS_PER_BLOCK, this.count - block * POSTINGS_PER_BLOCK);
    for (let i = 0; i < count; i++) {
      // A varint, read here because this is the inner loop of every search.
      let byte = bytes[at++]!;
      let value = byte & 0x7f;
      for (let shift = 7; byte >= 0x80 && shift < 35; shift += 7) {
        byte = bytes[at++]!;
        value |= (byte & 0x7f) << shift;
      }
      row += (value >>> 1) + 1;
      let frequency = 1;
      if ((value & 1) === 0) {
        byte = bytes[at++]!;
        frequency = byte & 0x7f;
        for (let shift = 7; byte >= 0x80 && shift < 35; shift += 7) {
          byte = bytes[at++]!;
          frequency |= (byte & 0x7f) << shift;
        }
      }
      offsets[i] = row;
      frequencies[i] = frequency;
    }
    return count;
  }

  positions(block: number, frequencies: Uint32Array, count: number): Uint32Array {
    const source = new ByteSource(this.#positions);
    source.at = this.blocks === 1 ? this.#positionsStart : this.#open().positions[block]!;
    let total = 0;
    for (let i = 0; i < count; i++) total += frequencies[i]!;
    const positions = new Uint32Array(total);
    let to = 0;
    for (let i = 0; i < count; i++) {
      let position = 0;
      for (let left = frequencies[i]!; left > 0; left--) {
        position += source.varUint();
        positions[to++] = position;
      }
    }
    return positions;
  }

  #open(): Directory {
    this.#directory ??= this.#readDirectory();
    return this.#directory;
  }

  #readDirectory(): Directory {
    const source = new ByteSource(this.#postings);
    source.at = this.#start;
    const { blocks } = this;
    const directory: Directory = {
      lasts: new Uint32Array(blocks),
      starts: new Uint32Array(blocks),
      positions: new Uint32Array(blocks),
      maxFrequencies: new Uint32Array(blocks),
      minLengths: new Uint32Array(blocks),
    };
    let last = -1;
    let start = 0;
    let position = this.#positionsStart;
    for (let block = 0; block < blocks; block++) {
      last += source.varUint();
      directory.lasts[block] = last;
      directory.starts[block] = start;
      start += source.varUint();
      directory.positions[block] = position;
      position += source.varUint();
      directory.maxFrequencies[block] = source.varUint();
      directory.minLengths[block] = source.varUint();
    }
    for (let block = 0; block < blocks; block++) directory.starts[block]! += source.at;
    return directory;
  }
}
