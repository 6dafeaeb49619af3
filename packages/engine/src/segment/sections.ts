import { formatInvalid } from '../bytes/damage.ts';
import { asBigInt64, asFloat32, asFloat64, asUint32 } from '../bytes/typed-views.ts';
import type { SectionKind } from './format.ts';

/**
 * A segment's sections in memory, taken out one by one by what they are; FORMAT_INVALID when one is missing or has another length than
 * what was read before says.
 */
export class Sections {
  readonly what: string;
  readonly #bytes: Map<number, Uint8Array>;

  constructor(what: string, bytes: Map<number, Uint8Array>) {
    this.what = what;
    this.#bytes = bytes;
  }

  static keyOf(kind: SectionKind, field: number): number {
    return kind * 0x10000 + field;
  }

  invalid(problem: string): Error {
    return formatInvalid(this.what, problem);
  }

  has(kind: SectionKind, field: number): boolean {
    return this.#bytes.has(Sections.keyOf(kind, field));
  }

  bytes(kind: SectionKind, field: number, length?: number): Uint8Array {
    const key = Sections.keyOf(kind, field);
    const bytes = this.#bytes.get(key);
    if (bytes === undefined) throw this.invalid(`section ${kind} of field ${field} is missing`);
    if (length !== undefined && bytes.length !== length)
      throw this.invalid(`section ${kind} of field ${field}: ${length} bytes expected, got ${bytes.length}`);
    this.#bytes.delete(key);
    return bytes;
  }

  uint32(kind: SectionKind, field: number, count: number): Uint32Array {
    return asUint32(this.bytes(kind, field, count * 4));
  }

  float32(kind: SectionKind, field: number, count: number): Float32Array {
    return asFloat32(this.bytes(kind, field, count * 4));
  }

  float64(kind: SectionKind, field: number, count: number): Float64Array {
    return asFloat64(this.bytes(kind, field, count * 8));
  }

  bigInt64(kind: SectionKind, field: number, count: number): BigInt64Array {
    return asBigInt64(this.bytes(kind, field, count * 8));
  }

  /** `count + 1` offsets, ascending from 0. */
  offsets(kind: SectionKind, field: number, count: number): Uint32Array {
    const offsets = this.uint32(kind, field, count + 1);
    checkOffsets(offsets, () => this.invalid(`section ${kind} of field ${field}: offsets do not ascend from 0`));
    return offsets;
  }

  /** As many offsets as there are, at least one. */
  freeOffsets(kind: SectionKind, field: number): Uint32Array {
    const bytes = this.bytes(kind, field);
    if (bytes.length < 4 || bytes.length % 4 !== 0)
      throw this.invalid(`section ${kind} of field ${field}: whole offsets expected, got ${bytes.length} bytes`);
    const offsets = asUint32(bytes);
    checkOffsets(offsets, () => this.invalid(`section ${kind} of field ${field}: offsets do not ascend from 0`));
    return offsets;
  }

  /** Everything must have been taken. */
  end(): void {
    for (const key of this.#bytes.keys()) throw this.invalid(`section ${key >>> 16} does not belong to field ${key & 0xffff}`);
  }
}

function checkOffsets(offsets: Uint32Array, error: () => Error): void {
  let previous = 0;
  for (let index = 0; index < offsets.length; index++) {
    const offset = offsets[index]!;
    if (offset < previous || (index === 0 && offset !== 0)) throw error();
    previous = offset;
  }
}
