import { assert, type Kind, normalizeInt64, type ScalarValue, type StoredValue } from '@terndb/core';
import { bytesOf } from '../bytes/typed-views.ts';
import { encodeCodes } from './codes.ts';
import { SECTION } from './format.ts';
import type { EncodedSection } from './section-list.ts';
import { type Steps, sortInSteps } from './steps.ts';
import { encodeStrings } from './strings.ts';

/** What is known of a run of scalars, apart from its nulls. */
export interface ScalarStats {
  readonly min: ScalarValue | null;
  readonly max: ScalarValue | null;
  readonly distinct: number;
}

/** Takes the scalars of a column, or the items of a list column, in order of index, each at most once; what is not set stays zero. */
export interface ScalarSink {
  set(index: number, value: StoredValue): void;
  finish(): Steps<{ readonly sections: EncodedSection[]; readonly stats: ScalarStats }>;
}

export function createScalarSink(type: Kind, count: number): ScalarSink {
  if (type === 'number' || type === 'date') return new NumberSink(count);
  if (type === 'int64') return new Int64Sink(count);
  if (type === 'boolean') return new BooleanSink(count);
  assert(type === 'keyword', `segment: ${type} is not a scalar`);
  return new KeywordSink(count);
}

class NumberSink implements ScalarSink {
  readonly #values: Float64Array;
  readonly #set: Float64Array;
  #count = 0;

  constructor(count: number) {
    this.#values = new Float64Array(count);
    this.#set = new Float64Array(count);
  }

  set(index: number, value: StoredValue): void {
    this.#values[index] = value as number;
    this.#set[this.#count++] = value as number;
  }

  *finish(): ReturnType<ScalarSink['finish']> {
    yield;
    const sorted = this.#set.subarray(0, this.#count).sort();
    let distinct = 0;
    for (let index = 0; index < sorted.length; index++) if (index === 0 || sorted[index] !== sorted[index - 1]) distinct++;
    const stats = { min: sorted[0] ?? null, max: sorted[sorted.length - 1] ?? null, distinct };
    return { sections: [{ kind: SECTION.VALUES, parts: [bytesOf(this.#values)] }], stats };
  }
}

class Int64Sink implements ScalarSink {
  readonly #values: BigInt64Array;
  readonly #set: BigInt64Array;
  #count = 0;

  constructor(count: number) {
    this.#values = new BigInt64Array(count);
    this.#set = new BigInt64Array(count);
  }

  set(index: number, value: StoredValue): void {
    const wide = BigInt(value as number | bigint);
    this.#values[index] = wide;
    this.#set[this.#count++] = wide;
  }

  *finish(): ReturnType<ScalarSink['finish']> {
    yield;
    const sorted = this.#set.subarray(0, this.#count).sort();
    let distinct = 0;
    for (let index = 0; index < sorted.length; index++) if (index === 0 || sorted[index] !== sorted[index - 1]) distinct++;
    const stats = { min: normalizeInt64(sorted[0]) ?? null, max: normalizeInt64(sorted[sorted.length - 1]) ?? null, distinct };
    return { sections: [{ kind: SECTION.VALUES, parts: [bytesOf(this.#values)] }], stats };
  }
}

class BooleanSink implements ScalarSink {
  readonly #values: Uint8Array;
  #seen = 0;

  constructor(count: number) {
    this.#values = new Uint8Array(count);
  }

  set(index: number, value: StoredValue): void {
    this.#values[index] = value === true ? 1 : 0;
    this.#seen |= value === true ? 2 : 1;
  }

  *finish(): ReturnType<ScalarSink['finish']> {
    yield;
    const seen = this.#seen;
    const stats = {
      min: seen === 0 ? null : (seen & 1) === 0,
      max: seen === 0 ? null : (seen & 2) !== 0,
      distinct: (seen & 1) + (seen >> 1),
    };
    return { sections: [{ kind: SECTION.VALUES, parts: [this.#values] }], stats };
  }
}

class KeywordSink implements ScalarSink {
  /** By order of appearance until `finish`; 0 where nothing is set, too. */
  readonly #codes: Uint32Array;
  readonly #codeOf = new Map<string, number>();

  constructor(count: number) {
    this.#codes = new Uint32Array(count);
  }

  set(index: number, value: StoredValue): void {
    const text = value as string;
    let code = this.#codeOf.get(text);
    if (code === undefined) {
      code = this.#codeOf.size + 1;
      this.#codeOf.set(text, code);
    }
    this.#codes[index] = code;
  }

  *finish(): ReturnType<ScalarSink['finish']> {
    const dictionary = yield* sortInSteps([...this.#codeOf.keys()], (a, b) => (a < b ? -1 : 1));
    const rank = new Uint32Array(dictionary.length + 1);
    dictionary.forEach((text, index) => {
      rank[this.#codeOf.get(text)!] = index;
    });
    const codes = this.#codes.map((code) => rank[code]!);
    const stats = { min: dictionary[0] ?? null, max: dictionary[dictionary.length - 1] ?? null, distinct: dictionary.length };
    const strings = yield* encodeStrings(dictionary, { offsets: SECTION.DICTIONARY_OFFSETS, values: SECTION.DICTIONARY_VALUES });
    return { sections: [{ kind: SECTION.CODES, parts: [encodeCodes(codes, dictionary.length)] }, ...strings], stats };
  }
}
