import type { FieldParams, Kind } from './definition.ts';

/**
 * What the type system knows of a field. `[IN]` and `[OUT]` exist in types only; `kind`, `opt` and `x` are there at run time too, and
 * `x` then holds all params, `nullable` and `default`: what `defineSchema` makes the definition from.
 */
declare const IN: unique symbol; // what may be written
declare const OUT: unique symbol; // what is read back

export type VectorKind = 'vector' | 'sparseVector' | 'binaryVector';
/** `Opt`: may be left out of a put. `X`: what the type system needs to know of the params. */
export interface FieldType<Kd extends Kind, In, Out, Opt extends boolean, X = unknown> {
  readonly [IN]?: In;
  readonly [OUT]?: Out;
  readonly kind: Kd;
  readonly opt: Opt;
  readonly x: X;
}
export interface Field<Kd extends Kind, In, Out, Opt extends boolean, X = unknown> extends FieldType<Kd, In, Out, Opt, X> {
  /** Left out or null: stored as null, unless there is a default. */
  nullable(): Field<Kd, In | null, Out | null, true, X & { nullable: true }>;
  /** Filled in on this device at the time of the put; an explicit null stays null. */
  default(value: In): Field<Kd, In, Out, true, X>;
}
export interface VectorField<Kd extends VectorKind, V, Out, Opt extends boolean, X = unknown> extends FieldType<Kd, V, Out, Opt, X> {
  /** Entities with a null vector are never hits of a search on this field. */
  nullable(): VectorField<Kd, V | null, Out | null, true, X & { nullable: true }>;
}

/** Float32. Not normalised by the caller, whatever the metric. */
export type DenseVector = Float32Array | readonly number[];
/** Dimension (uint32, ascending not required) → weight. */
export type SparseVector =
  | (Readonly<Record<number, number>> & { readonly length?: never })
  | { readonly indices: Uint32Array | readonly number[]; readonly values: DenseVector };
/** `dim / 8` bytes, first dimension in the highest bit of the first byte. */
export type BinaryVector = Uint8Array;

export type AnyField = FieldType<Kind, any, any, boolean, any>;
export type ArrayElement = FieldType<FieldParams['array']['of']['type'], any, any, false, any>;
export type InOf<F> = F extends FieldType<any, infer I, any, any, any> ? I : never;
export type OutOf<F> = F extends FieldType<any, any, infer O, any, any> ? O : never;
/** The text fields that a vector field is embedded from; never for other fields. */
export type EmbedOf<F> = F extends { readonly x: { embed: readonly (infer E extends string)[] } } ? E : never;
