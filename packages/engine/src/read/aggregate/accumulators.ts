import { DbError, type FieldDefinition, MAX_AGGREGATE_TEXT } from '@terndb/core';
import { testBit } from '../../bitmap/bitmap.ts';
import type { RowBlock } from '../../view/view.ts';
import { type SortValue, sortReader } from '../sort-values.ts';
import { plainValue, tooMuch } from './groups.ts';
import type { AggregateTerm } from './plan.ts';

/** Rows of one block, each with its group. */
export interface GroupedRows {
  readonly block: RowBlock;
  readonly offsets: Uint32Array;
  /** Row-aligned with `offsets`. */
  readonly groups: Uint32Array;
}
/** At most so many rows are added at once: halves of 64-bit integers then add up exactly in doubles (2^20 * 2^32 < 2^53). */
export const MAX_ROWS_AT_ONCE: number = 2 ** 20;

/** An average before the division, which several of them can be joined from. */
export interface PartialAverage {
  readonly sum: number | bigint;
  readonly count: number;
}

/** One aggregate over all groups. */
export interface Accumulator {
  /** `count`: how many groups there are by now. */
  add(rows: GroupedRows, count: number): void;
  /** Takes in what another accumulator of this aggregate gave for its group. */
  merge(group: number, value: unknown, count: number): void;
  /** Null: there is no value. */
  valueOf(group: number): SortValue;
  partialOf(group: number): SortValue | PartialAverage;
}

export function accumulatorOf({ name, kind, field }: AggregateTerm, collection: string, keyField: string): Accumulator {
  switch (kind) {
    case 'count':
      return new Count(field, keyField);
    case 'sum':
    case 'avg': {
      const sum = field!.type === 'int64' ? new IntegerSum(field!.name) : new NumberSum(field!.name, `${collection}: aggregates.${name}`);
      return kind === 'sum' ? sum : new Average(sum);
    }
    case 'min':
    case 'max':
      return new Extreme({ field: field!, keyField, collection, isMax: kind === 'max' });
  }
}

function grown(values: Float64Array<ArrayBuffer>, count: number): Float64Array<ArrayBuffer> {
  if (values.length >= count) return values;
  const larger = new Float64Array(Math.max(count, values.length * 2));
  larger.set(values);
  return larger;
}

class Count implements Accumulator {
  readonly #field: FieldDefinition | undefined;
  #counts = new Float64Array(1);

  constructor(field: FieldDefinition | undefined, keyField: string) {
    this.#field = field?.name === keyField ? undefined : field;
  }

  add({ block, offsets, groups }: GroupedRows, count: number): void {
    this.#counts = grown(this.#counts, count);
    const counts = this.#counts;
    const isPresent = this.#field === undefined ? undefined : presenceReader(block, this.#field.name);
    if (isPresent === undefined) for (let i = 0; i < groups.length; i++) counts[groups[i]!]! += 1;
    else for (let i = 0; i < groups.length; i++) if (isPresent(offsets[i]!)) counts[groups[i]!]! += 1;
  }

  merge(group: number, value: unknown, count: number): void {
    this.#counts = grown(this.#counts, count);
    this.#counts[group]! += value as number;
  }

  valueOf(group: number): number {
    return this.#counts[group] ?? 0;
  }

  partialOf(group: number): number {
    return this.valueOf(group);
  }
}

/** Whether a row has a value. Undefined: every row has. */
function presenceReader(block: RowBlock, field: string): ((offset: number) => boolean) | undefined {
  const column = block.column(field);
  if (column === undefined) {
    const isPresent = block.rows > 0 && block.valueAt(field, 0) !== null;
    return () => isPresent;
  }
  if (column.kind === 'values') {
    const { values } = column;
    return (offset) => (values[offset] ?? null) !== null;
  }
  const { validity } = column;
  return validity === null ? undefined : (offset) => testBit(validity, offset);
}

/** A sum, and how many values it is of: of none it is null. */
interface Sum extends Accumulator {
  countOf(group: number): number;
  valueOf(group: number): number | bigint | null;
  mergeSum(group: number, sum: number | bigint, values: number, count: number): void;
}

/** Doubles, in the order of the rows. */
class NumberSum implements Sum {
  readonly #field: string;
  readonly #what: string;
  #sums = new Float64Array(1);
  #counts = new Float64Array(1);

  constructor(field: string, what: string) {
    this.#field = field;
    this.#what = what;
  }

  add({ block, offsets, groups }: GroupedRows, count: number): void {
    this.#grow(count);
    const [sums, counts] = [this.#sums, this.#counts];
    const column = block.column(this.#field);
    if (column?.kind === 'number') {
      const { values, validity } = column;
      for (let i = 0; i < groups.length; i++) {
        const offset = offsets[i]!;
        if (validity !== null && !testBit(validity, offset)) continue;
        sums[groups[i]!]! += values[offset]!;
        counts[groups[i]!]! += 1;
      }
      return;
    }
    const read = sortReader(block, this.#field, '');
    for (let i = 0; i < groups.length; i++) {
      const value = read(offsets[i]!);
      if (value === null) continue;
      sums[groups[i]!]! += value as number;
      counts[groups[i]!]! += 1;
    }
  }

  merge(group: number, value: unknown, count: number): void {
    if (value !== null && value !== undefined) this.mergeSum(group, value as number, 1, count);
  }

  mergeSum(group: number, sum: number | bigint, values: number, count: number): void {
    this.#grow(count);
    this.#sums[group]! += Number(sum);
    this.#counts[group]! += values;
  }

  countOf(group: number): number {
    return this.#counts[group] ?? 0;
  }

  valueOf(group: number): number | null {
    if (this.countOf(group) === 0) return null;
    const sum = this.#sums[group]!;
    if (Number.isFinite(sum)) return sum;
    throw new DbError('QUERY_INVALID', `${this.#what}: a sum that a double can hold expected, got a larger one`);
  }

  partialOf(group: number): number | null {
    return this.valueOf(group);
  }

  #grow(count: number): void {
    this.#sums = grown(this.#sums, count);
    this.#counts = grown(this.#counts, count);
  }
}

/** Exact, however large. */
class IntegerSum implements Sum {
  readonly #field: string;
  readonly #totals: bigint[] = [];
  #counts = new Float64Array(1);
  /** Of the rows being added: upper halves (signed) and lower ones. */
  #upper = new Float64Array(1);
  #lower = new Float64Array(1);

  constructor(field: string) {
    this.#field = field;
  }

  add({ block, offsets, groups }: GroupedRows, count: number): void {
    this.#grow(count);
    const [totals, counts] = [this.#totals, this.#counts];
    const column = block.column(this.#field);
    if (column?.kind === 'int64') {
      const { values, validity } = column;
      const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
      for (let i = 0; i < groups.length; i++) {
        const offset = offsets[i]!;
        if (validity !== null && !testBit(validity, offset)) continue;
        const group = groups[i]!;
        this.#lower[group]! += halves[offset * 2]! >>> 0;
        this.#upper[group]! += halves[offset * 2 + 1]!;
        counts[group]! += 1;
      }
      this.#carry(count);
      return;
    }
    const read = sortReader(block, this.#field, '');
    for (let i = 0; i < groups.length; i++) {
      const value = read(offsets[i]!);
      if (value === null) continue;
      totals[groups[i]!]! += BigInt(value as number | bigint);
      counts[groups[i]!]! += 1;
    }
  }

  merge(group: number, value: unknown, count: number): void {
    if (value !== null && value !== undefined) this.mergeSum(group, value as number | bigint, 1, count);
  }

  mergeSum(group: number, sum: number | bigint, values: number, count: number): void {
    this.#grow(count);
    this.#totals[group]! += BigInt(sum);
    this.#counts[group]! += values;
  }

  countOf(group: number): number {
    return this.#counts[group] ?? 0;
  }

  valueOf(group: number): number | bigint | null {
    if (this.countOf(group) === 0) return null;
    const total = this.#totals[group]!;
    return Number.isSafeInteger(Number(total)) ? Number(total) : total;
  }

  partialOf(group: number): number | bigint | null {
    return this.valueOf(group);
  }

  #carry(count: number): void {
    for (let group = 0; group < count; group++) {
      const [upper, lower] = [this.#upper[group]!, this.#lower[group]!];
      if (upper === 0 && lower === 0) continue;
      this.#totals[group]! += BigInt(upper) * 4_294_967_296n + BigInt(lower);
      this.#upper[group] = 0;
      this.#lower[group] = 0;
    }
  }

  #grow(count: number): void {
    while (this.#totals.length < count) this.#totals.push(0n);
    this.#counts = grown(this.#counts, count);
    this.#upper = grown(this.#upper, count);
    this.#lower = grown(this.#lower, count);
  }
}

class Average implements Accumulator {
  readonly #sum: Sum;

  constructor(sum: Sum) {
    this.#sum = sum;
  }

  add(rows: GroupedRows, count: number): void {
    this.#sum.add(rows, count);
  }

  merge(group: number, value: unknown, count: number): void {
    if (value === null || value === undefined) return;
    const partial = value as PartialAverage;
    this.#sum.mergeSum(group, partial.sum, partial.count, count);
  }

  valueOf(group: number): number | null {
    const sum = this.#sum.valueOf(group);
    return sum === null ? null : Number(sum) / this.#sum.countOf(group);
  }

  partialOf(group: number): PartialAverage | null {
    const sum = this.#sum.valueOf(group);
    return sum === null ? null : { sum, count: this.#sum.countOf(group) };
  }
}

/** The smallest value, or the largest. */
class Extreme implements Accumulator {
  readonly #options: {
    readonly field: FieldDefinition;
    readonly keyField: string;
    readonly collection: string;
    readonly isMax: boolean;
  };
  readonly #values: SortValue[] = [];
  #characters = 0;

  constructor(options: {
    readonly field: FieldDefinition;
    readonly keyField: string;
    readonly collection: string;
    readonly isMax: boolean;
  }) {
    this.#options = options;
  }

  add({ block, offsets, groups }: GroupedRows, count: number): void {
    const { field, keyField } = this.#options;
    this.#grow(count);
    const read = sortReader(block, field.name, keyField);
    for (let i = 0; i < groups.length; i++) {
      const value = read(offsets[i]!);
      if (value !== null) this.#offer(groups[i]!, value);
    }
  }

  merge(group: number, value: unknown, count: number): void {
    this.#grow(count);
    if (value !== null && value !== undefined) this.#offer(group, (value instanceof Date ? value.getTime() : value) as SortValue & {});
  }

  valueOf(group: number): SortValue {
    return plainValue(this.#options.field, this.#values[group] ?? null);
  }

  partialOf(group: number): SortValue {
    return this.valueOf(group);
  }

  #offer(group: number, value: SortValue & {}): void {
    const best = this.#values[group]!;
    if (best !== null && (this.#options.isMax ? value <= best : value >= best)) return;
    this.#values[group] = value;
    if (typeof value !== 'string') return;
    this.#characters += value.length - ((best as string | null)?.length ?? 0);
    if (this.#characters > MAX_AGGREGATE_TEXT) throw tooMuch(this.#options.collection, `${MAX_AGGREGATE_TEXT} characters of values`);
  }

  #grow(count: number): void {
    while (this.#values.length < count) this.#values.push(null);
  }
}
