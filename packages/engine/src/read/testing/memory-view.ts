import {
  assert,
  type CollectionDefinition,
  comparePrimaryKeys,
  defaultValueOf,
  fieldOf,
  keyFieldOf,
  type PrimaryKey,
  type ScalarValue,
  type StoredFields,
  type StoredValue,
  type Timestamp,
  valueFieldsOf,
} from '@terndb/core';
import { createBitmap, setBit, testBit } from '../../bitmap/bitmap.ts';
import type { Column } from '../../columns/column.ts';
import type { ReadInfo } from '../../database/types.ts';
import type { ColumnStats } from '../../segment/types.ts';
import type { RowBlock, View } from '../../view/view.ts';
import type { ReadContext } from '../context.ts';
import { FlatVectors } from './flat-vectors.ts';
import { stringColumn, typedColumn } from './typed-column.ts';

export interface MemoryRow {
  readonly key: PrimaryKey;
  /** Fields left out are null. */
  readonly fields: StoredFields;
  /** Default true. */
  readonly live?: boolean;
  readonly version?: number;
}

export interface MemoryBlockOptions {
  readonly definition: CollectionDefinition;
  readonly rows: readonly MemoryRow[];
  /** `typed`: rows sorted by key, columns as in a segment. `values`: rows as given, one value array per field. */
  readonly form: 'typed' | 'values';
  /** Fields that came after this block was written. */
  readonly without?: ReadonlySet<string>;
  /** Of vector fields whose dim is the model's. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Typed keywords without a dictionary. */
  readonly plainKeywords?: boolean;
  /** Left out: nothing is cached for this block. */
  readonly cacheKey?: object | undefined;
}

/** A block of rows held in memory, in either of the two forms that readers meet. */
export function memoryBlock({
  definition,
  rows: given,
  form,
  without = new Set(),
  cacheKey,
  plainKeywords,
  dims = {},
}: MemoryBlockOptions): RowBlock {
  const rows = form === 'typed' ? [...given].sort((a, b) => comparePrimaryKeys(a.key, b.key)) : given;
  const live = createBitmap(rows.length);
  rows.forEach((row, offset) => {
    if (row.live !== false) setBit(live, offset);
  });
  const keyField = keyFieldOf(definition).name;
  const columns = new Map<string, Column>();
  const vectors = new Map<string, FlatVectors>();
  for (const field of valueFieldsOf(definition)) {
    if (without.has(field.name)) continue;
    const values = rows.map((row) => row.fields[field.name] ?? null);
    columns.set(
      field.name,
      form === 'values'
        ? { kind: 'values', values }
        : plainKeywords && field.type === 'keyword'
          ? stringColumn(values)
          : typedColumn(field, values),
    );
    if (field.type !== 'vector') continue;
    const block = new FlatVectors(field.params.dim ?? dims[field.name] ?? 1);
    for (const value of values) block.append((value ?? new Float32Array(block.dim)) as Float32Array);
    vectors.set(field.name, block);
  }
  return {
    id: form === 'typed' ? 'segment' : 'growing',
    ...(cacheKey === undefined ? {} : { cacheKey }),
    rows: rows.length,
    live,
    sortedByKey: form === 'typed',
    keyAt: (offset) => rows[offset]!.key,
    versionAt: (offset) => (rows[offset]!.version ?? 1) as Timestamp,
    revisionAt: (offset) => rows[offset]!.version ?? 1,
    column: (field) => columns.get(field),
    vectors: (field) => vectors.get(field),
    ...(form === 'typed' ? { stats: (name: string) => statsOf(rows.map((row) => row.fields[name] ?? null)) } : {}),
    valueAt(name, offset): StoredValue {
      const row = rows[offset]!;
      if (name === keyField) return row.key;
      return without.has(name) ? defaultValueOf(fieldOf(definition, name)!) : (row.fields[name] ?? null);
    },
  };
}

/** As a segment's footer says them: of lists those of the items, none of what has no order. */
function statsOf(values: readonly StoredValue[]): ColumnStats {
  const isScalar = (value: unknown): value is ScalarValue => typeof value !== 'object';
  const scalars = values.flatMap((value) => (Array.isArray(value) ? (value as readonly ScalarValue[]) : isScalar(value) ? [value] : []));
  const sorted = scalars.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const nulls = values.filter((value) => value === null).length;
  return { min: sorted[0] ?? null, max: sorted.at(-1) ?? null, nulls, distinct: null };
}

/** A view of blocks; of a key that several rows have, at most one may be live. */
export function memoryView(definition: CollectionDefinition, blocks: readonly RowBlock[]): View {
  const places = new Map<PrimaryKey, { readonly block: RowBlock; readonly offset: number }>();
  for (const block of blocks) {
    for (let offset = 0; offset < block.rows; offset++) {
      if (!testBit(block.live, offset)) continue;
      assert(!places.has(block.keyAt(offset)), () => `key ${block.keyAt(offset)} is live twice`);
      places.set(block.keyAt(offset), { block, offset });
    }
  }
  return {
    channel: 'c/p/0',
    definition,
    position: 1,
    blocks,
    liveRows: places.size,
    quarantined: [],
    find: (key) => places.get(key),
    release: () => {},
  };
}

export const LOCAL_INFO: ReadInfo = { coverage: 1, scope: 'local', degraded: null, stalenessMs: null, token: 't' };

/** One partition per view: `_default`, `p1`, `p2` … */
export function memoryContext(definition: CollectionDefinition, views: readonly View[]): ReadContext {
  return {
    definition,
    collection: 'items',
    partitions: views.map((view, index) => ({ partition: index === 0 ? '_default' : `p${index}`, view })),
    info: LOCAL_INFO,
  };
}
