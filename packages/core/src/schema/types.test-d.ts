import { defineSchema, type schemaFromDefinition } from './define-schema.ts';
import type { FieldDefinition, SchemaDefinition } from './definition.ts';
import { f } from './fields.ts';
import type { DynamicShape, EntityOf, Filter, InsertOf, Key, OrderBy, Patch, Schema, Where } from './types.ts';

/** Checked by tsc only: what must compile, and what must not (each line after `@ts-expect-error`). */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(...proof: Equal<A, B> extends true ? [] : ['types differ', A, B]): void;
declare function accept<T>(value: T): void;
type ShapeOf<T, N extends string> = T extends Schema<infer C> ? (N extends keyof C ? C[N] : never) : never;

const schema = defineSchema({
  notes: {
    title: f.text({ search: true }),
    body: f.collabText({ search: true }),
    tag: f.keyword(['work', 'home']),
    stars: f.number().default(0),
    maybe: f.date().nullable(),
    data: f.json<{ x: number }>().nullable(),
    vec: f.vector({ embed: ['title', 'body'] }),
  },
  events: { uid: f.primaryKey('varchar', { autoId: true }), at: f.date().nullable() },
});
type Notes = ShapeOf<typeof schema, 'notes'>;
const shop = defineSchema(
  {
    items: {
      sku: f.primaryKey('int64'),
      name: f.text(),
      price: f.number().nullable(),
      stock: f.int64().default(0n),
      sold: f.boolean().default(false),
      added: f.date(),
      labels: f.array(f.keyword(['new', 'sale'])).default([]),
      extra: f.json<{ color?: string }>().nullable(),
      doc: f.collab(),
      image: f.vector(512, { metric: 'IP', index: { type: 'HNSW', m: 16 } }),
      terms: f.sparseVector(),
      hash: f.binaryVector(64, { metric: 'HAMMING' }).nullable(),
    },
  },
  { version: 3 },
);
type Items = ShapeOf<typeof shop, 'items'>;

/* indexes of scalars: only those that the type can have */
const chosen = defineSchema({
  all: {
    a: f.keyword(['x', 'y'], { index: 'bitmap' }),
    b: f.keyword({ index: 'inverted' }),
    c: f.int64({ index: 'sorted' }),
    d: f.text({ index: 'none' }),
    e: f.array(f.keyword(), { index: 'inverted' }),
  },
});
same<EntityOf<typeof chosen, 'all'>['a'], 'x' | 'y'>();
same<EntityOf<typeof chosen, 'all'>['b'], string>();
// @ts-expect-error texts have no dictionary
f.text({ index: 'bitmap' });
// @ts-expect-error lists have no order
f.array(f.int64(), { index: 'sorted' });
// @ts-expect-error no such index
f.number({ index: 'btree' });
// @ts-expect-error JSON has none
f.json({ index: 'sorted' });

/* entities */
same<
  EntityOf<typeof schema, 'notes'>,
  {
    readonly id: string;
    readonly title: string;
    readonly body: string;
    readonly tag: 'work' | 'home';
    readonly stars: number;
    readonly maybe: Date | null;
    readonly data: { x: number } | null;
  }
>();
same<EntityOf<typeof schema, 'events'>, { readonly uid: string; readonly at: Date | null }>();
same<EntityOf<typeof schema, 'none'>, never>();
const note = { title: 'a', body: 'b', tag: 'work' } as const;
accept<InsertOf<typeof schema, 'notes'>>(note);
accept<InsertOf<typeof schema, 'notes'>>({ ...note, id: '1', stars: 2, maybe: null, data: { x: 1 }, vec: new Float32Array(384) });
accept<InsertOf<typeof schema, 'events'>>({});
accept<InsertOf<typeof shop, 'items'>>({ sku: 1, name: 'Cup', added: new Date(), image: [1, 2], terms: { 7: 0.5 } });
accept<InsertOf<typeof shop, 'items'>>({
  sku: 9007199254740993n,
  name: 'Cup',
  added: new Date(),
  image: [1],
  terms: { indices: [7], values: [1] },
  doc: new Uint8Array(),
  labels: ['sale'],
});
accept<Patch<Items>>({ price: null, extra: { color: 'red' } });
same<Key<Items>, number | bigint>();
same<Key<Notes>, string>();
// @ts-expect-error missing required title
accept<InsertOf<typeof schema, 'notes'>>({ tag: 'work', body: 'b' });
// @ts-expect-error 'c' is not an allowed keyword
accept<InsertOf<typeof schema, 'notes'>>({ ...note, tag: 'c' });
// @ts-expect-error no such field
accept<InsertOf<typeof schema, 'notes'>>({ ...note, titel: 't' });
// @ts-expect-error null for a field that is not nullable
accept<InsertOf<typeof schema, 'notes'>>({ ...note, stars: null });
// @ts-expect-error a declared key without autoId must be given
accept<InsertOf<typeof shop, 'items'>>({ name: 'Cup', added: new Date(), image: [1, 2], terms: {} });
// @ts-expect-error collab text cannot be patched
accept<Patch<Notes>>({ body: 'x' });
// @ts-expect-error the key cannot be patched
accept<Patch<Items>>({ sku: 2 });
// @ts-expect-error the key of items is an int64
accept<Key<Items>>('1');
// @ts-expect-error vectors come only when selected
({}) as EntityOf<typeof schema, 'notes'>['vec'];
// @ts-expect-error without the Yjs entry a collab text is a string
accept<{ insert(offset: number, text: string): void }>('' as EntityOf<typeof schema, 'notes'>['body']);

/* filters and order */
accept<Where<Items>>({
  price: { gt: 1, isNull: false },
  labels: { containsAny: ['sale'], length: { gte: 1 } },
  or: [{ sku: { in: [1, 2n] } }, { sold: true }],
});
accept<Where<Notes>>({
  id: 'x',
  title: { match: 'plan' },
  body: { phrase: 'a b' },
  not: { tag: { like: 'w%' } },
  data: { isNull: true },
  maybe: { lt: new Date() },
});
accept<Filter<Items>>({ filter: 'extra["color"] == {color}', filterParams: { color: 'red' } });
accept<Where<DynamicShape>>({ total: { gt: 1 } });
accept<OrderBy<Items>>({ field: 'sku', order: 'desc' });
accept<OrderBy<Notes>>({ field: 'id' });
// @ts-expect-error text is matched, not compared
accept<Where<Notes>>({ title: 'x' });
// @ts-expect-error wrong operand type
accept<Where<Notes>>({ stars: { gt: 'x' } });
// @ts-expect-error json is reached by `filter`
accept<Where<Notes>>({ data: { x: 1 } });
// @ts-expect-error cannot be null
accept<Where<Notes>>({ tag: { isNull: true } });
// @ts-expect-error booleans have no order
accept<Where<Items>>({ sold: { gt: false } });
// @ts-expect-error vectors are searched, not filtered
accept<Where<Items>>({ image: { isNull: true } });
// @ts-expect-error plain text is stored only
accept<Where<Items>>({ name: { match: 'x' } });
// @ts-expect-error no such field
accept<Where<Items>>({ or: [{ nam: 'x' }] });
// @ts-expect-error text is not sortable
accept<OrderBy<Notes>>({ field: 'title' });

/* schema */
// @ts-expect-error embed source does not exist
defineSchema({ a: { title: f.text(), v: f.vector(3, { embed: ['titel'] }) } });
// @ts-expect-error embed source is no text
defineSchema({ a: { n: f.number(), v: f.vector({ embed: ['n'] }) } });
// @ts-expect-error reserved collection name
defineSchema({ close: { title: f.text() } });
// @ts-expect-error names with an underscore in front are kept for the database
defineSchema({ _notes: { title: f.text() } });
// @ts-expect-error two primary keys
defineSchema({ a: { k: f.primaryKey('int64'), l: f.primaryKey('varchar') } });
// @ts-expect-error the implicit key
defineSchema({ a: { id: f.keyword() } });
// @ts-expect-error reserved field name
defineSchema({ a: { not: f.keyword() } });
// @ts-expect-error a member of every object
defineSchema({ a: { toString: f.keyword() } });
// @ts-expect-error a vector needs a dimension or a model
f.vector();
// @ts-expect-error the default is not one of the values
f.keyword(['a', 'b']).default('c');
// @ts-expect-error array elements are never null
f.array(f.number().nullable());
// @ts-expect-error no such metric
f.vector(3, { metric: 'cosine' });
// @ts-expect-error an int64 key has no length
f.primaryKey('int64', { maxLength: 3 });
// @ts-expect-error vectors have no default
f.vector(3).default([1, 2, 3]);
// @ts-expect-error no such collection
schema.definition.collections.nots;

/* schema is data */
const definition: SchemaDefinition<'items'> = shop.definition;
const fields: readonly FieldDefinition[] = definition.collections.items.fields;
for (const field of fields) if (field.type === 'vector') accept<number | null>(field.params.dim);
same<ReturnType<typeof schemaFromDefinition>, Schema<Record<string, DynamicShape>>>();
