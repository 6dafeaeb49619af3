import { defineSchema, f, MAX_COLLAB_BYTES, MAX_ENTITY_BYTES, type Op, type PrimaryKey, type Timestamp } from '@terndb/core';
import { afterEach, describe, expect, it } from 'vitest';
import { applyUpdate, Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs';
import { openEngine } from '../database/open-engine.ts';
import type { Engine } from '../database/types.ts';
import type { OverlayEntry } from '../replication/types.ts';
import { type MemoryPorts, memoryPorts } from '../testing/memory-ports.ts';
import { jsonOf } from './json-view.ts';
import type { CollabEvent } from './watch-collab.ts';

const { definition: schema } = defineSchema({
  notes: { id: f.primaryKey('varchar'), title: f.text(), body: f.collabText({ search: true }), drawing: f.collab() },
});
const engines: Engine[] = [];
async function open(ports: MemoryPorts, more: Partial<Parameters<typeof openEngine>[0]> = {}): Promise<Engine> {
  const engine = await openEngine({ ports, schema, ...more });
  engines.push(engine);
  return engine;
}
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

/** Of at least so many letters. */
function longText(letters: number): string {
  const parts: string[] = [];
  for (let length = 0; length < letters; length += parts.at(-1)!.length) parts.push(`passage ${parts.length} 🐦 of a long text. `);
  return parts.join('');
}

function drawn(shapes: number): Doc {
  const doc = new Doc();
  for (let shape = 0; shape < shapes; shape++) doc.getMap('shapes').set(`shape ${shape}`, { points: 'x'.repeat(900) });
  return doc;
}

function putsOf(op: Op): readonly PrimaryKey[] {
  return (op.type === 'batch' ? op.ops : [op]).flatMap(({ type, pk }) => (type === 'put' ? [pk] : []));
}

const importOf = (engine: Engine, entities: readonly unknown[], partition = 'p') =>
  engine.writeAll([{ type: 'put', collection: 'notes', partition, entities }]);
const read = (engine: Engine, key: string) =>
  engine.get({ collection: 'notes', keys: [key], select: ['title', 'body', 'drawing'] }).entities[0];

describe('an entity whose documents are larger than an op', () => {
  it('is imported with all of them at once, is still there after a restart and a seal, and can be edited', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    const body = longText(1_500_000);
    const drawing = drawn(1_000);
    const entities = [
      { id: 'small', title: 'one', body: 'short' },
      { id: 'large', title: 'two', body, drawing: encodeStateAsUpdate(drawing) },
      { id: 'after', title: 'three', body: 'short too' },
    ];
    const seen: (readonly unknown[])[] = [];
    engine.onChange((changes) => seen.push(changes.flatMap(({ keys }) => keys)));
    const { durable } = importOf(engine, entities);
    await engine.flush();
    await durable;
    expect(new Set(seen[0])).toEqual(new Set(['small', 'large', 'after']));
    const check = (one: Engine): void => {
      const row = read(one, 'large')!;
      // Not `toEqual`: nobody reads a difference of megabytes.
      expect([row['title'], row['body'] === body, row['drawing'] === jsonOf(encodeStateAsUpdate(drawing))]).toEqual(['two', true, true]);
      expect([read(one, 'small')?.['body'], read(one, 'after')?.['body']]).toEqual(['short', 'short too']);
    };
    check(engine);
    await engine.close();
    const again = await open(ports);
    check(again);
    await again.seal();
    check(again);
    const place = { collection: 'notes', partition: 'p', key: 'large', field: 'body' };
    const events: CollabEvent[] = [];
    again.watchCollab(
      place,
      (event) => events.push(event),
      (error) => expect.unreachable(error.message),
    )();
    const [event] = events as [Extract<CollabEvent, { type: 'document' }>];
    const doc = new Doc();
    applyUpdate(doc, event.update);
    expect(doc.getText('text').toString() === body).toBe(true);
    const before = encodeStateVector(doc);
    doc.getText('text').insert(0, 'edited: ');
    again.write({ type: 'collab', ...place, base: event.base, update: encodeStateAsUpdate(doc, before) });
    expect(read(again, 'large')?.['body'] === `edited: ${body}`).toBe(true);
  });

  it('goes into the outbox as ops that are small enough, each for the document of its put', async () => {
    const added: { readonly op: Op; readonly entry: OverlayEntry }[] = [];
    const outbox = {
      add: (_channel: string, op: Op) => {
        const entry = { id: added.length + 1, op, hlc: (1_000 + added.length) as Timestamp, clientId: 'me', seq: added.length + 7 };
        added.push({ op, entry });
        return { entry, durable: Promise.resolve() };
      },
    };
    const engine = await open(await memoryPorts(), { outbox });
    await engine.replication.open([{ channel: 'c/p/0', collection: 'notes', partition: 'p', logEpoch: null, overlay: [] }]);
    const [first, second] = [longText(700_000), longText(900_000)];
    await importOf(engine, [
      { id: 'a', title: 'one', body: first },
      { id: 'b', title: 'two', body: second },
    ]).durable;
    const seqs = new Map(added.flatMap(({ op, entry }) => putsOf(op).map((pk) => [pk, entry.seq])));
    const updates = added.flatMap(({ op }) => (op.type === 'batch' ? op.ops : [op])).filter((op) => op.type === 'yjs');
    expect(updates.length).toBeGreaterThan(4);
    for (const { pk, base, update } of updates) {
      expect(base).toEqual({ clientId: 'me', seq: seqs.get(pk) });
      expect(update.length).toBeLessThan(MAX_ENTITY_BYTES);
    }
    expect([read(engine, 'a')?.['body'] === first, read(engine, 'b')?.['body'] === second]).toEqual([true, true]);
  });

  it('is refused with both sizes when a document is larger than one may be, and nothing of the import is written', async () => {
    const engine = await open(await memoryPorts());
    const entities = [
      { id: 'a', title: 'one', body: 'short' },
      { id: 'b', title: 'two', body: longText(8_000_000) },
    ];
    const details = { expected: MAX_COLLAB_BYTES, got: expect.any(Number) };
    expect(() => importOf(engine, entities)).toThrowError(expect.objectContaining({ code: 'ENTITY_TOO_LARGE', details }));
    expect(engine.count({ collection: 'notes' }).count).toBe(0);
    const wrong = [{ id: 'a', title: 'one', body: '', drawing: new Uint8Array(600_000).fill(7) }];
    expect(() => importOf(engine, wrong)).toThrowError(expect.objectContaining({ code: 'FIELD_INVALID' }));
    expect(() => importOf(engine, [{ id: 'a', title: 'one', body: `\ud800${longText(600_000)}` }])).toThrowError(
      expect.objectContaining({ code: 'FIELD_INVALID' }),
    );
    expect(engine.count({ collection: 'notes' }).count).toBe(0);
  });

  it('is also one whose other fields leave no room for a small document', async () => {
    const engine = await open(await memoryPorts());
    const [title, body] = ['t'.repeat(500_000), longText(40_000)];
    importOf(engine, [{ id: 'a', title, body }]);
    expect([read(engine, 'a')?.['title'] === title, read(engine, 'a')?.['body'] === body]).toEqual([true, true]);
    expect(() => importOf(engine, [{ id: 'b', title: 't'.repeat(600_000), body }])).toThrowError(
      expect.objectContaining({ code: 'FIELD_INVALID' }),
    );
    await engine.flush();
  });

  it('is no put: an application begins with what fits', async () => {
    const engine = await open(await memoryPorts());
    const entities = [{ id: 'a', title: 'one', body: longText(600_000) }];
    expect(() => engine.write({ type: 'put', collection: 'notes', entities })).toThrowError(
      expect.objectContaining({ code: 'FIELD_INVALID' }),
    );
  });
});
