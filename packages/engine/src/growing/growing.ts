import {
  assert,
  type CollectionDefinition,
  elementsOf,
  type Hash64,
  type PrimaryKey,
  type StoredValue,
  type StoredVector,
  type Timestamp,
} from '@terndb/core';
import type { Kernel } from '@terndb/kernel';
import { collabFieldsOf } from '../collab/load.ts';
import { type CollabState, collabBytes } from '../collab/types.ts';
import type { Column } from '../columns/column.ts';
import { type OriginColumn, OriginSlots, type VectorOrigin } from '../embedding/origin.ts';
import { isEmbeddedField } from '../embedding/source-text.ts';
import { newestTimestamp } from '../fold/fold.ts';
import type { LiveStamps } from '../fold/registers.ts';
import { rowHash } from '../fold/row-hash.ts';
import type { RowSource } from '../replica/row-source.ts';
import { approximateBytes } from './row-bytes.ts';
import { VectorSlots } from './vector-slots.ts';

/** Stamps, hash, position and map entry of one slot, roughly. */
const SLOT_OVERHEAD_BYTES = 120;

/**
 * Rows folded since the last seal: append-only slots of full rows. A row that changes gets a new slot, so a view that looks at the first n
 * slots is never disturbed. Values are kept per field as arrays; dense vectors go into kernel memory, row-aligned.
 */
export class GrowingRows implements RowSource {
  readonly id: string;
  readonly sortedByKey = false;
  readonly #keyField: string;
  readonly #keys: PrimaryKey[] = [];
  readonly #stamps: LiveStamps[] = [];
  readonly #hashes: Hash64[] = [];
  readonly #positions: number[] = [];
  readonly #older: number[] = [];
  readonly #newest = new Map<PrimaryKey, number>();
  readonly #columns = new Map<string, StoredValue[]>();
  readonly #vectors = new Map<string, VectorSlots>();
  readonly #origins = new Map<string, OriginSlots>();
  readonly #putSeqs: number[] = [];
  /** Documents of collab fields; null: the one its put began. */
  readonly #collab = new Map<string, (CollabState | null)[]>();
  /** Slots whose key has a newer one, and whose documents nobody needs once no view is left that sees them. */
  #superseded: number[] = [];
  #bytes = 0;
  #oldestPut = Number.POSITIVE_INFINITY;
  #freed = false;

  constructor(options: { readonly id: string; readonly definition: CollectionDefinition; readonly kernel: Kernel }) {
    this.id = options.id;
    let keyField = '';
    for (const field of options.definition.fields) {
      if (field.type === 'primaryKey') keyField = field.name;
      else if (field.type === 'vector') this.#vectors.set(field.name, new VectorSlots(options.kernel, field.params.dim, elementsOf(field)));
      else this.#columns.set(field.name, []);
      if (isEmbeddedField(field)) this.#origins.set(field.name, new OriginSlots());
    }
    for (const name of collabFieldsOf(options.definition).keys()) this.#collab.set(name, []);
    assert(keyField !== '', 'growing rows: a definition with a primary key expected');
    this.#keyField = keyField;
  }

  get rows(): number {
    return this.#keys.length;
  }

  /** Approximate bytes of all slots, dead ones included. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Room for so many more rows, so that appending them cannot fail; `sampleOf` gives one of a field's vectors among them, if there is any.
   * Throws MEMORY_LIMIT and changes nothing that shows.
   */
  reserve(rows: number, sampleOf: (field: string) => StoredVector | undefined): void {
    for (const [field, vectors] of this.#vectors) vectors.reserve(this.rows, rows, sampleOf(field));
  }

  /**
   * Appends a row; `valueOf` gives each field's value and is not kept. Strings, arrays and byte arrays are taken over, vectors copied.
   * @returns its slot. MEMORY_LIMIT, unless room was reserved: the row may be partly there, the caller gives the block up.
   */
  append(row: {
    readonly key: PrimaryKey;
    readonly stamps: LiveStamps;
    readonly position: number;
    /** Of the record that put the entity; 0 where nobody will ask (no collab fields). */
    readonly putSeq?: number;
    valueOf(field: string): StoredValue;
    /** Of a derived vector. */
    originOf?(field: string): VectorOrigin | null;
    /** Of a collab field. */
    collabOf?(field: string): CollabState | null;
  }): number {
    assert(!this.#freed, () => `growing rows ${this.id}: used after free`);
    const slot = this.#keys.length;
    let bytes = SLOT_OVERHEAD_BYTES;
    for (const [field, vectors] of this.#vectors) bytes += vectors.append(slot, row.valueOf(field) as StoredVector | null);
    for (const [field, values] of this.#columns) {
      const value = row.valueOf(field);
      values.push(value);
      bytes += approximateBytes(value);
    }
    for (const [field, origins] of this.#origins) origins.append(row.originOf?.(field) ?? null);
    for (const [field, states] of this.#collab) {
      const state = row.collabOf?.(field) ?? null;
      states.push(state);
      // Merged bytes are shared with the slots before: only what is new counts.
      if (state !== null) bytes += state.last?.update.length ?? collabBytes(state);
    }
    this.#putSeqs.push(row.putSeq ?? 0);
    this.#stamps.push(row.stamps);
    if (row.stamps.put.hlc < this.#oldestPut) this.#oldestPut = row.stamps.put.hlc;
    this.#hashes.push(rowHash(row.key, row.stamps));
    this.#positions.push(row.position);
    this.#older.push(this.#newest.get(row.key) ?? -1);
    this.#newest.set(row.key, slot);
    this.#keys.push(row.key);
    this.#bytes += bytes;
    return slot;
  }

  keyAt(offset: number): PrimaryKey {
    return this.#keys[offset]!;
  }

  findKey(key: PrimaryKey): number {
    return this.#newest.get(key) ?? -1;
  }

  olderRow(offset: number): number {
    return this.#older[offset]!;
  }

  stampsAt(offset: number): LiveStamps {
    return this.#stamps[offset]!;
  }

  hashAt(offset: number): Hash64 {
    return this.#hashes[offset]!;
  }

  versionAt(offset: number): Timestamp {
    return newestTimestamp(this.#stamps[offset]!);
  }

  putTimeAt(offset: number): Timestamp {
    return this.#stamps[offset]!.put.hlc;
  }

  get oldestPut(): number {
    return this.#oldestPut;
  }

  /** Position of the record that made the slot. */
  positionAt(offset: number): number {
    return this.#positions[offset]!;
  }

  column(field: string): Column | undefined {
    if (field === this.#keyField) return { kind: 'values', values: this.#keys };
    const values = this.#columns.get(field);
    if (values !== undefined) return { kind: 'values', values };
    return this.#vectors.get(field)?.column();
  }

  origins(field: string): OriginColumn | undefined {
    return this.#origins.get(field);
  }

  collabAt(field: string, offset: number): CollabState | null {
    return this.#collab.get(field)?.[offset] ?? null;
  }

  /** Changes with every merged update, also with one older than the row's stamps. */
  contentAt(offset: number): number {
    let content = 0;
    for (const states of this.#collab.values()) content += states[offset]?.serial ?? 0;
    return content;
  }

  /** The slot's key has a newer slot: its texts and documents go with `letGo`. Their other values stay until the block does. */
  supersede(offset: number): void {
    if (this.#collab.size > 0) this.#superseded.push(offset);
  }

  /** No view sees superseded slots any more. Text that changes with every key would else be kept once per key until the seal. */
  letGo(): void {
    if (this.#superseded.length === 0) return;
    for (const [field, states] of this.#collab) {
      const values = this.#columns.get(field)!;
      for (const offset of this.#superseded) {
        this.#bytes -= approximateBytes(values[offset]!);
        values[offset] = null;
        states[offset] = null;
      }
    }
    this.#superseded = [];
  }

  putSeqAt(offset: number): number {
    return this.#putSeqs[offset]!;
  }

  vectors(field: string): ReturnType<RowSource['vectors']> {
    return this.#vectors.get(field)?.block;
  }

  valueAt(field: string, offset: number): StoredValue {
    if (field === this.#keyField) return this.#keys[offset]!;
    const values = this.#columns.get(field);
    if (values !== undefined) return values[offset]!;
    return this.#vectors.get(field)?.valueAt(offset) ?? null;
  }

  free(): void {
    assert(!this.#freed, () => `growing rows ${this.id}: freed twice`);
    this.#freed = true;
    for (const vectors of this.#vectors.values()) vectors.free();
  }
}
