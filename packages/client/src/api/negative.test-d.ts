/** Mistakes that must not compile. Checked by tsc, never run. */
/* eslint-disable @typescript-eslint/no-floating-promises -- never run */

import type { Token } from '../index.ts';
import { DbError, defineSchema, f, open } from '../index.ts';

const schema = defineSchema({
  notes: {
    title: f.text({ search: true }),
    body: f.collabText(),
    n: f.number().default(1),
    tag: f.keyword(['a', 'b']),
    maybe: f.date().nullable(),
    data: f.json<{ x: number }>().nullable(),
    vec: f.vector({ embed: ['title'] }),
  },
  two: { v1: f.vector(3), v2: f.sparseVector(), k: f.keyword() },
  items: { sku: f.primaryKey('int64'), name: f.text() },
});
const db = await open('x', { schema });
const put = { title: 't', body: 'b', tag: 'a' } as const;

/* writing */
// @ts-expect-error missing required title
db.notes.put({ tag: 'a', body: 'b' });
// @ts-expect-error 'c' is not an allowed keyword
db.notes.put({ ...put, tag: 'c' });
// @ts-expect-error no such field
db.notes.put({ ...put, titel: 't' });
// @ts-expect-error null for a field that is not nullable
db.notes.put({ ...put, n: null });
// @ts-expect-error a declared key without autoId must be given
db.items.put({ name: 'Cup' });
// @ts-expect-error collab text cannot be patched
db.notes.patch('1', { body: 'x' });
// @ts-expect-error the key cannot be patched
db.items.patch(1, { sku: 2 });
// @ts-expect-error partition, not channel
db.notes.put(put, { channel: 'team:42' });
// @ts-expect-error deleting needs a condition
db.notes.delete({});
// @ts-expect-error no such level
db.notes.put(put).wait('synced');
// @ts-expect-error putMany has `.keys`
db.notes.putMany([put]).key;

/* primary keys */
// @ts-expect-error the key of items is an int64
db.items.get('1');
// @ts-expect-error the key of notes is a string
db.notes.delete(1);

/* filters */
// @ts-expect-error text is matched, not compared
db.notes.search({ text: 'q', where: { title: 'x' } });
// @ts-expect-error wrong operand type
db.notes.search({ text: 'q', where: { n: { gt: 'x' } } });
// @ts-expect-error json is reached by `filter`
db.notes.query({ where: { data: { x: 1 } } });
// @ts-expect-error cannot be null
db.notes.query({ where: { tag: { isNull: true } } });
// @ts-expect-error text is not sortable
db.notes.query({ orderBy: { field: 'title' } });

/* search */
// @ts-expect-error no text to search here, only vectors
db.two.search({ text: 'q' });
// @ts-expect-error two vector fields: `field` is required
db.two.search({ vector: [1, 2, 3] });
// @ts-expect-error v2 is sparse
db.two.search({ vector: new Float32Array(3), field: 'v2' });
// @ts-expect-error nothing to search in items
db.items.search({ text: 'q' });
// @ts-expect-error no such consistency
db.notes.search({ text: 'q', consistency: 'local' });
// @ts-expect-error a token from outside goes through parseToken
db.notes.search({ text: 'q', consistency: { atLeast: 'abc' } });
// @ts-expect-error selected only title
(await db.notes.search({ text: 'q', select: ['title'] })).hits[0]!.entity.tag;
// @ts-expect-error vectors come only when selected
(await db.notes.search({ text: 'q' })).hits[0]!.entity.vec;

// @ts-expect-error one vector per field, by name
db.two.search({ vectors: [{ field: 'v3', vector: [1, 2, 3] }] });
// @ts-expect-error v2 is sparse
db.two.search({ vectors: [{ field: 'v2', vector: new Float32Array(3) }] });
// @ts-expect-error a search has one vector or several
db.two.search({ vector: [1, 2, 3], field: 'v1', vectors: [{ field: 'v1', vector: [1, 2, 3] }] });
// @ts-expect-error no text here, so no words to highlight
db.two.search({ vector: [1, 2, 3], field: 'v1', highlight: true });
// @ts-expect-error a stored entity has no last word
db.notes.search({ like: 'a', prefix: false });
// @ts-expect-error weights are by list: keyword, or a vector field
db.notes.search({ text: 'q', fusion: { type: 'weighted', weights: { title: 1 } } });
// @ts-expect-error weighted fusion has no k
db.notes.search({ text: 'q', fusion: { type: 'weighted', k: 60 } });
// @ts-expect-error a keyword does not decay
db.notes.search({ text: 'q', rerank: { type: 'decay', field: 'tag', origin: 0, scale: 1 } });
// @ts-expect-error a number has no date of origin
db.notes.search({ text: 'q', rerank: { type: 'decay', field: 'n', origin: new Date(), scale: 1 } });
// @ts-expect-error a boost needs a weight
db.notes.search({ text: 'q', rerank: [{ type: 'boost', where: { tag: 'a' } }] });
// @ts-expect-error a boost's condition is one of the collection
db.notes.search({ text: 'q', rerank: { type: 'boost', where: { tag: 'c' }, weight: 2 } });

/* schema */
// @ts-expect-error embed source does not exist
defineSchema({ a: { title: f.text(), v: f.vector(3, { embed: ['titel'] }) } });
// @ts-expect-error embed source is no text
defineSchema({ a: { n: f.number(), v: f.vector({ embed: ['n'] }) } });
// @ts-expect-error reserved collection name
defineSchema({ close: { title: f.text() } });
// @ts-expect-error two primary keys
defineSchema({ a: { k: f.primaryKey('int64'), l: f.primaryKey('varchar') } });
// @ts-expect-error the implicit key
defineSchema({ a: { id: f.keyword() } });
// @ts-expect-error reserved field name
defineSchema({ a: { not: f.keyword() } });
// @ts-expect-error a vector needs a dimension or a model
defineSchema({ a: { v: f.vector() } });
// @ts-expect-error the default is not one of the values
f.keyword(['a', 'b']).default('c');
// @ts-expect-error array elements are never null
f.array(f.number().nullable());
// @ts-expect-error no such metric
f.vector(3, { metric: 'cosine' });
// @ts-expect-error no such collection
schema.definition.collections.nots;

/* database */
// @ts-expect-error logout needs an explicit decision about unsynced work
db.logout({});
// @ts-expect-error partitions, not channels
db.connect({ url: '/sync', channels: ['team:42'], getToken: async () => '' });
// @ts-expect-error no such event
db.on('reject', () => {});
// @ts-expect-error no such code
new DbError('TIME_OUT', 'x');
// @ts-expect-error without @terndb/client/yjs a collab text is a string
(await db.notes.get('1'))!.body.insert(0, 'x');
// @ts-expect-error tokens are opaque
const token: Token = 'abc';
void token;
