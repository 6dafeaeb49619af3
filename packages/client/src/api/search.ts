import type {
  BinaryVector,
  DefaultFields,
  DenseVector,
  EmbedOf,
  FieldName,
  Filter,
  Groupable,
  InOf,
  IsDynamic,
  IsUnion,
  Key,
  NamesOf,
  NonNull,
  PrimaryKey,
  Shape,
  SparseVector,
  VectorKind,
} from '@terndb/core';
import type { FieldVector, Fusion, Highlight, HitPart, Reranker } from './ranking.ts';
import type { Page, ReadInfo, ReadOptions } from './reading.ts';

type VectorNames<S> = NamesOf<S, VectorKind>;
type EmbeddedNames<S> = { [P in keyof S]: [EmbedOf<S[P]>] extends [never] ? never : P }[keyof S] & string;
type SearchTextNames<S> = { [P in keyof S]: S[P] extends { readonly x: { search: true } } ? P : never }[keyof S] & string;
type Mode<S> = [EmbeddedNames<S>] extends [never]
  ? 'keyword'
  : [SearchTextNames<S>] extends [never]
    ? 'semantic'
    : 'hybrid' | 'keyword' | 'semantic';
type NoText = 'this collection has no searchable text';
type OneOrNamed<S, P> = IsUnion<VectorNames<S>> extends true ? { field: P } : { field?: P };

type ByText<S> = [EmbeddedNames<S> | SearchTextNames<S>] extends [never]
  ? never
  : {
      text: string;
      vector?: undefined;
      vectors?: undefined;
      like?: undefined;
      mode?: Mode<S>;
      field?: EmbeddedNames<S> | SearchTextNames<S>;
    } & WordsOf<S>;
/** Of searches with a text. */
interface Words {
  /** Whether the last word of `text`, with nothing after it, may be the beginning of one. Default true. */
  prefix?: boolean;
  /** Hits say where their texts hold the words (`highlights`). Default false. */
  highlight?: boolean;
}
interface NoWords {
  prefix?: undefined;
  highlight?: undefined;
}
type WordsOf<S> = [SearchTextNames<S>] extends [never] ? NoWords : Words;
type ByVector<S> = {
  [P in VectorNames<S>]: {
    vector: NonNull<InOf<S[P & keyof S]>>;
    vectors?: undefined;
    like?: undefined;
    text?: [SearchTextNames<S>] extends [never] ? NoText : string;
  } & OneOrNamed<S, P> &
    WordsOf<S>;
}[VectorNames<S>];
type ByVectors<S extends Shape> = [VectorNames<S>] extends [never]
  ? never
  : {
      vectors: readonly FieldVector<S>[];
      vector?: undefined;
      like?: undefined;
      field?: undefined;
      mode?: undefined;
      text?: [SearchTextNames<S>] extends [never] ? NoText : string;
    } & WordsOf<S>;
type ByLike<S extends Shape> = [VectorNames<S>] extends [never]
  ? never
  : {
      like: Key<S>;
      vector?: undefined;
      vectors?: undefined;
      text?: [EmbeddedNames<S> | SearchTextNames<S>] extends [never] ? NoText : undefined;
    } & OneOrNamed<S, VectorNames<S>>;
type NothingToSearch = { text: 'this collection has no searchable text and no vector field' };
type By<S extends Shape> =
  IsDynamic<S> extends true
    ? {
        text?: string;
        vector?: DenseVector | Int8Array | SparseVector | BinaryVector;
        vectors?: readonly FieldVector<S>[];
        like?: PrimaryKey;
        mode?: 'hybrid' | 'keyword' | 'semantic';
        field?: string;
      } & Words
    : [ByText<S> | ByVector<S> | ByLike<S>] extends [never]
      ? NothingToSearch
      : ByText<S> | ByVector<S> | ByVectors<S> | ByLike<S>;

export interface SearchOptions<S extends Shape, Sel extends FieldName<S> = DefaultFields<S>> extends Filter<S>, ReadOptions, Page<S, Sel> {
  /** Scan, no index: complete and slower. */
  exact?: boolean;
  /** Candidates that a walk of a graph keeps (1 to 16,384; default 128, or twice the hits): more finds more, and takes longer. */
  ef?: number;
  /** Lists of an IVF index that are searched (1 to 65,536; default a quarter of them, at least 16): more finds more, and takes longer. */
  nprobe?: number;
  /** As in Milvus. L2: `rangeFilter <= distance < radius`; COSINE and IP: `radius < similarity <= rangeFilter`. */
  range?: { radius: number; rangeFilter?: number };
  /** At most `size` (default 1) hits per value; `limit` counts groups. Groups are ordered by their best hit. */
  groupBy?: { field: Groupable<S>; size?: number };
  /** In the units of `score`. */
  minScore?: number;
  /** How several lists become one; refused (QUERY_INVALID) where a search has only one. */
  fusion?: Fusion<S>;
  /** Applied to the scores, in this order; they look at the best 1,000 of one list, or at what is fused. */
  rerank?: Reranker<S> | readonly Reranker<S>[];
}
/**
 * By `text` (hybrid of keyword and semantic where the schema allows both, else the one it allows), by `vector` (with `text`: hybrid), by `vectors`
 * (one per field, each a list of its own; with `text`: keywords one more), or `like` a stored entity, which is not among the hits. `field` names
 * the vector or text field; required to choose between vector fields.
 */
export type Search<S extends Shape, Sel extends FieldName<S> = DefaultFields<S>> = By<S> & SearchOptions<S, Sel>;

export interface Hit<E, Ky = PrimaryKey> {
  readonly key: Ky;
  readonly entity: E;
  /** Higher is better, L2 included (negated); comparable within one result only. */
  readonly score: number;
  readonly from: 'local' | 'global';
  /** Has writes that the log has not confirmed. */
  readonly pending: boolean;
  /** Of a search that fuses several lists: where the hit is in each that has it. */
  readonly parts?: readonly HitPart[];
  /** With `highlight`: the fields that hold a word of the search. */
  readonly highlights?: readonly Highlight[];
}
export interface SearchResult<E, Ky = PrimaryKey> extends ReadInfo {
  /** Best first; equal scores by primary key. */
  readonly hits: readonly Hit<E, Ky>[];
  /** No approximate index was involved. */
  readonly exact: boolean;
}
