import { type Analyzer, assert, crc32c, utf8Encode } from '@terndb/core';
import { alignUp, bytesOf } from '../../bytes/typed-views.ts';
import { POSTINGS_PER_BLOCK } from '../postings.ts';
import { ByteSink } from './byte-sink.ts';
import { type CollectedTerms, collectTerms, type TextRows } from './collect-terms.ts';
import { CHECKSUM_AT, HEADER_BYTES, MAGIC, SECTION_NAMES, SECTIONS_AT, type SectionName, TERMS_PER_BLOCK, VERSION } from './format.ts';

/** Terms between two pauses. */
const TERMS_PER_SLICE = 512;

export interface BuildOptions {
  readonly analyzer: Analyzer;
  readonly pause: () => Promise<void>;
  readonly onProgress: (done: number) => void;
}

/** The file of `format.ts`, in one piece. Equal texts and analyzers give equal bytes. */
export async function writeTextIndex(texts: TextRows, { analyzer, pause, onProgress }: BuildOptions): Promise<Uint8Array<ArrayBuffer>> {
  assert(analyzer.isPortable, 'a text index is stored only where every engine gives the same terms');
  const collected = await collectTerms(texts, analyzer, pause);
  onProgress(0.7);
  const writer = new TermWriter(collected);
  for (let at = 0; at < collected.terms.length; at++) {
    if (at % TERMS_PER_SLICE === 0) await pause();
    writer.add(at);
  }
  const file = assemble(collected, {
    analyzer: utf8Encode(analyzer.id),
    lengths: packedLengths(collected.lengths),
    blocks: bytesOf(Uint32Array.from(writer.blocks)),
    dictionary: writer.dictionary.view(),
    postings: writer.postings.view(),
    positions: writer.positions.view(),
  });
  onProgress(1);
  return file;
}

function packedLengths(lengths: Uint32Array): Uint8Array {
  const longest = lengths.reduce((max, length) => Math.max(max, length), 0);
  return bytesOf(longest <= 0xff ? Uint8Array.from(lengths) : longest <= 0xffff ? Uint16Array.from(lengths) : lengths);
}

function assemble(collected: CollectedTerms, sections: Readonly<Record<SectionName, Uint8Array>>): Uint8Array<ArrayBuffer> {
  const { lengths } = collected;
  let end = alignUp(HEADER_BYTES);
  const places = SECTION_NAMES.map((name) => {
    const offset = end;
    end = alignUp(offset + sections[name].length);
    return { name, offset };
  });
  assert(end <= 0xffff_ffff, 'a text index fits 32-bit offsets');
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, VERSION);
  view.setUint8(5, lengths.length === 0 ? 1 : sections.lengths.length / lengths.length);
  view.setUint32(8, lengths.length, true);
  view.setUint32(
    12,
    lengths.reduce((texts, length) => texts + (length > 0 ? 1 : 0), 0),
    true,
  );
  view.setFloat64(
    16,
    lengths.reduce((sum, length) => sum + length, 0),
    true,
  );
  view.setUint32(24, collected.terms.length, true);
  places.forEach(({ name, offset }, i) => {
    view.setUint32(SECTIONS_AT + i * 8, offset, true);
    view.setUint32(SECTIONS_AT + i * 8 + 4, sections[name].length, true);
    file.set(sections[name], offset);
  });
  view.setUint32(CHECKSUM_AT, checksumOf(file), true);
  return file;
}

/** Of all bytes but the checksum's own. */
export function checksumOf(file: Uint8Array): number {
  return crc32c(file.subarray(CHECKSUM_AT + 4), crc32c(file.subarray(0, CHECKSUM_AT)));
}

class TermWriter {
  readonly blocks: number[] = [];
  readonly dictionary: ByteSink = new ByteSink();
  readonly postings: ByteSink = new ByteSink();
  readonly positions: ByteSink = new ByteSink();
  readonly #collected: CollectedTerms;
  readonly #body = new ByteSink();
  readonly #directory = new ByteSink();

  constructor(collected: CollectedTerms) {
    this.#collected = collected;
  }

  /** The term at this place of the order; called for each in order. */
  add(at: number): void {
    const { terms } = this.#collected;
    const { bytes, id } = terms[at]!;
    if (at % TERMS_PER_BLOCK === 0) {
      this.blocks.push(this.dictionary.length);
      this.dictionary.varUint(bytes.length);
      this.dictionary.bytes(bytes);
      this.dictionary.varUint(this.postings.length);
      this.dictionary.varUint(this.positions.length);
    } else {
      const shared = sharedBytes(terms[at - 1]!.bytes, bytes);
      this.dictionary.varUint(shared);
      this.dictionary.varUint(bytes.length - shared);
      this.dictionary.bytes(bytes.subarray(shared));
    }
    this.#addPostings(id);
  }

  #addPostings(id: number): void {
    const { starts, rows, positions, lengths } = this.#collected;
    const postingsBefore = this.postings.length;
    const positionsBefore = this.positions.length;
    const body = this.#body;
    const directory = this.#directory;
    body.clear();
    directory.clear();
    let count = 0;
    let last = -1;
    const whole = { maxFrequency: 0, minLength: 0xffff_ffff };
    let block = { ...whole, bytes: 0, positions: positionsBefore, last: -1 };
    const closeBlock = (): void => {
      directory.varUint(last - block.last);
      directory.varUint(body.length - block.bytes);
      directory.varUint(this.positions.length - block.positions);
      directory.varUint(block.maxFrequency);
      directory.varUint(block.minLength);
      whole.maxFrequency = Math.max(whole.maxFrequency, block.maxFrequency);
      whole.minLength = Math.min(whole.minLength, block.minLength);
      block = { maxFrequency: 0, minLength: 0xffff_ffff, bytes: body.length, positions: this.positions.length, last };
    };
    for (let i = starts[id]!; i < starts[id + 1]!; ) {
      const row = rows[i]!;
      const first = i;
      let position = 0;
      while (i < starts[id + 1]! && rows[i] === row) {
        this.positions.varUint(positions[i]! - position);
        position = positions[i++]!;
      }
      const frequency = i - first;
      body.varUint((row - last - 1) * 2 + (frequency === 1 ? 1 : 0));
      if (frequency > 1) body.varUint(frequency);
      last = row;
      block.maxFrequency = Math.max(block.maxFrequency, frequency);
      block.minLength = Math.min(block.minLength, lengths[row]!);
      count++;
      if (count % POSTINGS_PER_BLOCK === 0) closeBlock();
    }
    if (count % POSTINGS_PER_BLOCK !== 0) closeBlock();
    if (count > POSTINGS_PER_BLOCK) this.postings.bytes(directory.view());
    this.postings.bytes(body.view());
    this.dictionary.varUint(count);
    this.dictionary.varUint(this.postings.length - postingsBefore);
    this.dictionary.varUint(this.positions.length - positionsBefore);
    this.dictionary.varUint(whole.maxFrequency);
    this.dictionary.varUint(whole.minLength);
  }
}

function sharedBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < length && a[shared] === b[shared]) shared++;
  return shared;
}
