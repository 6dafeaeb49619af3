import type { JsonValue } from '../errors/db-error.ts';
import type { PrimaryKey } from '../value/value.ts';
import type { Kind, SchemaDefinition } from './definition.ts';
import type { AnyField, EmbedOf, FieldType, InOf, OutOf, VectorKind } from './field-types.ts';
import type { ReservedCollection, ReservedField } from './names.ts';

/** What follows from a schema's fields, in types: what may be put, patched, selected, filtered and sorted by. */
declare const SHAPES: unique symbol;

export type Shape = Record<string, AnyField>;
export type Shapes = Record<string, Shape>;
/** The shape of a collection whose schema is known at run time only. */
export type DynamicShape = Record<string, AnyField>;
export type IsDynamic<S> = string extends keyof S ? true : false;

/** Names of the fields of some kinds. */
export type NamesOf<S, Kd extends Kind> = { [P in keyof S]: S[P] extends FieldType<Kd, any, any, any, any> ? P : never }[keyof S] & string;
export type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;
/** An intersection as one object type, for readable hints. */
export type Show<T> = { [P in keyof T]: T[P] } & {};
export type NonNull<T> = Exclude<T, null>;

/* ---------- schema ---------- */
type TextNames<S> = NamesOf<S, 'text' | 'collabText'>;
type CheckField<S extends Shape, P extends keyof S> = P extends ReservedField
  ? `field name '${P}' is reserved`
  : S[P] extends FieldType<'primaryKey', any, any, any, any>
    ? IsUnion<NamesOf<S, 'primaryKey'>> extends true
      ? `a collection has one primary key, not ${NamesOf<S, 'primaryKey'>}`
      : S[P]
    : P extends 'id'
      ? [NamesOf<S, 'primaryKey'>] extends [never]
        ? `'id' is the key of this collection: declare it with f.primaryKey`
        : S[P]
      : [EmbedOf<S[P]>] extends [TextNames<S>]
        ? S[P]
        : `embed source is not a text field: ${Exclude<EmbedOf<S[P]>, TextNames<S>>}`;
/** A mistake turns the type of its field into a sentence about it. */
export type CheckSchema<C extends Shapes> = {
  [N in keyof C]: N extends ReservedCollection ? `collection name '${N & string}' is reserved` : { [P in keyof C[N]]: CheckField<C[N], P> };
};

export interface Schema<C extends Shapes> {
  readonly [SHAPES]?: C;
  readonly version: number;
  readonly definition: SchemaDefinition<keyof C & string>;
  toJSON(): SchemaDefinition<keyof C & string>;
}

/* ---------- entities ---------- */
export type DeclaredKey<S> = NamesOf<S, 'primaryKey'>;
export type KeyName<S extends Shape> = IsDynamic<S> extends true ? string : [DeclaredKey<S>] extends [never] ? 'id' : DeclaredKey<S>;
/** string, or number | bigint. */
export type Key<S extends Shape> =
  IsDynamic<S> extends true ? PrimaryKey : [DeclaredKey<S>] extends [never] ? string : InOf<S[DeclaredKey<S>]>;
type KeyPart<S extends Shape> = [DeclaredKey<S>] extends [never] ? { id?: string } : unknown;

/** What `put` takes: nullable fields, fields with a default, embedded vectors and automatic keys may be left out. */
export type Insert<S extends Shape> =
  IsDynamic<S> extends true
    ? Record<string, unknown>
    : Show<
        KeyPart<S> & { -readonly [P in keyof S as S[P]['opt'] extends true ? never : P]: InOf<S[P]> } & {
          -readonly [P in keyof S as S[P]['opt'] extends true ? P : never]?: InOf<S[P]>;
        }
      >;
/** What `patch` takes: any fields but the key and collab fields. */
export type Patch<S extends Shape> =
  IsDynamic<S> extends true
    ? Record<string, unknown>
    : Show<{ -readonly [P in keyof S as S[P]['kind'] extends 'primaryKey' | 'collabText' | 'collab' ? never : P]?: InOf<S[P]> }>;
/** What `select` may name: every field, vectors too. */
export type FieldName<S extends Shape> = (keyof S & string) | KeyName<S>;
/** What comes without `select`: all but vectors. */
export type DefaultFields<S extends Shape> = Exclude<FieldName<S>, NamesOf<S, VectorKind>>;
/** The selected fields and, always, the key. */
export type Entity<S extends Shape, Sel extends FieldName<S> = DefaultFields<S>> =
  IsDynamic<S> extends true
    ? Readonly<Record<string, any>>
    : Show<{ readonly [P in KeyName<S>]: Key<S> } & { readonly [P in Exclude<Sel, KeyName<S>>]: P extends keyof S ? OutOf<S[P]> : never }>;
/** For naming the types: `type Note = EntityOf<typeof schema, 'notes'>`. */
export type EntityOf<T, N extends string> = T extends Schema<infer C> ? (N extends keyof C ? Entity<C[N]> : never) : never;
export type InsertOf<T, N extends string> = T extends Schema<infer C> ? (N extends keyof C ? Insert<C[N]> : never) : never;

/* ---------- filters ---------- */
type Equality<T> = { eq?: T; ne?: T; in?: readonly T[]; notIn?: readonly T[] };
type Order<T> = Equality<T> & { gt?: T; gte?: T; lt?: T; lte?: T };
type NullTest<F> = F extends { readonly x: { nullable: true } } ? { isNull?: boolean } : unknown;
type ElementOf<F> = F extends { readonly x: { of: infer E } } ? InOf<E> : never;
/** What `where` may ask of a field; `filter/compile-where.ts` checks the same at run time. */
export type Condition<F> =
  F extends FieldType<infer Kd, infer I, any, any, any>
    ? Kd extends 'keyword'
      ? NonNull<I> | (Order<NonNull<I>> & { like?: string } & NullTest<F>)
      : Kd extends 'primaryKey' | 'int64' | 'number' | 'date'
        ? NonNull<I> | (Order<NonNull<I>> & NullTest<F>)
        : Kd extends 'boolean'
          ? NonNull<I> | (Equality<NonNull<I>> & NullTest<F>)
          : Kd extends 'array'
            ? NullTest<F> & {
                contains?: ElementOf<F>;
                containsAll?: readonly ElementOf<F>[];
                containsAny?: readonly ElementOf<F>[];
                length?: number | Order<number>;
              }
            : F extends { readonly x: { search: true } }
              ? { match?: string | { text: string; minimum?: number }; phrase?: string | { text: string; slop?: number } } & NullTest<F>
              : F extends { readonly x: { nullable: true } }
                ? NullTest<F>
                : never
    : never;
type Conditions<S extends Shape> = { -readonly [P in keyof S as [Condition<S[P]>] extends [never] ? never : P]?: Condition<S[P]> } & ([
  DeclaredKey<S>,
] extends [never]
  ? { id?: string | Order<string> }
  : unknown);
/** Everything named must hold; a null field satisfies no comparison, `ne` and `notIn` included. `like`: `%` and `_`, case-sensitive. */
export type Where<S extends Shape> = (IsDynamic<S> extends true ? Record<string, unknown> : Conditions<S>) & {
  and?: readonly Where<S>[];
  or?: readonly Where<S>[];
  not?: Where<S>;
};
/** `filter` is the Milvus expression language with `{name}` templates taken from `filterParams`; with `where`, both must hold. FILTER_INVALID gives the offset. */
export interface Filter<S extends Shape> {
  where?: Where<S>;
  filter?: string;
  filterParams?: Readonly<Record<string, JsonValue>>;
}

/* ---------- order ---------- */
export type Sortable<S extends Shape> =
  IsDynamic<S> extends true ? string : NamesOf<S, 'primaryKey' | 'keyword' | 'int64' | 'number' | 'boolean' | 'date'> | KeyName<S>;
export type Groupable<S extends Shape> = IsDynamic<S> extends true ? string : NamesOf<S, 'keyword' | 'int64' | 'boolean'>;
export type OrderBy<S extends Shape> = { [P in Sortable<S>]: { field: P; order?: 'asc' | 'desc' } }[Sortable<S>];
