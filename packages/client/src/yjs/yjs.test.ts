import { afterEach, describe, expect, it } from 'vitest';
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs';
import { browserClock } from '../adapters/clock.ts';
import { createDatabase } from '../database/database.ts';
import { Session } from '../database/session.ts';
import { type Database, defineSchema, f, type Schema, type Shapes } from '../index.ts';
import { MemoryServer, tokenOf } from '../sync/testing/memory-server.ts';
import { startWorkerInNode } from '../worker/testing/worker-in-node.ts';
import type { CollabDocument } from './collab-document.ts';
import { openCollab } from './open-collab.ts';

const schema: Schema<Shapes> = defineSchema({
  notes: { title: f.text(), body: f.collabText({ search: true }), drawing: f.collab() },
}) as never;
const CHANNEL = 'cnotes/pshared/0';
const shared = { partition: 'shared' };

type Db = Database<Shapes>;
const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close().catch(() => {});
});

async function openDb(server?: MemoryServer): Promise<{ db: Db; notes: Db[string] }> {
  const worker = (): Worker => startWorkerInNode(...(server === undefined ? [] : [server]));
  const session = await Session.open('node', { schema, assets: { worker } }, () => {});
  sessions.push(session);
  const db = createDatabase(session, schema);
  return { db, notes: db['notes']! };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 3));
}

function connect(db: Db, subject: string): void {
  db.connect({ url: 'http://server/sync', partitions: ['shared'], getToken: async () => tokenOf(subject) });
}
const isLive = (db: Db): boolean => db.sync.get().state.name === 'live';
const textOf = (document: CollabDocument): string => document.text.toString();

describe('a collab text on one device', () => {
  it('begins with the text of the put, keeps what is typed, and is found by it at once', async () => {
    const { notes } = await openDb();
    await notes.put({ id: 'a', title: 'one', body: 'an arctic tern' });
    const document = await openCollab(notes, 'a', 'body');
    expect(document.state.get()).toMatchObject({ name: 'open', unsaved: 0, isLarge: false });
    expect(textOf(document)).toBe('an arctic tern');
    document.text.insert(3, 'elegant ');
    expect(document.state.get().unsaved).toBe(1);
    await document.flush();
    expect(document.state.get().unsaved).toBe(0);
    expect(await notes.get('a')).toMatchObject({ body: 'an elegant arctic tern' });
    expect((await notes.search({ text: 'elegant' } as never)).hits).toMatchObject([{ key: 'a' }]);
    expect((await notes.search({ text: 'sooty' } as never)).hits).toEqual([]);
    await document.close();
    expect(document.state.get().name).toBe('closed');
  });

  it('is one document for all who open it here; undo takes back one’s own edits only', async () => {
    const { notes } = await openDb();
    await notes.put({ id: 'a', title: 'one', body: 'middle' });
    const [left, right] = [await openCollab(notes, 'a', 'body'), await openCollab(notes, 'a', 'body')];
    const { undo } = left;
    left.text.insert(0, 'left ');
    right.text.insert(6, ' right');
    await until(() => textOf(left) === 'left middle right' && textOf(right) === textOf(left));
    undo.undo();
    await until(() => textOf(right) === 'middle right');
    expect(textOf(left)).toBe('middle right');
  });

  it('starts anew when the entity is put again, and is absent when it is deleted', async () => {
    const { notes } = await openDb();
    await notes.put({ id: 'a', title: 'one', body: 'first' });
    const document = await openCollab(notes, 'a', 'body');
    const first = document.doc;
    await notes.put({ id: 'a', title: 'one', body: 'second' });
    await until(() => document.state.get().generation === 1);
    expect(textOf(document)).toBe('second');
    expect(document.doc).not.toBe(first);
    document.text.insert(0, 'the ');
    await document.flush();
    expect(await notes.get('a')).toMatchObject({ body: 'the second' });
    await notes.delete('a');
    await until(() => document.state.get().name === 'absent');
    document.text.insert(0, 'lost ');
    await expect(document.flush()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('refuses what is too large and shows what is kept', async () => {
    const { notes } = await openDb();
    await notes.put({ id: 'a', title: 'one', body: 'kept' });
    const document = await openCollab(notes, 'a', 'body');
    document.text.insert(0, 'x'.repeat(600_000));
    await expect(document.flush()).rejects.toMatchObject({ code: 'ENTITY_TOO_LARGE' });
    await until(() => document.state.get().name === 'open' && textOf(document) === 'kept');
    expect(document.state.get()).toMatchObject({ generation: 1, error: { code: 'ENTITY_TOO_LARGE' } });
    for (let part = 0; part < 3; part++) {
      document.text.insert(0, 'y'.repeat(400_000));
      await document.flush();
    }
    await until(() => document.state.get().isLarge);
    expect(document.state.get()).toMatchObject({ error: null, maxBytes: 4_194_304 });
  });

  it('is no document of another kind of field', async () => {
    const { notes } = await openDb();
    await expect(openCollab(notes, 'a', 'title')).rejects.toMatchObject({ code: 'FIELD_INVALID' });
    expect((await openCollab(notes, 'nobody', 'body')).state.get().name).toBe('absent');
  });

  it('may be an opaque one, begun by an update of Yjs', async () => {
    const { notes } = await openDb();
    const begun = new Doc();
    begun.getMap('shapes').set('a', 'circle');
    await notes.put({ id: 'a', title: 'one', body: '', drawing: encodeStateAsUpdate(begun) });
    const document = await openCollab(notes, 'a', 'drawing');
    document.doc.getMap('shapes').set('b', 'square');
    await document.flush();
    expect(await notes.get('a')).toMatchObject({ drawing: '{"shapes":{"a":"circle","b":"square"}}' });
    expect((await notes.query({ select: ['drawing'] } as never)).entities).toMatchObject([
      { drawing: '{"shapes":{"a":"circle","b":"square"}}' },
    ]);
    await expect(notes.put({ id: 'b', title: 'two', body: '', drawing: Uint8Array.of(1, 2) })).rejects.toMatchObject({
      code: 'FIELD_INVALID',
    });
  });
});

describe('a collab text on two devices', () => {
  it('merges what both typed in one passage while both were offline, and what they type when they meet', async () => {
    const server = await MemoryServer.start(browserClock, schema.definition);
    const [ann, bob] = [await openDb(server), await openDb(server)];
    connect(ann.db, 'ann');
    connect(bob.db, 'bob');
    await until(() => isLive(ann.db) && isLive(bob.db));
    await ann.notes.put({ id: 'a', title: 'one', body: 'The tern flies.' }, shared).wait('acked');
    await until(async () => (await bob.notes.get('a')) !== undefined);
    const [left, right] = [await openCollab(ann.notes, 'a', 'body', shared), await openCollab(bob.notes, 'a', 'body', shared)];
    expect(textOf(right)).toBe('The tern flies.');

    server.isUp = false;
    server.cut();
    await until(() => !isLive(ann.db) && !isLive(bob.db));
    left.text.insert(4, 'arctic ');
    right.text.insert(14, ' far');
    await Promise.all([left.flush(), right.flush()]);
    expect([textOf(left), textOf(right)]).toEqual(['The arctic tern flies.', 'The tern flies far.']);
    expect((await ann.notes.search({ text: 'arctic', partitions: ['shared'] } as never)).hits).toMatchObject([{ pending: true }]);

    server.isUp = true;
    const merged = 'The arctic tern flies far.';
    await until(() => textOf(left) === merged && textOf(right) === merged);
    await until(() => ann.db.sync.get().outbox === 0 && bob.db.sync.get().outbox === 0);
    expect(server.rows(CHANNEL)).toMatchObject({ a: { body: merged } });
    expect(await ann.notes.get('a')).toMatchObject({ body: merged });

    left.text.insert(0, 'Look! ');
    await until(() => textOf(right) === `Look! ${merged}`);
    right.undo.undo();
    expect(textOf(right)).toBe(`Look! ${merged}`);
  });

  it('shows who else has it open, for as long as they have', async () => {
    const server = await MemoryServer.start(browserClock, schema.definition);
    const [ann, bob] = [await openDb(server), await openDb(server)];
    connect(ann.db, 'ann');
    connect(bob.db, 'bob');
    await until(() => isLive(ann.db) && isLive(bob.db));
    await ann.notes.put({ id: 'a', title: 'one', body: 'text' }, shared).wait('acked');
    const [left, right] = [await openCollab(ann.notes, 'a', 'body', shared), await openCollab(bob.notes, 'a', 'body', shared)];
    await until(() => right.state.get().name === 'open');
    const namesAt = (document: CollabDocument): unknown[] =>
      [...document.awareness.getStates()].flatMap(([peer, { user, subject }]) =>
        peer === document.doc.clientID ? [] : [[(user as any)?.name, subject]],
      );
    right.awareness.setLocalStateField('user', { name: 'Bob' });
    left.awareness.setLocalStateField('user', { name: 'Ann' });
    await until(() => namesAt(right).length === 1 && (namesAt(right) as any)[0][0] === 'Ann');
    right.awareness.setLocalStateField('cursor', { anchor: 1, head: 2 });
    await until(() => [...left.awareness.getStates().values()].some(({ cursor }) => cursor?.head === 2));
    expect(namesAt(left)).toEqual([['Bob', 'somebody']]);
    const tab = await openCollab(ann.notes, 'a', 'body', shared);
    await until(() => namesAt(tab).some((one) => (one as any)[0] === 'Ann' && (one as any)[1] === ''));
    await right.close();
    await until(() => namesAt(left).length === 1);
    await tab.close();
    await until(() => namesAt(left).length === 0);
    expect(ann.db.sync.get().outbox).toBe(0);
  });

  it('is told as it was given when the log refuses its put: it can be put again', async () => {
    const server = await MemoryServer.start(browserClock, schema.definition);
    server.validate = () => 'FIELD_INVALID';
    const { db, notes } = await openDb(server);
    const told: any[] = [];
    db.on('rejected', (event) => told.push(event));
    connect(db, 'ann');
    await until(() => isLive(db));
    const begun = new Doc();
    begun.getMap('shapes').set('a', 'circle');
    const drawing = encodeStateAsUpdate(begun);
    await notes.put({ id: 'a', title: 'one', body: 'text', drawing }, shared);
    await notes.put({ id: 'b', title: 'two', body: 'text' }, shared);
    await until(() => told.length === 2);
    expect(told[0].op).toEqual({ type: 'put', fields: { id: 'a', title: 'one', body: 'text', drawing } });
    expect(told[1].op).toEqual({ type: 'put', fields: { id: 'b', title: 'two', body: 'text' } });
  });

  it('larger than an op is told with all of it when the log refuses what a connection carries up', async () => {
    const server = await MemoryServer.start(browserClock, schema.definition);
    server.validate = () => 'FIELD_INVALID';
    const { db, notes } = await openDb(server);
    await notes.put({ id: 'a', title: 'one', body: 'begun' }, shared);
    const document = await openCollab(notes, 'a', 'body', shared);
    for (const letter of ['x', 'y']) {
      document.text.insert(document.text.length, letter.repeat(400_000));
      await document.flush();
    }
    const told: any[] = [];
    db.on('rejected', (event) => told.push(event));
    connect(db, 'ann');
    await until(() => isLive(db) && db.sync.get().outbox === 0 && told.length === db.sync.get().rejected);
    expect(told.map(({ key, op }) => [key, op.type])).toEqual([['a', 'put'], ...told.slice(1).map(() => ['a', 'collab'])]);
    const whole = new Doc();
    for (const { op } of told.slice(1)) applyUpdate(whole, op.update);
    expect(whole.getText('text').toString() === `begun${'x'.repeat(400_000)}${'y'.repeat(400_000)}`).toBe(true);
  });

  it('can be typed into before the log knows its entity', async () => {
    const server = await MemoryServer.start(browserClock, schema.definition);
    const [ann, bob] = [await openDb(server), await openDb(server)];
    connect(ann.db, 'ann');
    connect(bob.db, 'bob');
    await until(() => isLive(ann.db) && isLive(bob.db));
    server.isUp = false;
    server.cut();
    await ann.notes.put({ id: 'b', title: 'new', body: 'begun' }, shared);
    const document = await openCollab(ann.notes, 'b', 'body', shared);
    document.text.insert(5, ' offline');
    await document.flush();
    expect(await ann.notes.get('b')).toMatchObject({ body: 'begun offline' });
    server.isUp = true;
    await until(async () => (await bob.notes.get('b'))?.['body'] === 'begun offline');
    expect(document.state.get()).toMatchObject({ name: 'open', generation: 0 });
    expect(ann.db.sync.get().rejected).toBe(0);
  });

  it('of a local partition goes on when the partition is connected', async () => {
    const server = await MemoryServer.start(browserClock, schema.definition);
    const [ann, bob] = [await openDb(server), await openDb(server)];
    await ann.notes.put({ id: 'c', title: 'local', body: 'alone' }, shared);
    const document = await openCollab(ann.notes, 'c', 'body', shared);
    document.text.insert(5, ' at first');
    await document.flush();
    connect(ann.db, 'ann');
    connect(bob.db, 'bob');
    await until(async () => (await bob.notes.get('c'))?.['body'] === 'alone at first');
    await until(() => document.state.get().name === 'open' && document.state.get().generation > 0);
    document.text.insert(0, 'not ');
    await until(async () => (await bob.notes.get('c'))?.['body'] === 'not alone at first');
  });
});
