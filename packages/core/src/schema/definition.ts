import type { JsonValue } from '../errors/db-error.ts';
import type { AnalyzerOption } from '../text/analyzer-definition.ts';

/**
 * The schema as data: one canonical serialised form, the same for `defineSchema` and for a REST create. Key field first, then fields by name,
 * every param present; equal schemas give equal JSON and so equal hashes.
 */
export type Metric = 'COSINE' | 'IP' | 'L2';
export type BinaryMetric = 'HAMMING' | 'JACCARD';
/**
 * What serves a vector field's larger segments; smaller ones are scanned whatever it says. `AUTOINDEX` (default): a graph of int8 codes (`binary`: of
 * one-bit codes). `HNSW`: a graph, `IVF`: lists of near rows, `quantization` being what they keep of a row. `FLAT`: always an exact scan. Rows
 * that an index finds are scored again from the rows themselves. Fields of bits are scanned.
 */
export interface VectorIndexOptions {
  type?: 'AUTOINDEX' | 'FLAT' | 'HNSW' | 'IVF';
  m?: number;
  efConstruction?: number;
  /** `none`: rows as they are; for `IVF` they are not even copied. `binary`: one bit per dimension. */
  quantization?: 'none' | 'sq8' | 'binary';
  /** Lists of an `IVF` index. Left out: twice the root of the segment's rows. */
  nlist?: number;
  /**
   * Dense vectors in a browser: graphs are built and searched by hnswlib-wasm. Left out, and elsewhere, and in partitions that a server leads: by Tern's
   * own.
   */
  engine?: 'hnswlib';
}
/** What came later than the first schemas is there only where it is not the default. */
export type VectorIndexParams = Required<Omit<VectorIndexOptions, 'engine' | 'nlist'>> & Pick<VectorIndexOptions, 'engine' | 'nlist'>;

/** What the components of a dense vector are kept as: in memory, in segments, in the log. */
export type VectorElements = 'float32' | 'float16' | 'bfloat16' | 'int8';

/**
 * What finds rows by a scalar field's value in larger segments, where that costs less than a look at the column. `auto` (default): what the values of each
 * segment make best. `none`: nothing, and nothing is kept. `sorted`: rows in the order of their values; `inverted`: the rows of each value; `bitmap`: a bit per row
 * for each value, where values are few. One that is asked for serves smaller segments, too. May change from version to version: no part of what two
 * schemas must share.
 */
export type ScalarIndexType = 'auto' | 'none' | 'sorted' | 'inverted' | 'bitmap';
/** Texts have no dictionary to list rows by, lists no order. */
export type TextIndexType = Exclude<ScalarIndexType, 'inverted' | 'bitmap'>;
export type ListIndexType = Exclude<ScalarIndexType, 'sorted'>;
/** It came later than the first schemas: left out where it is `auto`. */
interface Indexed<T extends ScalarIndexType = ScalarIndexType> {
  index?: Exclude<T, 'auto'>;
}

type NoParams = Record<never, never>;
export interface FieldParams {
  primaryKey: { keyType: 'varchar' | 'int64'; autoId: boolean; maxLength: number | null };
  text: { search: boolean; maxLength: number; analyzer: AnalyzerOption } & Indexed<TextIndexType>;
  collabText: { search: boolean; analyzer: AnalyzerOption };
  collab: NoParams;
  keyword: { values: readonly string[] | null } & Indexed;
  int64: Indexed;
  number: Indexed;
  boolean: Indexed;
  date: Indexed;
  json: NoParams;
  array: {
    of: FieldDefinitionOf<'keyword'> | FieldDefinitionOf<'int64'> | FieldDefinitionOf<'number'> | FieldDefinitionOf<'boolean'>;
    maxCapacity: number;
  } & Indexed<ListIndexType>;
  /** `dim` null: the model's. */
  vector: {
    dim: number | null;
    embed: readonly string[] | null;
    model: string | null;
    metric: Metric;
    index: VectorIndexParams;
    /** Left out: float32. */
    elements?: Exclude<VectorElements, 'float32'>;
  };
  sparseVector: { metric: 'IP' };
  binaryVector: { dim: number; metric: BinaryMetric; index: VectorIndexParams };
}
export type Kind = keyof FieldParams;

export interface FieldDefinitionOf<Kd extends Kind> {
  readonly name: string;
  readonly type: Kd;
  readonly nullable: boolean;
  /** Absent: none. An int64 beyond 2^53 is a decimal string, a date an ISO 8601 string in UTC. */
  readonly default?: JsonValue;
  readonly params: Readonly<FieldParams[Kd]>;
}
/** A union by `type`. */
export type FieldDefinition = { [Kd in Kind]: FieldDefinitionOf<Kd> }[Kind];
export interface CollectionDefinition {
  readonly fields: readonly FieldDefinition[];
  /** An entity is expired so long after its newest put; patches do not renew it. Left out: never. Not a part of what two schemas must share. */
  readonly ttlSeconds?: number;
}
export interface SchemaDefinition<N extends string = string> {
  readonly format: 1;
  readonly version: number;
  readonly collections: { readonly [P in N]: CollectionDefinition };
}
