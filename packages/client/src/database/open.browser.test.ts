import { afterEach, describe, expect, it } from 'vitest';
import { type DatabaseMembers, defineSchema, f, open, type Shapes } from '../index.ts';

const schema = defineSchema({
  notes: {
    title: f.text({ search: true }),
    body: f.collabText({ search: true }),
    tag: f.keyword(['work', 'home']),
    stars: f.number().default(0),
    vec: f.vector(4).nullable(),
  },
});
let names = 0;
const opened: Pick<DatabaseMembers<Shapes>, 'logout'>[] = [];

function freshName(): string {
  return `open-test-${Date.now().toString(36)}-${names++}`;
}
async function openNotes(name: string = freshName()) {
  const db = await open(name, { schema });
  opened.push(db);
  return db;
}
afterEach(async () => {
  for (const db of opened.splice(0)) await db.logout({ unsynced: 'discard' }).catch(() => {});
});
const note = (title: string, more: object = {}) => ({ title, body: `${title} body`, tag: 'home' as const, ...more });

describe('open, put, search', () => {
  it('finds by text what was just put, with the key known at once', async () => {
    const db = await openNotes();
    expect(db.storage.get().mode).toBe('indexeddb');
    const write = db.notes.put(note('Espresso'));
    expect(write.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(await write).toBe(write.key);
    const { hits } = await db.notes.search({ text: 'espresso' });
    expect(hits.map((hit) => [hit.key, hit.entity.title, hit.entity.stars])).toEqual([[write.key, 'Espresso', 0]]);
    expect(await db.notes.get(write.key)).toMatchObject({ id: write.key, tag: 'home' });
  });

  it('has everything again after close and open', async () => {
    const name = freshName();
    const first = await openNotes(name);
    const keys = await first.notes.putMany([note('one', { vec: [1, 0, 0, 0] }), note('two', { vec: new Float32Array([0, 1, 0, 0]) })]);
    await first.close();
    await expect(first.notes.count()).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
    const again = await openNotes(name);
    expect((await again.notes.count()).count).toBe(2);
    const { hits } = await again.notes.search({ vector: [0, 1, 0.1, 0], limit: 1 });
    expect(hits[0]?.key).toBe(keys[1]);
  });

  it('applies the writes of a page in the order of the calls', async () => {
    const db = await openNotes();
    const { key } = db.notes.put(note('first'));
    void db.notes.patch(key, { stars: 1 });
    void db.notes.patch(key, { stars: 2 });
    expect((await db.notes.get(key))?.stars).toBe(2);
    void db.notes.delete(key);
    expect(await db.notes.get(key)).toBeUndefined();
  });
});
