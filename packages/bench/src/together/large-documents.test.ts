import { type Connection, type Database, defineSchema, f } from '@terndb/client';
import { openInNode } from '@terndb/client/testing';
import { type CollabDocument, openCollab } from '@terndb/client/yjs';
import { crc32c, utf8Encode } from '@terndb/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tokenFor, until } from '../sync/server-process.ts';
import { type ServerHere, startServerHere } from './server-here.ts';

/** Documents of megabytes, and those that are not kept on a device: the whole client against the whole server. */

const shapes = { notes: { id: f.primaryKey('varchar'), title: f.text(), body: f.collabText({ search: true }), drawing: f.collab() } };
const schema = defineSchema(shapes);
type Db = Database<typeof shapes>;
type Keep = { readonly keep: 'all' } | { readonly keep: 'recent'; readonly budgetBytes: number };
const LONG = { timeoutMs: 90_000 } as const;
/** What one edit may have; documents of more are typed in several. */
const TYPED = 400_000;

let server: ServerHere;
const open: Db[] = [];
beforeAll(async () => {
  server = await startServerHere();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((db) => db.close()));
});
afterAll(() => server.stop());

async function device(name: string): Promise<Db> {
  const db = await openInNode(name, schema);
  open.push(db);
  return db;
}

async function connect(db: Db, name: string, partition: string, keep: Keep = { keep: 'all' }): Promise<Connection> {
  const connection = db.connect({
    url: `${server.url}/sync`,
    partitions: [{ name: partition, ...keep }],
    getToken: async () => tokenFor(name),
  });
  await until('live', () => db.sync.get().state.name === 'live', LONG);
  return connection;
}

const sent = (db: Db): Promise<void> => until('sent', () => db.sync.get().state.name === 'live' && db.sync.get().outbox === 0, LONG);
const bodyOf = async (db: Db, key: string): Promise<string | undefined> => (await db.notes.get(key))?.body;
/** Megabytes are not compared by a test runner that would print them. */
async function untilBody(db: Db, key: string, text: string): Promise<void> {
  await until(`the body of ${key}`, async () => (await bodyOf(db, key)) === text, LONG);
}

/** Letters of every length in UTF-8, no two parts alike. */
function longText(letters: number): string {
  const parts: string[] = [];
  for (let length = 0; length < letters; length += parts.at(-1)!.length)
    parts.push(`Absatz ${parts.length}: Küstenseeschwalbe 🐦, ἄρκτος. `);
  return parts.join('');
}

/** Types it all, in as many edits as that takes. */
async function type(document: CollabDocument, text: string): Promise<void> {
  for (let at = 0; at < text.length; ) {
    // Not between the halves of a letter.
    const end = Math.min(text.length, at + TYPED / 2);
    const whole = end < text.length && text.codePointAt(end - 1)! > 0xffff ? end + 1 : end;
    document.text.insert(document.text.length, text.slice(at, whole));
    at = whole;
    await document.flush();
  }
}

async function draw(document: CollabDocument, shapeCount: number): Promise<void> {
  for (let at = 0; at < shapeCount; at += 400) {
    document.doc.transact(() => {
      for (let shape = at; shape < Math.min(shapeCount, at + 400); shape++)
        document.doc.getMap('shapes').set(`shape ${shape}`, { points: Array.from({ length: 100 }, (_, index) => index * shape) });
    });
    await document.flush();
  }
}

describe('a document of megabytes', () => {
  it('that grew on a device is carried up whole when its partition is connected, is the same on another, and both go on in it', async () => {
    const partition = 'grown';
    const [ann, bob] = [await device('ann'), await device('bob')];
    await ann.notes.put({ id: 'a', title: 'one', body: '' }, { partition });
    await ann.notes.put({ id: 'b', title: 'two', body: 'short' }, { partition });
    const body = await openCollab(ann.notes, 'a', 'body', { partition });
    const drawing = await openCollab(ann.notes, 'a', 'drawing', { partition });
    const text = longText(2_600_000);
    await type(body, text);
    await draw(drawing, 2_500);
    expect(body.state.get().bytes).toBeGreaterThan(3_000_000);
    expect(drawing.state.get().bytes).toBeGreaterThan(700_000);
    const drawn = (await ann.notes.get('a'))!.drawing;
    await connect(ann, 'ann', partition);
    await connect(bob, 'bob', partition);
    await sent(ann);
    expect(ann.sync.get().rejected).toBe(0);
    await untilBody(bob, 'a', text);
    expect([await bodyOf(bob, 'b'), (await bob.notes.get('a'))!.drawing === drawn]).toEqual(['short', true]);
    // The open document went on into what the server leads.
    await until('open', () => body.state.get().name === 'open' && body.state.get().generation > 0, LONG);
    const there = await openCollab(bob.notes, 'a', 'body', { partition });
    body.text.insert(0, 'Ann: ');
    there.text.insert(there.text.length, ' — Bob');
    await Promise.all([body.flush(), there.flush()]);
    await untilBody(bob, 'a', `Ann: ${text} — Bob`);
    await untilBody(ann, 'a', `Ann: ${text} — Bob`);
    expect([ann.sync.get().rejected, bob.sync.get().rejected]).toEqual([0, 0]);
  });

  it('is exported and imported as its text, into a local partition and into one that a server leads', async () => {
    const [ann, bob, eve] = [await device('ann'), await device('bob'), await device('eve')];
    const text = longText(1_400_000);
    await ann.notes.put({ id: 'a', title: 'one', body: '' }, { partition: 'moved' });
    const body = await openCollab(ann.notes, 'a', 'body', { partition: 'moved' });
    const drawing = await openCollab(ann.notes, 'a', 'drawing', { partition: 'moved' });
    await type(body, text);
    await draw(drawing, 2_500);
    const drawn = (await ann.notes.get('a'))!.drawing;
    const file = await ann.export();
    expect(await bob.import(file)).toEqual({ entities: 1 });
    await untilBody(bob, 'a', text);
    expect((await bob.notes.get('a'))!.drawing === drawn).toBe(true);
    // Again: nothing is new.
    expect(await bob.import(file)).toEqual({ entities: 1 });
    await connect(bob, 'bob', 'moved');
    await sent(bob);
    await connect(eve, 'eve', 'moved');
    await untilBody(eve, 'a', text);
    // What was imported is a document of its own: it can be edited, and goes on from there.
    const there = await openCollab(eve.notes, 'a', 'body', { partition: 'moved' });
    there.text.insert(0, 'Eve: ');
    await there.flush();
    await untilBody(bob, 'a', `Eve: ${text}`);
    // A newer export over it, while the server leads.
    await ann.notes.put({ id: 'c', title: 'three', body: 'new' }, { partition: 'moved' });
    await body.close();
    const again = await openCollab(ann.notes, 'a', 'body', { partition: 'moved' });
    again.text.insert(0, 'Ann: ');
    await again.flush();
    expect(await eve.import(await ann.export())).toEqual({ entities: 2 });
    await untilBody(bob, 'a', `Ann: ${text}`);
    await untilBody(bob, 'c', 'new');
    expect([bob.sync.get().rejected, eve.sync.get().rejected]).toEqual([0, 0]);
  });

  it('that is larger than a document may be is refused with both sizes, typed or imported, and nothing else is lost', async () => {
    const [ann, bob] = [await device('ann'), await device('bob')];
    await ann.notes.put({ id: 'a', title: 'one', body: 'MARK' });
    const document = await openCollab(ann.notes, 'a', 'body');
    const details = { expected: 4_194_304, got: expect.any(Number) };
    await expect(type(document, 'x'.repeat(5_000_000))).rejects.toMatchObject({ code: 'ENTITY_TOO_LARGE', details });
    await until('open', () => document.state.get().name === 'open', LONG);
    const kept = document.text.toString();
    expect(kept.length).toBeGreaterThan(3_500_000);
    expect((await bodyOf(ann, 'a')) === kept).toBe(true);
    // As another version, with other limits, could have written it.
    await ann.notes.put({ id: 'a', title: 'one', body: 'MARK' });
    const small = await (await ann.export()).text();
    const lines = small.trimEnd().split('\n');
    const longer = `${lines.slice(0, -1).join('\n').replace('MARK', 'y'.repeat(8_000_000))}\n`;
    const end = JSON.stringify({ end: true, entities: 1, crc32c: crc32c(utf8Encode(longer)).toString(16).padStart(8, '0') });
    const refused = bob.import(new Blob([longer, end, '\n']));
    await expect(refused).rejects.toMatchObject({ code: 'ENTITY_TOO_LARGE', details: { expected: 4_194_304, got: 8_000_000 } });
    expect((await bob.notes.count()).count).toBe(0);
  });
});

async function seal(): Promise<void> {
  const answer = await fetch(`${server.url}/v2/vectordb/collections/flush`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer root:benches' },
    body: JSON.stringify({ collectionName: 'notes' }),
  });
  expect(await answer.json()).toMatchObject({ code: 0 });
}

describe("documents with keep: 'recent'", () => {
  it('are edited where they are kept, absent where they are not, and there again with all edits when they are fetched', async () => {
    const partition = 'recent';
    const [ann, bob] = [await device('ann'), await device('bob')];
    await connect(ann, 'ann', partition);
    // More than what every seal rewrites: a segment of its own.
    const old = Array.from({ length: 2_200 }, (_, index) => ({ id: `old${index}`, title: `old ${index}`, body: `about ${index}` }));
    await ann.notes.putMany(old, { partition }).wait('acked');
    const older = await openCollab(ann.notes, 'old1', 'body', { partition });
    older.text.insert(0, 'edited ');
    await older.flush();
    await sent(ann);
    await seal();
    await ann.notes.put({ id: 'new1', title: 'new', body: 'recent' }, { partition }).wait('acked');
    const newer = await openCollab(ann.notes, 'new1', 'body', { partition });
    newer.text.insert(0, 'very ');
    await newer.flush();
    await sent(ann);
    await seal();

    const here = { scope: 'local', partitions: [partition] } as const;
    const count = async (): Promise<number> => (await bob.notes.count(here)).count;
    let connection = await connect(bob, 'bob', partition, { keep: 'recent', budgetBytes: 40_000 });
    await until('what is recent', async () => (await count()) === 1, LONG);
    const [missing, kept] = [
      await openCollab(bob.notes, 'old1', 'body', { partition }),
      await openCollab(bob.notes, 'new1', 'body', { partition }),
    ];
    expect([missing.state.get().name, kept.state.get().name, kept.text.toString()]).toEqual(['absent', 'open', 'very recent']);
    // The server is asked for what is not here.
    expect(await bodyOf(bob, 'old1')).toBe('edited about 1');

    await connection.disconnect();
    kept.text.insert(0, 'Bob: ');
    await kept.flush();
    older.text.insert(0, 'Ann: ');
    newer.text.insert(newer.text.length, ' (Ann)');
    await Promise.all([older.flush(), newer.flush()]);
    await sent(ann);

    // Everything, with the edit still in the outbox; the document that was absent comes.
    connection = await connect(bob, 'bob', partition);
    await until('all rows', async () => (await count()) === 2_201, LONG);
    await until('the document', () => missing.state.get().name === 'open', LONG);
    expect(missing.text.toString()).toBe('Ann: edited about 1');
    await until('merged', () => kept.text.toString() === 'Bob: very recent (Ann)', LONG);
    missing.text.insert(0, 'Bob, too: ');
    await missing.flush();
    await sent(bob);
    await until('at Ann', () => older.text.toString() === 'Bob, too: Ann: edited about 1', LONG);

    // Gone again while an edit of it has not been sent: the edit is.
    await connection.disconnect();
    missing.text.insert(0, 'late: ');
    await missing.flush();
    await seal();
    await connect(bob, 'bob', partition, { keep: 'recent', budgetBytes: 1 });
    await sent(bob);
    await until('at Ann', () => older.text.toString() === 'late: Bob, too: Ann: edited about 1', LONG);
    await until('gone', async () => (await count()) < 100, LONG);
    await until('absent', () => missing.state.get().name === 'absent', LONG);
    expect([ann.sync.get().rejected, bob.sync.get().rejected]).toEqual([0, 0]);
    await connect(bob, 'bob', partition);
    await until('here again', () => missing.state.get().name === 'open', LONG);
    expect(missing.text.toString()).toBe('late: Bob, too: Ann: edited about 1');
  });
});
