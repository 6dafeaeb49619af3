import { defineSchema, f } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs';
import { openEngine } from '../database/open-engine.ts';
import type { Engine, EngineLimits } from '../database/types.ts';
import { type MemoryPorts, memoryPorts } from '../testing/memory-ports.ts';
import type { CollabBase } from './types.ts';
import type { CollabEvent } from './watch-collab.ts';
import { createCollabDocuments } from './yjs-documents.ts';

const { definition: schema } = defineSchema({
  notes: { id: f.primaryKey('varchar'), body: f.collabText({ search: true }), vec: f.vector({ embed: ['body'] }) },
});
const place = { collection: 'notes', partition: '_default', key: 'a', field: 'body' };
const engines: Engine[] = [];
async function open(ports?: MemoryPorts, limits: Partial<EngineLimits> = {}): Promise<Engine> {
  const engine = await openEngine({ ports: ports ?? (await memoryPorts()), schema, limits });
  engines.push(engine);
  return engine;
}
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

/** Somebody who has the document open. */
class Editor {
  readonly doc = new Doc();
  readonly events: CollabEvent['type'][] = [];
  readonly #engine: Engine;
  base: CollabBase | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    engine.watchCollab(
      place,
      (event) => this.#take(event),
      (error) => {
        throw error;
      },
    );
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== this) this.write(update);
    });
  }

  get text(): string {
    return this.doc.getText('text').toString();
  }

  write(update: Uint8Array, base: CollabBase = this.base!): void {
    this.#engine.write({ type: 'collab', ...place, base, update });
  }

  type(text: string): void {
    this.doc.getText('text').insert(this.text.length, text);
  }

  #take(event: CollabEvent): void {
    this.events.push(event.type);
    if (event.type === 'gone') return;
    this.base = event.base;
    for (const update of event.type === 'document' ? [event.update] : event.updates) applyUpdate(this.doc, update, this);
  }
}

const put = (engine: Engine, body: string) => engine.write({ type: 'put', collection: 'notes', entities: [{ id: 'a', body }] });
const bodyOf = (engine: Engine) => engine.get({ collection: 'notes', keys: ['a'] }).entities[0]?.['body'];

describe('whoever follows a document', () => {
  it('is told it whole once, then what merges into it, and what another put made of it', async () => {
    const engine = await open();
    put(engine, 'one');
    const [left, right] = [new Editor(engine), new Editor(engine)];
    left.type(' two');
    right.type(' three');
    expect(left.text).toBe(right.text);
    expect([...left.text.split(' ')].sort()).toEqual(['one', 'three', 'two']);
    await engine.seal();
    left.type(' four');
    expect(right.text).toBe(left.text);
    expect(bodyOf(engine)).toBe(left.text);
    expect(left.events.filter((type) => type === 'document').length).toBeLessThanOrEqual(3);
    put(engine, 'anew');
    expect(left.events.at(-1)).toBe('document');
    engine.write({ type: 'delete', collection: 'notes', key: 'a' });
    expect(left.events.at(-1)).toBe('gone');
  });

  it('finds it as it was left in a database that is opened again', async () => {
    const ports = await memoryPorts();
    const first = await open(ports);
    put(first, 'kept');
    new Editor(first).type(' and edited');
    await first.seal();
    new Editor(first).type(', twice');
    await first.close();
    const editor = new Editor(await open(ports));
    expect(editor.text).toBe('kept and edited, twice');
    editor.type('!');
    expect(bodyOf(engines.at(-1)!)).toBe('kept and edited, twice!');
  });
});

describe('an edit', () => {
  it('that Yjs cannot read, or of another document, is refused and changes nothing', async () => {
    const engine = await open();
    put(engine, 'text');
    const editor = new Editor(engine);
    for (const update of [new Uint8Array(0), Uint8Array.of(7), 'no' as never])
      expect(() => editor.write(update)).toThrowError(expect.objectContaining({ code: 'FIELD_INVALID' }));
    const update = encodeStateAsUpdate(editor.doc);
    const others: CollabBase[] = [
      { ...editor.base!, seq: 99 },
      { ...editor.base!, clientId: 'x' },
      { ...editor.base!, home: 'server' },
    ];
    for (const base of others) expect(() => editor.write(update, base)).toThrowError(expect.objectContaining({ code: 'NOT_FOUND' }));
    expect(() => engine.write({ type: 'collab', ...place, field: 'vec', base: editor.base!, update })).toThrowError(
      expect.objectContaining({ code: 'FIELD_INVALID' }),
    );
    expect(bodyOf(engine)).toBe('text');
  });

  it('costs the memory of its update, not of the text, whether views were taken between or not', async () => {
    const engine = await open(undefined, { sealBytes: 4_000_000 });
    put(engine, 'x'.repeat(100_000));
    const editor = new Editor(engine);
    for (let key = 0; key < 300; key++) {
      editor.type('y');
      if (key % 3 === 0) bodyOf(engine);
    }
    await engine.flush();
    await engine.compact();
    // 30 MB of texts would have been sealed.
    expect(engine.inspect().partitions[0]).toMatchObject({ growing: 1, segments: [] });
    expect(bodyOf(engine)).toHaveLength(100_300);
  });

  it('of embedded text makes it wait for its vector when nobody types any more', async () => {
    const engine = await open();
    put(engine, 'text');
    const ask = (isBeingWritten: (changedMs: number) => boolean) =>
      engine.waitingVectors({ collection: 'notes', field: 'vec', model: 'm', maxRows: 10, maxLookedAt: 100, isBeingWritten });
    expect(ask(() => true)).toMatchObject({ waiting: 1, resting: 0 });
    new Editor(engine).type(' more');
    expect(ask(() => true)).toMatchObject({ rows: [], waiting: 0, resting: 1 });
    expect(ask(() => false)).toMatchObject({ rows: [{ key: 'a', text: 'text more' }], waiting: 1, resting: 0 });
  });
});

describe('a hostile update', () => {
  it('with any bytes changed or missing does no harm: it has no effect, or one that Yjs allows, and later edits merge', () => {
    const source = new Doc();
    source.getText('text').insert(0, 'a passage that somebody wrote');
    source.getText('text').format(2, 7, { bold: true });
    source.getMap('m').set('deep', { list: [1, 'two', { three: 3 }] });
    const good = encodeStateAsUpdate(source);
    let refused = 0;
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), fc.nat({ max: good.length }), (at, byte, length) => {
        const documents = createCollabDocuments();
        const begun = documents.begin('collabText', 'begun');
        const hostile = good.slice(0, Math.max(1, length));
        hostile[Math.min(at, hostile.length - 1)] = byte;
        const merged = documents.merge('collabText', begun, hostile, false);
        if (merged === undefined) refused += 1;
        const other = new Doc();
        applyUpdate(other, documents.bytesOf(begun));
        other.getText('text').insert(0, 'still ');
        const after = documents.merge('collabText', merged?.state ?? begun, encodeStateAsUpdate(other), false);
        expect(after?.value).toContain('still ');
        expect(documents.bytesOf(after!.state).length).toBeLessThan(10_000);
      }),
      propertyOptions(500),
    );
    expect(refused).toBeGreaterThan(20);
  });
});
