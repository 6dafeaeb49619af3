import { defineSchema, type EntityOf, f, type InsertOf, open } from '../index.ts';

/** What vectors of other elements take and give. */
const schema = defineSchema({
  items: {
    half: f.vector(8, { elements: 'float16', metric: 'IP' }),
    bytes: f.vector(8, { elements: 'int8', index: { type: 'IVF', quantization: 'sq8', nlist: 64 } }),
  },
});
type Item = EntityOf<typeof schema, 'items'>;

const put: InsertOf<typeof schema, 'items'> = { half: [0.5, 1], bytes: Int8Array.of(1, -1) };
const db = await open('elements', { schema, vectors: 'stored' });
await db.items.put(put);
const { hits } = await db.items.search({ field: 'bytes', vector: [1, 2], nprobe: 8, select: ['half', 'bytes'] });
const read: { half: Float32Array; bytes: Int8Array } = hits[0]!.entity;
const { explain } = await db.inspect({ explain: { collection: 'items', filter: 'id > "a"' } });
const seen: [typeof read, number | undefined, keyof Item] = [read, explain?.blocks[0]?.filter.passing, 'id'];
void seen;

// @ts-expect-error A float is no int8.
await db.items.put({ half: [1], bytes: Float32Array.of(0.5) });
// @ts-expect-error No such elements.
f.vector(8, { elements: 'float64' });
