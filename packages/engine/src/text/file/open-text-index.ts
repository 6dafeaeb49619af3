import { DbError, utf8Decode, utf8Encode } from '@terndb/core';
import { versionUnsupported } from '../../bytes/damage.ts';
import { asUint16, asUint32 } from '../../bytes/typed-views.ts';
import type { PostingList, TextIndex } from '../postings.ts';
import { ByteSource } from './byte-source.ts';
import { FilePostings, type TermEntry } from './file-postings.ts';
import { CHECKSUM_AT, HEADER_BYTES, MAGIC, SECTION_NAMES, SECTIONS_AT, type SectionName, TERMS_PER_BLOCK, VERSION } from './format.ts';
import { checksumOf } from './write-text-index.ts';

export interface TextIndexExpectation {
  /** Names the file in errors. */
  readonly what: string;
  readonly analyzerId: string;
  readonly rows: number;
}

/**
 * Opens a file without parsing it: lengths, dictionary and postings are read where they lie. The bytes are kept.
 * @throws INDEX_CORRUPT, FORMAT_VERSION_UNSUPPORTED (also for the terms of another analyzer). Cost: one checksum.
 */
export function openTextIndex(file: Uint8Array<ArrayBuffer>, { what, analyzerId, rows }: TextIndexExpectation): FileTextIndex {
  const corrupt = (problem: string): DbError => new DbError('INDEX_CORRUPT', `${what}: ${problem}`, { details: { what, problem } });
  if (file.length < HEADER_BYTES) throw corrupt(`at least ${HEADER_BYTES} bytes expected, got ${file.length}`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw corrupt('not a text index');
  if (view.getUint8(4) !== VERSION) throw versionUnsupported(what, view.getUint8(4), VERSION);
  if (view.getUint32(CHECKSUM_AT, true) !== checksumOf(file)) throw corrupt('the checksum does not match the bytes');
  const sections = Object.fromEntries(
    SECTION_NAMES.map((name, i) => {
      const offset = view.getUint32(SECTIONS_AT + i * 8, true);
      const bytes = view.getUint32(SECTIONS_AT + i * 8 + 4, true);
      if (offset % 64 !== 0 || offset + bytes > file.length) throw corrupt(`section ${name} is outside the file`);
      return [name, file.subarray(offset, offset + bytes)];
    }),
  ) as Record<SectionName, Uint8Array>;
  const terms = view.getUint32(24, true);
  const width = view.getUint8(5);
  if (view.getUint32(8, true) !== rows) throw corrupt(`${rows} rows expected, got ${view.getUint32(8, true)}`);
  if (![1, 2, 4].includes(width) || sections.lengths.length !== width * rows) throw corrupt(`lengths of ${rows} rows expected`);
  if (sections.blocks.length !== Math.ceil(terms / TERMS_PER_BLOCK) * 4) throw corrupt(`dictionary blocks of ${terms} terms expected`);
  const analyzer = utf8Decode(sections.analyzer);
  if (analyzer !== analyzerId)
    throw new DbError('FORMAT_VERSION_UNSUPPORTED', `${what}: terms of analyzer ${analyzerId} expected, got ${analyzer}`, {
      details: { what, expected: analyzerId, got: analyzer },
    });
  const totals = { texts: view.getUint32(12, true), tokens: view.getFloat64(16, true) };
  const lengths = width === 1 ? sections.lengths : width === 2 ? asUint16(sections.lengths) : asUint32(sections.lengths);
  return new FileTextIndex({ rows, lengths, totals, terms, sections, bytes: file.length });
}

interface Opened {
  readonly rows: number;
  readonly lengths: Uint8Array | Uint16Array | Uint32Array;
  readonly totals: { readonly texts: number; readonly tokens: number };
  readonly terms: number;
  readonly sections: Readonly<Record<SectionName, Uint8Array>>;
  readonly bytes: number;
}

export class FileTextIndex implements TextIndex {
  readonly rows: number;
  readonly lengths: Uint8Array | Uint16Array | Uint32Array;
  readonly totals: { readonly texts: number; readonly tokens: number };
  /** Distinct terms. */
  readonly terms: number;
  /** Of the file. */
  readonly bytes: number;
  readonly #sections: Readonly<Record<SectionName, Uint8Array>>;
  readonly #blocks: Uint32Array;
  readonly #source: ByteSource;

  constructor({ rows, lengths, totals, terms, sections, bytes }: Opened) {
    this.rows = rows;
    this.lengths = lengths;
    this.totals = totals;
    this.terms = terms;
    this.bytes = bytes;
    this.#sections = sections;
    this.#blocks = asUint32(sections.blocks);
    this.#source = new ByteSource(sections.dictionary);
  }

  list(term: string): PostingList | undefined {
    const wanted = utf8Encode(term);
    let found: PostingList | undefined;
    this.#scan(wanted, (bytes, length, entry) => {
      const order = compareBytes(bytes, length, wanted);
      if (order === 0) found = this.#open(entry);
      return order < 0;
    });
    return found;
  }

  withPrefix(prefix: string, _rows: number, visit: (list: PostingList, isWhole: boolean) => void): void {
    const wanted = utf8Encode(prefix);
    this.#scan(wanted, (bytes, length, entry) => {
      if (startsWith(bytes, length, wanted)) {
        visit(this.#open(entry), length === wanted.length);
        return true;
      }
      return compareBytes(bytes, length, wanted) < 0;
    });
  }

  #open(entry: TermEntry): PostingList {
    return new FilePostings(this.#sections.postings, this.#sections.positions, entry);
  }

  /** Visits terms in order from the block that would hold `from`, until the visitor says no. The bytes and the entry are used again. */
  #scan(from: Uint8Array, visit: (bytes: Uint8Array, length: number, entry: TermEntry) => boolean): void {
    const source = this.#source;
    const entry: TermEntry = { count: 0, postings: 0, postingsEnd: 0, positions: 0, positionsEnd: 0, maxFrequency: 0, minLength: 0 };
    let term = new Uint8Array(64);
    for (let block = this.#blockOf(from); block < this.#blocks.length; block++) {
      source.at = this.#blocks[block]!;
      const terms = Math.min(TERMS_PER_BLOCK, this.terms - block * TERMS_PER_BLOCK);
      for (let i = 0; i < terms; i++) {
        const shared = i === 0 ? 0 : source.varUint();
        const rest = source.varUint();
        if (shared + rest > term.length) term = grown(term, shared + rest);
        source.copy(rest, term, shared);
        if (i === 0) {
          entry.postingsEnd = source.varUint();
          entry.positionsEnd = source.varUint();
        }
        entry.count = source.varUint();
        entry.postings = entry.postingsEnd;
        entry.postingsEnd += source.varUint();
        entry.positions = entry.positionsEnd;
        entry.positionsEnd += source.varUint();
        entry.maxFrequency = source.varUint();
        entry.minLength = source.varUint();
        if (!visit(term, shared + rest, entry)) return;
      }
    }
  }

  /** The last block whose first term is not above the wanted one. */
  #blockOf(wanted: Uint8Array): number {
    const source = this.#source;
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      source.at = this.#blocks[middle]!;
      const length = source.varUint();
      if (compareBytes(source.bytes.subarray(source.at, source.at + length), length, wanted) <= 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length * 2);
  larger.set(bytes);
  return larger;
}

function compareBytes(bytes: Uint8Array, length: number, wanted: Uint8Array): number {
  const shared = Math.min(length, wanted.length);
  for (let i = 0; i < shared; i++) if (bytes[i] !== wanted[i]) return bytes[i]! - wanted[i]!;
  return length - wanted.length;
}

function startsWith(bytes: Uint8Array, length: number, prefix: Uint8Array): boolean {
  if (length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}
