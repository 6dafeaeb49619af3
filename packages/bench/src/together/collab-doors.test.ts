import { type Database, defineSchema, f } from '@terndb/client';
import { openInNode } from '@terndb/client/testing';
import { type CollabDocument, openCollab } from '@terndb/client/yjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Doc, encodeStateAsUpdate } from 'yjs';
import { tokenFor, until } from '../sync/server-process.ts';
import { type ServerHere, startServerHere } from './server-here.ts';

/** Documents that devices write together, and those who read and write them without Yjs: the whole client against the whole server. */

const shapes = {
  notes: {
    id: f.primaryKey('varchar'),
    title: f.text(),
    body: f.collabText({ search: true }),
    drawing: f.collab(),
    vec: f.vector(2).nullable(),
  },
};
const schema = defineSchema(shapes);
type Db = Database<typeof shapes>;
const LONG = { timeoutMs: 30_000 } as const;

let server: ServerHere;
let url: string;
const open: Db[] = [];

beforeAll(async () => {
  server = await startServerHere();
  ({ url } = server);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((db) => db.close()));
});
afterAll(() => server.stop());

async function device(name: string, partition: string | undefined, keep: 'all' | 'recent' = 'all'): Promise<Db> {
  const db = await openInNode(name, schema);
  open.push(db);
  if (partition !== undefined) connect(db, name, partition, keep);
  if (partition !== undefined) await until('live', () => db.sync.get().state.name === 'live', LONG);
  return db;
}

function connect(db: Db, name: string, partition: string, keep: 'all' | 'recent' = 'all'): void {
  db.connect({ url: `${url}/sync`, partitions: [{ name: partition, keep }], getToken: async () => tokenFor(name) });
}

const textOf = (document: CollabDocument): string => document.text.toString();
const sent = (db: Db): Promise<void> => until('sent', () => db.sync.get().state.name === 'live' && db.sync.get().outbox === 0, LONG);

interface Answer {
  readonly code: number;
  readonly message?: string;
  readonly data?: unknown;
}

async function rest(path: string, body: Record<string, unknown>): Promise<Answer> {
  const answer = await fetch(`${url}/v2/vectordb/entities/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer root:benches' },
    body: JSON.stringify({ collectionName: 'notes', consistencyLevel: 'Strong', ...body }),
  });
  return (await answer.json()) as Answer;
}

async function restGet(partition: string, id: string): Promise<unknown> {
  const { data: rows } = await rest('get', { partitionNames: [partition], id: [id], outputFields: ['title', 'body', 'drawing'] });
  return (rows as unknown[])[0];
}

function drawn(entries: Record<string, unknown>): Uint8Array {
  const doc = new Doc();
  for (const [name, value] of Object.entries(entries)) doc.getMap('shapes').set(name, value);
  return encodeStateAsUpdate(doc);
}

describe('collab fields at the door without Yjs', () => {
  it('begin with what is inserted, and read as their text and as JSON text, edits of devices included', async () => {
    const ann = await device('ann', 'rest');
    const row = { id: 'a', title: 'one', body: 'an arctic tern', drawing: Buffer.from(drawn({ a: 'circle' })).toString('base64') };
    expect(await rest('insert', { partitionName: 'rest', data: [row] })).toMatchObject({ code: 0, data: { insertIds: ['a'] } });
    await until('the row', async () => (await ann.notes.get('a')) !== undefined, LONG);
    expect(await ann.notes.get('a')).toMatchObject({ body: 'an arctic tern', drawing: '{"shapes":{"a":"circle"}}' });
    const [body, drawing] = [
      await openCollab(ann.notes, 'a', 'body', { partition: 'rest' }),
      await openCollab(ann.notes, 'a', 'drawing', { partition: 'rest' }),
    ];
    body.text.insert(0, 'Look: ');
    drawing.doc.getMap('shapes').set('b', 'square');
    await Promise.all([body.flush(), drawing.flush()]);
    await sent(ann);
    const text = { title: 'one', body: 'Look: an arctic tern', drawing: '{"shapes":{"a":"circle","b":"square"}}' };
    expect(await restGet('rest', 'a')).toMatchObject(text);
    const filter = { partitionNames: ['rest'], filter: 'TEXT_MATCH(body, "look")', outputFields: ['body'] };
    expect((await rest('query', filter)).data).toMatchObject([{ body: text.body }]);

    // What a drawing reads as is not what it can begin with; nor is anything else that Yjs cannot read.
    for (const wrong of [text.drawing, 'AQI=', 7, { shapes: {} }]) {
      const refused = await rest('insert', { partitionName: 'rest', data: [{ ...row, id: 'b', drawing: wrong }] });
      expect([wrong, refused.code]).toEqual([wrong, 1804]);
    }
    expect(await restGet('rest', 'b')).toBeUndefined();
  });

  it('keep their documents when other fields are upserted, begin anew with a whole row, and go with it', async () => {
    const ann = await device('ann', 'upserts');
    await ann.notes.put({ id: 'a', title: 'one', body: 'first' }, { partition: 'upserts' }).wait('acked');
    const document = await openCollab(ann.notes, 'a', 'body', { partition: 'upserts' });
    document.text.insert(5, ' text');
    await document.flush();
    await sent(ann);
    const upsert = (row: Record<string, unknown>, more = {}): Promise<Answer> =>
      rest('upsert', { partitionName: 'upserts', data: [{ id: 'a', ...row }], ...more });

    expect(await upsert({ title: 'renamed' }, { partialUpdate: true })).toMatchObject({ code: 0 });
    await until('the title', async () => (await ann.notes.get('a'))?.title === 'renamed', LONG);
    document.text.insert(0, 'the ');
    await document.flush();
    await sent(ann);
    expect(document.state.get()).toMatchObject({ generation: 0, error: null });
    expect(await restGet('upserts', 'a')).toMatchObject({ title: 'renamed', body: 'the first text' });
    expect(await upsert({ body: 'in part' }, { partialUpdate: true })).toMatchObject({ code: 1804 });

    // Twice: each row is another document, also of one writer.
    for (const [generation, body] of [
      [1, 'second'],
      [2, 'third'],
    ] as const) {
      expect(await upsert({ title: 'new', body })).toMatchObject({ code: 0 });
      await until(`the document of ${body}`, () => document.state.get().generation === generation, LONG);
      expect(textOf(document)).toBe(body);
      document.text.insert(0, 'the ');
      await document.flush();
      await sent(ann);
      expect(await restGet('upserts', 'a')).toMatchObject({ body: `the ${body}` });
    }
    expect(ann.sync.get().rejected).toBe(0);
    expect(await rest('delete', { partitionName: 'upserts', filter: 'id == "a"' })).toMatchObject({ code: 0 });
    await until('absent', () => document.state.get().name === 'absent', LONG);
    expect(await restGet('upserts', 'a')).toBeUndefined();
  });

  it('are told to followers of the change feed as text and as JSON text', async () => {
    const ann = await device('ann', 'feed');
    await ann.notes.put({ id: 'a', title: 'one', body: 'first', drawing: drawn({ a: 1 }) }, { partition: 'feed' }).wait('acked');
    const document = await openCollab(ann.notes, 'a', 'drawing', { partition: 'feed' });
    const aborted = new AbortController();
    const answer = await fetch(`${url}/changes?collection=notes&partition=feed`, {
      headers: { authorization: `Bearer ${tokenFor('reader')}` },
      signal: aborted.signal,
    });
    let lines = '';
    const reading = (async () => {
      for await (const chunk of answer.body!) lines += Buffer.from(chunk).toString();
    })().catch(() => {});
    const changes = (): Record<string, any>[] =>
      lines
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, any>);
    await until('the insert', () => lines.includes('circle') || lines.includes('first'), LONG);
    expect(changes().find(({ type }) => type === 'insert')).toMatchObject({ entity: { body: 'first', drawing: '{"shapes":{"a":1}}' } });
    document.doc.getMap('shapes').set('b', [2]);
    await document.flush();
    await until('the update', () => changes().some(({ type }) => type === 'update'), LONG);
    const update = changes().find(({ type }) => type === 'update')!;
    expect(update['fields']).toEqual({ drawing: '{"shapes":{"a":1,"b":[2]}}' });
    aborted.abort();
    await reading;
  });
});
