import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';

/**
 * Texts that repeat within one frame (client ids, authors, field names, models, codes): a varint index into the table of those seen so far;
 * the index one past its end introduces a new one, whose text follows. So a repeated name costs one byte, or two beyond 127 names.
 */
export class StringTableWriter {
  readonly #indexes = new Map<string, number>();

  write(writer: ByteWriter, text: string): void {
    const known = this.#indexes.get(text);
    writer.varUint(known ?? this.#indexes.size);
    if (known !== undefined) return;
    writer.string(text);
    this.#indexes.set(text, this.#indexes.size);
  }
}

export class StringTableReader {
  readonly #texts: string[] = [];

  /** @throws FORMAT_INVALID when the index is beyond the table. */
  read(reader: ByteReader): string {
    const index = reader.varUint();
    if (index > this.#texts.length) throw reader.invalid(`text ${index} of a table of ${this.#texts.length}`);
    if (index === this.#texts.length) this.#texts.push(reader.string());
    return this.#texts[index]!;
  }
}
