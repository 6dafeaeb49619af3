/** The quick start and what its types must be. Checked by tsc, never run. */
/* eslint-disable @typescript-eslint/no-floating-promises -- never run */

import type { RESERVED_COLLECTIONS } from '@terndb/core';
import type { DatabaseMembers, EntityOf, FieldDefinition, InsertOf, SchemaDefinition, Shapes, Store, Token } from '../index.ts';
import { DbError, defineSchema, f, open, parseToken, schemaFromDefinition } from '../index.ts';

const schema = defineSchema({
  notes: {
    title: f.text({ search: true }),
    body: f.collabText({ search: true }),
    tag: f.keyword(['work', 'home']),
    stars: f.number().default(0),
    vec: f.vector({ embed: ['title', 'body'] }),
  },
});
const db = await open('my-notes', { schema });
await db.notes.put({ title: 'Espresso', body: 'Grind fine, 18 g in, 36 g out.', tag: 'home' });
const { hits } = await db.notes.search({ text: 'how do I pull a shot', where: { stars: { gte: 0 } }, limit: 5 });
const stop = db.notes.live({ text: 'coffee' }, (r) => {
  list.textContent = r.hits.map((h) => h.entity.title).join('\n');
});
db.connect({ url: '/sync', partitions: ['_default', 'team:42'], getToken: fetchJwt }); // optional; all above works without it

/* ---------- end of the quick start; what follows checks types ---------- */
declare const list: HTMLElement;
declare function fetchJwt(): Promise<string>;
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(...proof: Equal<A, B> extends true ? [] : ['types differ', A, B]): void;
stop();

/* entities, keys, write handles */
const entity = hits[0]!.entity;
same<
  typeof entity,
  { readonly id: string; readonly title: string; readonly body: string; readonly tag: 'work' | 'home'; readonly stars: number }
>();
same<EntityOf<typeof schema, 'notes'>, typeof entity>();
const draft: InsertOf<typeof schema, 'notes'> = { title: 'a', body: 'b', tag: 'work', vec: new Float32Array(384) };
const write = db.notes.put(draft, { partition: 'team:42' });
same<typeof write.key, string>();
const durable: string = await write;
const token: Token = await write.wait('acked', { timeoutMs: 5000, signal: AbortSignal.timeout(1000) });
const many = db.notes.putMany([draft, draft]);
same<typeof many.keys, readonly string[]>();
await many.wait('indexed');
await db.notes.patch(durable, { stars: 3, tag: 'work' });
await db.notes.delete(durable);
const gone: readonly string[] = await db.notes.delete({ where: { tag: 'home', stars: { lt: 1 } } });
await db.notes.delete({ filter: 'stars < {n}', filterParams: { n: 1 } });
await db.notes.getMany(gone);

/* primary keys, every kind of field */
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
    events: { uid: f.primaryKey('varchar', { autoId: true }), at: f.date().nullable() },
  },
  { version: 3 },
);
const store = await open('shop', { schema: shop, requirePersistence: true });
const item = store.items.put({ sku: 1, name: 'Cup', added: new Date(), image: [1, 2], terms: { 7: 0.5 } });
same<typeof item.key, number | bigint>();
await store.items.get(9007199254740993n);
await store.items.patch(1, { price: null, extra: { color: 'red' } });
same<Awaited<ReturnType<typeof store.events.get>>, { readonly uid: string; readonly at: Date | null } | undefined>();
store.events.put({});
const withVector = await store.items.get(1, { select: ['image', 'price'] });
same<typeof withVector, { readonly sku: number | bigint; readonly image: Float32Array; readonly price: number | null } | undefined>();

await db.notes.put({ ...entity, stars: 1 });
await store.items.put({
  ...(await store.items.get(1, { select: ['sku', 'name', 'added', 'image', 'terms', 'doc', 'labels'] }))!,
  doc: new Uint8Array(),
});

/* query, count, search */
const page = await store.items.query({
  where: { price: { gt: 1, isNull: false }, labels: { containsAny: ['sale'] }, or: [{ sku: { in: [1, 2n] } }, { sold: true }] },
  orderBy: [{ field: 'price', order: 'desc' }, { field: 'sku' }],
  limit: 20,
  offset: 40,
  select: ['name'],
});
same<(typeof page.entities)[number], { readonly sku: number | bigint; readonly name: string }>();
const n: number = (await store.items.count({ filter: 'extra["color"] == "red"', partitions: ['eu'], consistency: 'bounded' })).count;

/* aggregates */
const all = await store.items.aggregate({
  aggregates: { n: 'count', stock: { sum: 'stock' }, price: { avg: 'price' }, first: { min: 'added' } },
});
same<
  (typeof all.groups)[number],
  { readonly n: number; readonly stock: number | bigint | null; readonly price: number | null; readonly first: Date | null }
>();
const byName = await db.notes.aggregate({
  where: { stars: { gt: 1 } },
  groupBy: ['tag', 'title'],
  aggregates: { stars: { sum: 'stars' }, titles: { count: 'title' }, last: { max: 'id' } },
  orderBy: [{ field: 'stars', order: 'desc' }, { field: 'tag' }],
  limit: 3,
  scope: 'hybrid',
});
same<
  (typeof byName.groups)[number],
  {
    readonly tag: 'work' | 'home';
    readonly title: string;
    readonly stars: number | null;
    readonly titles: number;
    readonly last: string | null;
  }
>();
same<(typeof distinct.groups)[number], { readonly sold: boolean }>();
const distinct = await store.items.aggregate({ groupBy: 'sold' });
// @ts-expect-error dates have no sum
await store.items.aggregate({ aggregates: { n: { sum: 'added' } } });
// @ts-expect-error lists are not grouped by
await store.items.aggregate({ groupBy: 'labels' });
// @ts-expect-error no such aggregate
await store.items.aggregate({ aggregates: { n: { median: 'price' } } });
// @ts-expect-error ordered by what is not in the answer
await store.items.aggregate({ groupBy: 'sold', aggregates: { n: 'count' }, orderBy: { field: 'price' } });

await store.items.search({
  vector: new Float32Array(512),
  field: 'image',
  exact: true,
  range: { radius: 0.2, rangeFilter: 0.9 },
  groupBy: { field: 'stock', size: 2 },
});
await store.items.search({ vector: { 7: 1 }, field: 'terms' });
await store.items.search({ like: 1n, field: 'hash' });
const found = await db.notes.search({
  text: 'x',
  mode: 'semantic',
  scope: 'hybrid',
  consistency: { atLeast: token },
  select: ['title'],
  minScore: 0.5,
  timeoutMs: 300,
  signal: new AbortController().signal,
});
same<(typeof found.hits)[number]['entity'], { readonly id: string; readonly title: string }>();
const seen: [number, boolean, Token, number | null] = [found.coverage, found.exact, found.token, found.stalenessMs];
await db.notes.search({
  vector: [1, 2],
  text: 'plan',
  where: { title: { match: 'plan' }, not: { tag: 'work' } },
  consistency: { maxStalenessMs: 100 },
});
await db.notes.search({ like: durable, consistency: { atLeast: parseToken('abc') } });
const ranked = await db.notes.search({
  text: 'plan',
  prefix: false,
  highlight: true,
  fusion: { type: 'rrf', k: 20, weights: { keyword: 2, vec: 1 } },
  rerank: [
    { type: 'decay', field: 'stars', origin: 5, scale: 2, curve: 'exp' },
    { type: 'boost', where: { tag: 'work' }, weight: 1.5 },
  ],
});
for (const { parts, highlights } of ranked.hits) {
  same<
    NonNullable<typeof parts>[number],
    { readonly name: string; readonly score: number; readonly rank: number; readonly share: number }
  >();
  const start: number | undefined = highlights?.[0]?.ranges[0]?.[0];
  void start;
}
await store.items.search({
  vectors: [
    { field: 'image', vector: new Float32Array(512) },
    { field: 'terms', vector: { 7: 1 } },
  ],
  fusion: { type: 'weighted', weights: { image: 0.7, terms: 0.3 } },
  rerank: { type: 'decay', field: 'added', origin: new Date(), scale: 86_400_000 },
});
db.notes.liveQuery(
  { where: { tag: 'home' }, orderBy: { field: 'stars', order: 'desc' } },
  (r) => r.entities.map((e) => e.title),
  (error) => error.code,
)();

/* schema is data */
const definition: SchemaDefinition<'items' | 'events'> = shop.definition;
const fields: readonly FieldDefinition[] = definition.collections.items.fields;
for (const field of fields)
  if (field.type === 'vector') {
    const dim: number | null = field.params.dim;
    void dim;
  }
const again: number = schemaFromDefinition(JSON.parse(JSON.stringify(shop))).version;

/* database */
db.connect({ url: '/sync', partitions: ['a', { name: 'b', keep: 'search-only' }], getToken: async ({ reason }) => reason }).disconnect();
db.on('rejected', ({ collection, op, error, dismiss }) => {
  if (error.code === 'FORBIDDEN') same<typeof collection, 'notes'>();
  if (op.type === 'patch') void op.fields.stars;
  void dismiss();
});
db.on('conflict', ({ field, kept, lost }) => [field, kept, lost]);
db.on('lossDetected', ({ lastOpened }) => lastOpened.getTime());
const waiting: number = db.embedding.get().waiting;
const mode: 'indexeddb' | 'memory' = db.storage.get().mode;
const blob: Blob = await db.export({ onProgress: ({ doneBytes }) => doneBytes });
await db.export({ to: new WritableStream<Uint8Array>() });
await db.import(blob.stream(), { signal: AbortSignal.timeout(1000) });
const remote = await db.openCollection('orders');
remote.put({ any: 1 });
const total: unknown = (await remote.query({ where: { total: { gt: 1 } }, orderBy: { field: 'total' } })).entities[0]!['total'];
await remote.search({ text: 'x', select: ['total'], highlight: true, rerank: { type: 'boost', filter: 'total > 1', weight: 2 } });
const error = new DbError('TIMEOUT', 'search: 300 ms passed');
same<typeof error.kind, 'unavailable'>();
const kind: 'input' | 'conflict' | 'unavailable' | 'data' | 'closed' | 'internal' = (error as DbError).kind;
await db.logout({ unsynced: 'upload' });
await db.close();

const anyStore: Store<unknown> = db.sync;
void [n, seen, again, waiting, mode, total, kind, anyStore];

/* every member of a database is a reserved collection name */
same<Exclude<keyof DatabaseMembers<Shapes>, (typeof RESERVED_COLLECTIONS)[number]>, never>();
