import {
  DbError,
  defineSchema,
  encodedOpBytes,
  f,
  MAX_OP_BYTES,
  MemoryLogBroker,
  MemoryMetaStore,
  MemoryObjectStore,
  type Op,
  type Timestamp,
} from '@terndb/core';
import { type CollabEvent, type Engine, openEngine } from '@terndb/engine';
import { loadKernel } from '@terndb/kernel';
import type { DeviceRecord } from '@terndb/sync';
import { afterEach, describe, expect, it } from 'vitest';
import { applyUpdate, Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs';
import { browserClock } from '../adapters/clock.ts';
import { createBrowserRng } from '../adapters/rng.ts';
import { Attachment, isAttached } from './attach.ts';
import { MemoryRowStore } from './store/memory-row-store.ts';
import { SyncStore } from './store/sync-store.ts';

const { definition: schema } = defineSchema({
  notes: { title: f.text(), stars: f.number().default(1), due: f.date().nullable() },
  pages: { title: f.text(), body: f.collabText() },
});
const CHANNEL = 'c/p/0';
const place = { channel: CHANNEL, collection: 'notes', partition: 'mine', schemaVersion: 1 };
const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

async function open(rows: number): Promise<{ engine: Engine; rowStore: MemoryRowStore; store: () => SyncStore }> {
  const log = new MemoryLogBroker();
  const meta = new MemoryMetaStore();
  const ports = { log, meta, objects: new MemoryObjectStore(), clock: browserClock, rng: createBrowserRng(), kernel: await loadKernel({}) };
  const engine = await openEngine({ ports, schema });
  engines.push(engine);
  for (let at = 0; at < rows; at += 500) {
    const entities = Array.from({ length: Math.min(500, rows - at) }, (_, index) => ({
      id: keyOf(at + index),
      title: `row ${at + index}`,
    }));
    engine.write({ type: 'put', collection: 'notes', partition: 'mine', entities });
  }
  const rowStore = new MemoryRowStore({ log, meta });
  return { engine, rowStore, store: () => new SyncStore(rowStore) };
}
const keyOf = (index: number): string => `k${String(index).padStart(5, '0')}`;

function attachment(engine: Engine, store: SyncStore, where: typeof place = place): Attachment {
  const none: DeviceRecord = { clientId: 'me', subject: '', logEpoch: null, hlc: 0 as Timestamp, nextId: 1 };
  return new Attachment({ engine, store, term: 1, place: where, device: async () => (await store.readDevice()) ?? none });
}

const body = { collection: 'pages', partition: 'mine', key: 'a', field: 'body' };
/** Adds to the text of a page, as its editor would. */
async function typeInto(engine: Engine, text: string): Promise<void> {
  const events: CollabEvent[] = [];
  engine.watchCollab(
    body,
    (event) => events.push(event),
    (error) => {
      throw error;
    },
  )();
  const [event] = events;
  if (event?.type !== 'document') throw new Error('the document expected');
  const doc = new Doc();
  applyUpdate(doc, event.update);
  const before = encodeStateVector(doc);
  doc.getText('text').insert(doc.getText('text').length, text);
  engine.write({ type: 'collab', ...body, base: event.base, update: encodeStateAsUpdate(doc, before) });
  await engine.flush();
}

/** What a leader would make of the entries: last writer wins, by stamp. */
async function outcome(store: SyncStore): Promise<Map<string, Record<string, unknown>>> {
  const { outbox } = await store.readChannel(CHANNEL);
  expect(outbox.map(({ seq }) => seq)).toEqual(outbox.map((_, index) => index + 1));
  const rows = new Map<string, { put: number; stamps: Map<string, number>; fields: Record<string, unknown> }>();
  const apply = (op: Op, hlc: number): void => {
    if (op.type === 'batch') {
      for (const single of op.ops) apply(single, hlc);
    } else if (op.type === 'put') {
      const before = rows.get(String(op.pk));
      // As the fold has it: of two puts of one stamp the later one counts.
      if (before !== undefined && before.put > hlc) return;
      rows.set(String(op.pk), { put: hlc, stamps: new Map(), fields: { stars: 1, ...op.fields } });
    } else if (op.type === 'patch') {
      const row = rows.get(String(op.pk))!;
      for (const [name, value] of Object.entries(op.fields)) if (hlc > row.put) row.fields[name] = value;
    } else if (op.type === 'delete') rows.delete(String(op.pk));
  };
  for (const { op, hlc } of outbox) apply(op, hlc);
  return new Map([...rows].map(([key, { fields }]) => [key, fields]));
}

describe('attaching a local partition', () => {
  it('[R14] makes one put per row with its stamp, patches with theirs, and nothing of what is deleted', async () => {
    const { engine, store } = await open(3);
    engine.write({ type: 'patch', collection: 'notes', partition: 'mine', key: keyOf(1), fields: { stars: 5, due: null } });
    engine.write({ type: 'delete', collection: 'notes', partition: 'mine', key: keyOf(2) });
    const one = attachment(engine, store());
    await one.copy();
    expect(await isAttached(store(), CHANNEL)).toBe(false);
    await one.finish();
    expect(await isAttached(store(), CHANNEL)).toBe(true);
    const { outbox } = await store().readChannel(CHANNEL);
    expect(outbox.map(({ op }) => op.type)).toEqual(['batch', 'patch']);
    const puts = [
      { type: 'put', create: true, pk: keyOf(0) },
      { type: 'put', create: true, pk: keyOf(1), fields: { title: 'row 1' } },
    ];
    expect(outbox[0]).toMatchObject({ op: { ops: puts }, subject: '', sent: false });
    expect(outbox[1]!.hlc).toBeGreaterThan(outbox[0]!.hlc);
    expect(outbox[1]!.op).toMatchObject({ fields: { stars: 5, due: null } });
  });

  it('[R14] gives a put every field that must be there, also one that was changed later', async () => {
    const { engine, store } = await open(1);
    engine.write({ type: 'patch', collection: 'notes', partition: 'mine', key: keyOf(0), fields: { title: 'renamed' } });
    const one = attachment(engine, store());
    await one.copy();
    await one.finish();
    const { outbox } = await store().readChannel(CHANNEL);
    expect(outbox.map(({ op }) => op)).toMatchObject([
      { type: 'put', fields: { title: 'renamed' } },
      { type: 'patch', fields: { title: 'renamed' } },
    ]);
    expect(outbox[1]!.hlc).toBeGreaterThan(outbox[0]!.hlc);
  });

  it('[R14] takes up what was written and deleted while it copied', async () => {
    const { engine, store } = await open(4);
    const one = attachment(engine, store());
    await one.copy();
    engine.write({ type: 'patch', collection: 'notes', partition: 'mine', key: keyOf(0), fields: { stars: 9 } });
    engine.write({ type: 'delete', collection: 'notes', partition: 'mine', key: keyOf(1) });
    engine.write({ type: 'put', collection: 'notes', partition: 'mine', entities: [{ id: 'new', title: 'late' }] });
    engine.write({ type: 'put', collection: 'notes', partition: 'mine', entities: [{ id: keyOf(2), title: 'again' }] });
    await one.finish();
    const rows = await outcome(store());
    expect([...rows.keys()].sort()).toEqual([keyOf(0), keyOf(2), keyOf(3), 'new']);
    expect(rows.get(keyOf(0))).toMatchObject({ stars: 9 });
    expect(rows.get(keyOf(2))).toMatchObject({ title: 'again' });
  });

  it('[R14] takes up what was typed into a document while it copied', async () => {
    const { engine, store } = await open(0);
    const put = { id: 'a', title: 'one', body: 'begun' };
    engine.write({ type: 'put', collection: 'pages', partition: 'mine', entities: [put] });
    const type = (text: string): Promise<void> => typeInto(engine, text);
    engine.write({ type: 'patch', collection: 'pages', partition: 'mine', key: 'a', fields: { title: 'two' } });
    const one = attachment(engine, store(), { ...place, collection: 'pages' });
    await one.copy();
    await type(' and typed');
    engine.write({ type: 'patch', collection: 'pages', partition: 'mine', key: 'a', fields: { title: 'three' } });
    await one.finish();
    expect(await outcome(store())).toMatchObject(new Map([['a', { title: 'three', body: 'begun and typed' }]]));
  });

  it('[R14] carries a document that is larger than an op up in pieces, each of them for the document of its put', async () => {
    const { engine, store } = await open(0);
    const entities = [
      { id: 'a', title: 'one', body: 'begun' },
      { id: 'b', title: 'two', body: 'short' },
    ];
    engine.write({ type: 'put', collection: 'pages', partition: 'mine', entities });
    for (let part = 0; part < 4; part++) await typeInto(engine, `${part}`.repeat(400_000));
    const one = attachment(engine, store(), { ...place, collection: 'pages' });
    await one.copy();
    // Typed while it is copied: it goes up once more.
    await typeInto(engine, 'and on');
    await one.finish();
    const { outbox } = await store().readChannel(CHANNEL);
    const text = `begun${[0, 1, 2, 3].map((part) => `${part}`.repeat(400_000)).join('')}and on`;
    const channel = new Doc();
    let base = { clientId: '', seq: 0 };
    for (const { op, seq, hlc, clientId } of outbox) {
      expect(encodedOpBytes(op)).toBeLessThanOrEqual(MAX_OP_BYTES);
      for (const single of op.type === 'batch' ? op.ops : [op]) {
        if (single.pk !== 'a') continue;
        if (single.type === 'put') base = { clientId, seq };
        expect(single).toMatchObject(single.type === 'put' ? { fields: { title: 'one', body: '' } } : { type: 'yjs', field: 'body', base });
        expect(hlc).toBe(outbox[0]!.hlc);
        if (single.type === 'yjs') applyUpdate(channel, single.update);
      }
    }
    expect(channel.getText('text').toString() === text).toBe(true);
    const rows = await outcome(store());
    expect([...rows.keys()]).toEqual(['a', 'b']);
    expect(rows.get('b')).toMatchObject({ body: 'short' });
  });

  it('[R14] goes on after a crash at any transaction, and doubles nothing', async () => {
    const rows = 2_100;
    for (let crashAt = 0; ; crashAt++) {
      const { engine, rowStore, store } = await open(rows);
      let commits = 0;
      const commit = rowStore.commit.bind(rowStore);
      rowStore.commit = async (term, ops) => {
        if (commits++ === crashAt) throw new DbError('STORAGE_UNAVAILABLE', 'crash');
        await commit(term, ops);
      };
      const first = attachment(engine, store());
      const crashed = await first.copy().then(
        () =>
          first.finish().then(
            () => false,
            () => true,
          ),
        () => true,
      );
      if (!crashed) {
        expect(crashAt).toBeGreaterThan(2);
        return;
      }
      engine.write({ type: 'patch', collection: 'notes', partition: 'mine', key: keyOf(3), fields: { stars: 7 } });
      engine.write({ type: 'delete', collection: 'notes', partition: 'mine', key: keyOf(2_099) });
      const second = attachment(engine, store());
      await second.copy();
      await second.finish();
      const result = await outcome(store());
      expect(result.size, `crash at transaction ${crashAt}`).toBe(rows - 1);
      expect(result.get(keyOf(3))).toMatchObject({ stars: 7 });
      expect((await store().readChannel(CHANNEL)).outbox.length).toBeLessThanOrEqual(rows + 4);
    }
  });
});
