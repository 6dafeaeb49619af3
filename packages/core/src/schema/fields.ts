import type { JsonValue } from '../errors/db-error.ts';
import type { AnalyzerOption } from '../text/analyzer-definition.ts';
import { isPlainObject } from '../value/describe.ts';
import type { Int64 } from '../value/value.ts';
import type { CollabTextValue, CollabValue } from './collab-types.ts';
import type {
  BinaryMetric,
  Kind,
  ListIndexType,
  Metric,
  ScalarIndexType,
  TextIndexType,
  VectorElements,
  VectorIndexOptions,
} from './definition.ts';
import type {
  AnyField,
  ArrayElement,
  BinaryVector,
  DenseVector,
  Field,
  FieldType,
  InOf,
  OutOf,
  SparseVector,
  VectorField,
} from './field-types.ts';

/** `metric` defaults to COSINE. `model` to the database's embedder. */
export interface VectorOptions {
  metric?: Metric;
  index?: VectorIndexOptions;
  model?: string;
  /**
   * What components are kept as; half or a quarter of the memory and of the log. Numbers are rounded to the nearest float16 or bfloat16 and read back as a
   * `Float32Array` of those; int8 are whole numbers from -128 to 127, read back as an `Int8Array`. Not with `embed`.
   */
  elements?: VectorElements;
}

/** Which index serves conditions on the field in larger segments. */
export interface ScalarOptions {
  index?: ScalarIndexType;
}

export interface FieldBuilders {
  /** Names the key field, at most one per collection. Without one the key is `id`, VarChar, auto. `autoId` (default false): time-ordered, free of collisions across devices. */
  primaryKey<const A extends boolean = false>(
    type: 'varchar',
    options?: { autoId?: A; maxLength?: number },
  ): FieldType<'primaryKey', string, string, A>;
  primaryKey<const A extends boolean = false>(type: 'int64', options?: { autoId?: A }): FieldType<'primaryKey', Int64, Int64, A>;
  /** `search`: analyzed for full-text search. Otherwise stored only. `maxLength` in UTF-8 bytes. `analyzer`: how a text becomes terms (`standard`). */
  text<const S extends boolean = false>(options?: {
    search?: S;
    maxLength?: number;
    analyzer?: AnalyzerOption;
    index?: TextIndexType;
  }): Field<'text', string, string, false, { search: S }>;
  /** A Yjs text: concurrent edits merge. A put gives the text it starts with; a patch cannot touch it. */
  collabText<const S extends boolean = false>(options?: {
    search?: S;
    analyzer?: AnalyzerOption;
  }): FieldType<'collabText', string, CollabTextValue, false, { search: S }>;
  /** An opaque Yjs document: merged, not searched. A put may give a Yjs update (v1) to start with; left out, it starts empty. */
  collab(): FieldType<'collab', Uint8Array, CollabValue, true>;
  /** Exact, filterable string; with values, only these. */
  keyword(options: ScalarOptions): Field<'keyword', string, string, false>;
  keyword<const V extends string = string>(values?: readonly V[], options?: ScalarOptions): Field<'keyword', V, V, false>;
  /** Exact to 64 bits. Reads as `number` when it is a safe integer, else as `bigint`. */
  int64(options?: ScalarOptions): Field<'int64', Int64, Int64, false>;
  /** Double. NaN and infinities are refused. */
  number(options?: ScalarOptions): Field<'number', number, number, false>;
  boolean(options?: ScalarOptions): Field<'boolean', boolean, boolean, false>;
  /** A moment (timestamptz), kept to the millisecond, without its zone. */
  date(options?: ScalarOptions): Field<'date', Date, Date, false>;
  /** Any JSON value; one register, replaced as a whole. Reached by `filter` paths, not by `where`. */
  json<T = JsonValue>(): Field<'json', T, T, false>;
  /** One register, replaced as a whole. Elements are never null. */
  array<const E extends ArrayElement>(
    of: E,
    options?: { maxCapacity?: number; index?: ListIndexType },
  ): Field<'array', readonly InOf<E>[], readonly OutOf<E>[], false, { of: E }>;
  /** `embed`: these text fields are embedded in order, on this device or the server; may then be left out of a put. `dim` left out: the model's. */
  vector<const E extends readonly string[]>(
    options: VectorOptions & { embed: E },
  ): VectorField<'vector', DenseVector, Float32Array, true, { embed: E }>;
  vector<const E extends readonly string[]>(
    dim: number,
    options: VectorOptions & { embed: E },
  ): VectorField<'vector', DenseVector, Float32Array, true, { embed: E }>;
  vector(
    dim: number,
    options: VectorOptions & { elements: 'int8' },
  ): VectorField<'vector', Int8Array | readonly number[], Int8Array, false>;
  vector(dim: number, options?: VectorOptions): VectorField<'vector', DenseVector, Float32Array, false>;
  /** Inner product only. */
  sparseVector(): VectorField<'sparseVector', SparseVector, Readonly<Record<number, number>>, false>;
  /** `dim` is a multiple of 8. */
  binaryVector(
    dim: number,
    options?: { metric?: BinaryMetric; index?: Omit<VectorIndexOptions, 'engine' | 'nlist'> },
  ): VectorField<'binaryVector', BinaryVector, Uint8Array, false>;
}

/** What a builder holds until `defineSchema` checks it: the params given, and `nullable` and `default` where asked for. */
export type FieldDraft = Readonly<Record<string, unknown>>;

/** Checks nothing: what is wrong is reported by `defineSchema`, which knows the names. */
function build(kind: Kind, x: FieldDraft = {}, opt = false): AnyField & Record<'nullable' | 'default', (value?: unknown) => unknown> {
  return {
    kind,
    opt,
    x,
    nullable: () => build(kind, { ...x, nullable: true }, true),
    default: (value) => build(kind, { ...x, default: value }, true),
  };
}

const builders = {
  primaryKey: (keyType: unknown, options?: { autoId?: boolean }) => build('primaryKey', { ...options, keyType }, options?.autoId),
  collab: () => build('collab', {}, true),
  keyword: (values?: unknown, options?: object) => build('keyword', isPlainObject(values) ? { ...values } : { ...options, values }),
  array: (of: unknown, options?: object) => build('array', { ...options, of }),
  vector: (dim: unknown, options?: object) => {
    const x: FieldDraft = isPlainObject(dim) ? { ...dim } : { ...options, dim };
    return build('vector', x, x['embed'] !== undefined);
  },
  binaryVector: (dim: unknown, options?: object) => build('binaryVector', { ...options, dim }),
} as Record<string, unknown>;
for (const kind of ['text', 'collabText', 'int64', 'number', 'boolean', 'date', 'json', 'sparseVector'] as const) {
  builders[kind] = (options?: FieldDraft) => build(kind, { ...options });
}

/** The fields of a schema. Methods make new values; nothing is checked before `defineSchema`. */
export const f: FieldBuilders = builders as unknown as FieldBuilders;
