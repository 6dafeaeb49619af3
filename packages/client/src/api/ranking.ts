import type { Filter, InOf, IsDynamic, NamesOf, Shape, VectorKind } from '@terndb/core';

/** How the lists of a search become one, and what moves its hits: docs/text-search.md, "Several lists in one". */

/** The list of keyword hits among those that are fused; the others have the names of their vector fields. */
type KeywordList<S> = { [P in keyof S]: S[P] extends { readonly x: { search: true } } ? 'keyword' : never }[keyof S];
type ListName<S extends Shape> = IsDynamic<S> extends true ? string : NamesOf<S, VectorKind> | KeywordList<S>;
/** From 0; left out 1. */
type Weights<S extends Shape> = { readonly [L in ListName<S>]?: number };

/**
 * `rrf` (default): the sum of `weight / (k + rank)`, `k` 60; a keyword hit counts by how much of the query it holds, from nothing at half of it to all
 * (`byCoverage: false`: always whole). `weighted`: the sum of `weight × score`, each list's scores brought to 0..1. A list
 * without hits changes no order.
 */
export type Fusion<S extends Shape> =
  | { type: 'rrf'; k?: number; weights?: Weights<S>; byCoverage?: boolean }
  | { type: 'weighted'; weights?: Weights<S> };

type DecayField<S extends Shape> = IsDynamic<S> extends true ? string : NamesOf<S, 'number' | 'int64' | 'date'>;
type OriginOf<S extends Shape, P> = IsDynamic<S> extends true ? number | Date : P extends NamesOf<S, 'date'> ? number | Date : number;
/**
 * Scores times `decay` (0.5) at `scale` beyond `origin ± offset` (0), and less further away. For a date field milliseconds; its origin also as a
 * Date. Entities with null in the field keep their score.
 */
type Decay<S extends Shape> = {
  [P in DecayField<S>]: {
    type: 'decay';
    field: P;
    origin: OriginOf<S, P>;
    scale: number;
    offset?: number;
    /** Between 0 and 1. */
    decay?: number;
    curve?: 'gauss' | 'exp' | 'linear';
  };
}[DecayField<S>];
/** Scores times `weight` (above 0) where the filter is true. */
type Boost<S extends Shape> = { type: 'boost'; weight: number } & Filter<S>;
export type Reranker<S extends Shape> = Decay<S> | Boost<S>;

type OwnVectors<S> = { [P in NamesOf<S, VectorKind>]: { field: P; vector: Exclude<InOf<S[P]>, null> } }[NamesOf<S, VectorKind>];
/** A vector for a field, one of several: each field once. */
export type FieldVector<S extends Shape> = IsDynamic<S> extends true ? { field: string; vector: unknown } : OwnVectors<S>;

/** Where a hit is in one of the lists that were fused. */
export interface HitPart {
  /** `keyword`, or the vector field. */
  readonly name: string;
  /** In the list's own terms: BM25, similarity, distance with the sign turned. */
  readonly score: number;
  /** From 1. */
  readonly rank: number;
  /** What the list added to the hit's score, before rerankers. */
  readonly share: number;
}
/** Where a text of the entity holds words of the search. */
export interface Highlight {
  readonly field: string;
  /** Start and end in UTF-16 units of the text, ascending, apart from each other. */
  readonly ranges: readonly (readonly [start: number, end: number])[];
}
