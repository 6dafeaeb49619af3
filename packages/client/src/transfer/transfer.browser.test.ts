import { afterEach, describe, expect, it } from 'vitest';
import { disposeDatabases, freshName, note, openInAnotherTab, openNotes } from '../database/testing/databases.ts';
import { defineSchema, f, open } from '../index.ts';

afterEach(disposeDatabases);

const select = ['title', 'stars', 'due', 'big', 'labels', 'extra', 'vec', 'terms', 'hash'] as const;
const rich = {
  due: new Date(86_400_000),
  big: -9007199254740993n,
  labels: ['a', 'b'],
  extra: { deep: [1, null, 'ä\n'] },
  vec: new Float32Array([1, -2, 0.1, 4]),
  terms: { 7: 0.5 },
  hash: new Uint8Array([1, 128]),
};

async function linesOf(blob: Blob): Promise<string[]> {
  return (await blob.text()).trimEnd().split('\n');
}

describe('export and import', () => {
  it('carry every entity with every kind of value to another database', async () => {
    const db = await openNotes();
    await db.notes.putMany([note('rich', rich), note('plain')]);
    await db.items.put({ sku: 9007199254740995n, name: 'Cup' });
    const progress: number[] = [];
    const blob = await db.export({ onProgress: ({ doneBytes }) => progress.push(doneBytes) });
    expect(progress.at(-1)).toBe(blob.size);
    const other = await openNotes();
    expect(await other.import(blob)).toEqual({ entities: 3 });
    const query = { select, orderBy: { field: 'id' } } as const;
    expect((await other.notes.query(query)).entities).toEqual((await db.notes.query(query)).entities);
    expect(await other.items.get(9007199254740995n)).toMatchObject({ name: 'Cup' });
  });

  it('work page by page through a stream, from a tab that follows, while the database changes', async () => {
    const name = freshName();
    const { db: leader } = await openInAnotherTab(name);
    const { db: follower } = await openInAnotherTab(name);
    const text = 'x'.repeat(2000);
    for (let batch = 0; batch < 4; batch++) {
      await leader.notes.putMany(Array.from({ length: 100 }, (_, index) => ({ ...note(`${batch}-${index}`), body: text })));
    }
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    const exporting = follower.export({
      to: new WritableStream({
        async write(chunk) {
          if (chunks.length === 0) await leader.notes.put(note('too late'));
          chunks.push(chunk as Uint8Array<ArrayBuffer>);
        },
      }),
    });
    await exporting;
    expect(chunks.length).toBeGreaterThan(2);
    const other = await openNotes();
    expect(await other.import(new Blob(chunks).stream())).toEqual({ entities: 400 });
    expect((await other.notes.count({ where: { title: { match: 'late' } } })).count).toBe(0);
  });

  it('keep what is newer here', async () => {
    const db = await openNotes();
    const [a, b] = await db.notes.putMany([note('a'), note('b')]);
    const blob = await db.export();
    await db.notes.patch(a!, { stars: 5 });
    await db.notes.delete(b!);
    await db.import(blob);
    expect(await db.notes.get(a!)).toMatchObject({ stars: 5 });
    expect(await db.notes.get(b!)).toMatchObject({ title: 'b' });
  });

  it('write nothing when a byte is wrong, the end is missing or the schema does not fit', async () => {
    const db = await openNotes();
    await db.notes.putMany([note('one'), note('two')]);
    const lines = await linesOf(await db.export());
    const other = await openNotes();
    const importing = (text: string): Promise<unknown> => other.import(new Blob([text]));
    await expect(importing(`${[lines[0], lines[1]!.replace('one', 'eno'), ...lines.slice(2)].join('\n')}\n`)).rejects.toMatchObject({
      code: 'CHECKSUM_MISMATCH',
    });
    await expect(importing(`${lines.slice(0, -1).join('\n')}\n`)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    await expect(importing(`${lines[0]!.replace('"version":1', '"version":2')}\n`)).rejects.toMatchObject({
      code: 'FORMAT_VERSION_UNSUPPORTED',
    });
    await expect(importing('id,title\n1,x\n')).rejects.toMatchObject({ code: 'FORMAT_INVALID' });
    expect((await other.notes.count()).count).toBe(0);
    const name = freshName();
    const strange = await open(name, { schema: defineSchema({ notes: { title: f.number() } }) });
    await expect(strange.import(new Blob([`${lines.join('\n')}\n`]))).rejects.toMatchObject({ code: 'SCHEMA_CONFLICT' });
    await strange.logout({ unsynced: 'discard' });
  });

  it('stop when told to', async () => {
    const db = await openNotes();
    await db.notes.put(note('x'));
    await expect(db.export({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(db.import(await db.export(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(db.export({ collections: ['nope'] as never })).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN' });
  });
});
