import { DbError, type FieldDefinition, MAX_AGGREGATE_GROUPS, MAX_AGGREGATE_TEXT, normalizeInt64 } from '@terndb/core';
import { testBit } from '../../bitmap/bitmap.ts';
import type { RowBlock } from '../../view/view.ts';
import { type SortValue, sortReader } from '../sort-values.ts';

/** Room for a group and a value in one safe integer. */
const PAIR = 2 ** 20;

/** What a reader gives, as it is compared and shown: one form per value, whatever block it is from. */
export function plainValue(field: FieldDefinition, value: SortValue): SortValue {
  if (value === null) return null;
  if (field.type === 'boolean') return value === true || value === 1;
  return typeof value === 'bigint' ? (normalizeInt64(value) as number | bigint) : value;
}

/** QUERY_INVALID. */
export function tooMuch(collection: string, expected: string): DbError {
  return new DbError('QUERY_INVALID', `${collection}: aggregate: at most ${expected} expected, got more: filter, or group by less`, {
    details: { collection, option: 'groupBy', expected },
  });
}

/** Distinct values of one field, numbered as they come. */
class Values {
  readonly values: SortValue[] = [];
  readonly #field: FieldDefinition;
  readonly #keyField: string;
  readonly #collection: string;
  readonly #numbers = new Map<SortValue, number>();
  #characters = 0;

  constructor(field: FieldDefinition, keyField: string, collection: string) {
    this.#field = field;
    this.#keyField = keyField;
    this.#collection = collection;
  }

  numberOf(value: SortValue): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    if (this.values.length >= MAX_AGGREGATE_GROUPS) throw tooMuch(this.#collection, `${MAX_AGGREGATE_GROUPS} groups`);
    if (typeof value === 'string') this.#characters += value.length;
    if (this.#characters > MAX_AGGREGATE_TEXT) throw tooMuch(this.#collection, `${MAX_AGGREGATE_TEXT} characters of group values`);
    this.#numbers.set(value, this.values.length);
    return this.values.push(value) - 1;
  }

  /** One number per offset. Of a dictionary each word is looked up once per block. */
  read(block: RowBlock, offsets: Uint32Array): Uint32Array {
    const numbers = new Uint32Array(offsets.length);
    const column = block.column(this.#field.name);
    if (column?.kind === 'keyword') {
      const { codes, dictionary, validity } = column;
      const known = new Int32Array(dictionary.length).fill(-1);
      for (let i = 0; i < offsets.length; i++) {
        const offset = offsets[i]!;
        if (validity !== null && !testBit(validity, offset)) {
          numbers[i] = this.numberOf(null);
          continue;
        }
        const code = codes[offset]!;
        if (known[code]! < 0) known[code] = this.numberOf(dictionary[code]!);
        numbers[i] = known[code]!;
      }
      return numbers;
    }
    const read = sortReader(block, this.#field.name, this.#keyField);
    for (let i = 0; i < offsets.length; i++) numbers[i] = this.numberOf(plainValue(this.#field, read(offsets[i]!)));
    return numbers;
  }
}

/** Pairs of a group of the fields so far and a value of the next one, numbered as they come. */
class Pairs {
  readonly groups: number[] = [];
  readonly values: number[] = [];
  readonly #numbers = new Map<number, number>();

  numberOf(group: number, value: number, collection: string): number {
    const pair = group * PAIR + value;
    const known = this.#numbers.get(pair);
    if (known !== undefined) return known;
    if (this.groups.length >= MAX_AGGREGATE_GROUPS) throw tooMuch(collection, `${MAX_AGGREGATE_GROUPS} groups`);
    this.#numbers.set(pair, this.groups.length);
    this.values.push(value);
    return this.groups.push(group) - 1;
  }
}

/**
 * Groups of rows with equal values in some fields (nulls are equal here, as in SQL), numbered from 0. Without fields there is one, rows or not.
 * At most MAX_AGGREGATE_GROUPS and MAX_AGGREGATE_TEXT: QUERY_INVALID.
 */
export class Groups {
  readonly #collection: string;
  readonly #fields: readonly Values[];
  /** One per field after the first: a group of the first field is a value of it. */
  readonly #pairs: readonly Pairs[];

  constructor(collection: string, fields: readonly FieldDefinition[], keyField: string) {
    this.#collection = collection;
    this.#fields = fields.map((field) => new Values(field, keyField, collection));
    this.#pairs = fields.slice(1).map(() => new Pairs());
  }

  get count(): number {
    return this.#pairs.at(-1)?.groups.length ?? this.#fields[0]?.values.length ?? 1;
  }

  /** The group of each offset. */
  read(block: RowBlock, offsets: Uint32Array): Uint32Array {
    const [first, ...rest] = this.#fields;
    if (first === undefined) return new Uint32Array(offsets.length);
    const groups = first.read(block, offsets);
    rest.forEach((field, level) => {
      const pairs = this.#pairs[level]!;
      const numbers = field.read(block, offsets);
      for (let i = 0; i < groups.length; i++) groups[i] = pairs.numberOf(groups[i]!, numbers[i]!, this.#collection);
    });
    return groups;
  }

  /** The group with these values. */
  numberOf(values: readonly SortValue[]): number {
    let group = 0;
    this.#fields.forEach((field, level) => {
      const number = field.numberOf(values[level]!);
      group = level === 0 ? number : this.#pairs[level - 1]!.numberOf(group, number, this.#collection);
    });
    return group;
  }

  valuesOf(group: number): SortValue[] {
    const values: SortValue[] = [];
    let left = group;
    for (let level = this.#fields.length - 1; level > 0; level--) {
      const pairs = this.#pairs[level - 1]!;
      values.unshift(this.#fields[level]!.values[pairs.values[left]!]!);
      left = pairs.groups[left]!;
    }
    if (this.#fields.length > 0) values.unshift(this.#fields[0]!.values[left]!);
    return values;
  }
}
