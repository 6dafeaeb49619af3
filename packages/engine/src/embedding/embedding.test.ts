import { DbError, defineSchema, f } from '@terndb/core';
import { afterEach, describe, expect, it } from 'vitest';
import { openEngine } from '../database/open-engine.ts';
import type { Engine, SearchRequest } from '../database/types.ts';
import { type MemoryPorts, memoryPorts } from '../testing/memory-ports.ts';
import { meaningFieldsOf } from './meaning-fields.ts';
import { sourceHashOf, sourceTextOf } from './source-text.ts';
import type { WaitingRequest } from './types.ts';

const { definition: schema } = defineSchema({
  notes: {
    id: f.primaryKey('varchar'),
    title: f.text({ search: true }),
    body: f.text().nullable(),
    vec: f.vector({ embed: ['title', 'body'] }),
  },
});
const engines: Engine[] = [];
const open = async (ports?: MemoryPorts): Promise<Engine> => {
  const engine = await openEngine({ ports: ports ?? (await memoryPorts()), schema });
  engines.push(engine);
  return engine;
};
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

const put = (engine: Engine, ...entities: object[]) => engine.write({ type: 'put', collection: 'notes', entities });
const patch = (engine: Engine, key: string, fields: object) => engine.write({ type: 'patch', collection: 'notes', key, fields });
const waiting = (engine: Engine, options: Partial<WaitingRequest> = {}) =>
  engine.waitingVectors({ collection: 'notes', field: 'vec', model: 'm1', maxRows: 100, maxLookedAt: 1000, ...options });
const keysOf = (engine: Engine, options: Partial<WaitingRequest> = {}) => waiting(engine, options).rows.map(({ key }) => key);
/** Embeds whatever waits; a text's vector is `[its length, 1]`. */
const embed = (engine: Engine, model = 'm1', vectorOf = (text: string): Float32Array => Float32Array.of(text.length, 1)) =>
  engine.write({
    type: 'vectors',
    collection: 'notes',
    partition: '_default',
    field: 'vec',
    model,
    vectors: waiting(engine, { model }).rows.map(({ key, text, sourceHash }) => ({
      key,
      sourceHash,
      vector: text === '' ? null : vectorOf(text),
    })),
  });
const vectorOf = (engine: Engine, key: string) => engine.get({ collection: 'notes', keys: [key], select: ['vec'] }).entities[0]?.['vec'];
const search = (engine: Engine, request: Partial<SearchRequest>) =>
  engine.search({ collection: 'notes', ...request }).hits.map(({ key }) => key);

describe('the source text', () => {
  it('is the named fields in their order, empty ones left out, and its hash has 16 bytes that differ with any edit', () => {
    const field = schema.collections['notes']!.fields.find(({ name }) => name === 'vec') as never;
    const text = (values: Record<string, string | null>) => sourceTextOf(field, (name) => values[name] ?? null);
    expect(text({ title: 'a', body: 'b' })).toBe('a\n\nb');
    expect(text({ title: '  ', body: 'b' })).toBe('b');
    expect(text({ title: '', body: null })).toBe('');
    expect(sourceHashOf('a')).toHaveLength(16);
    expect(sourceHashOf('a')).not.toEqual(sourceHashOf('b'));
    expect(sourceHashOf('')).toEqual(sourceHashOf(''));
  });
});

describe('rows that wait for a vector', () => {
  it('are those without one that have a text, growing or sealed, in this session or the next', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    put(engine, { id: 'a', title: 'one' }, { id: 'b', title: '' }, { id: 'c', title: 'given', vec: [1, 2] });
    expect(waiting(engine).rows).toEqual([{ partition: '_default', key: 'a', text: 'one', sourceHash: sourceHashOf('one') }]);
    await engine.seal();
    put(engine, { id: 'd', title: 'two' });
    expect(keysOf(engine)).toEqual(['a', 'd']);
    await engine.flush();
    await engine.close();
    const again = await open(ports);
    expect(keysOf(again)).toEqual(['a', 'd']);
    embed(again);
    expect(waiting(again)).toMatchObject({ rows: [], waiting: 0, isComplete: true });
    await again.seal();
    expect(waiting(again).waiting).toBe(0);
    expect(vectorOf(again, 'd')).toEqual(Float32Array.of(3, 1));
  });

  it('are found in slices, and counted', async () => {
    const engine = await open();
    put(engine, ...Array.from({ length: 10 }, (_, i) => ({ id: `n${i}`, title: `text ${i}` })));
    expect(waiting(engine, { maxLookedAt: 4, maxRows: 2 })).toMatchObject({ waiting: 4, isComplete: false, rows: { length: 2 } });
    expect(waiting(engine, { maxLookedAt: 4, maxRows: 2 })).toMatchObject({ waiting: 8, isComplete: false });
    expect(waiting(engine, { maxLookedAt: 4, maxRows: 2 })).toMatchObject({ waiting: 10, isComplete: true });
  });

  it('are stale ones too: after an edit of the text, which keeps the old vector serving until the new one arrives', async () => {
    const engine = await open();
    put(engine, { id: 'a', title: 'one' });
    embed(engine);
    patch(engine, 'a', { body: 'more' });
    expect(waiting(engine).rows.map(({ text }) => text)).toEqual(['one\n\nmore']);
    expect(vectorOf(engine, 'a')).toEqual(Float32Array.of(3, 1));
    embed(engine);
    expect(vectorOf(engine, 'a')).toEqual(Float32Array.of(9, 1));
    patch(engine, 'a', { body: null });
    patch(engine, 'a', { body: 'more' });
    expect(keysOf(engine)).toEqual([]);
  });

  it('are stale ones after a put that leaves the vector out: it serves on; with the same text it is not stale', async () => {
    const engine = await open();
    put(engine, { id: 'a', title: 'one' });
    embed(engine);
    put(engine, { id: 'a', title: 'one' });
    expect(keysOf(engine)).toEqual([]);
    put(engine, { id: 'a', title: 'another' });
    expect(keysOf(engine)).toEqual(['a']);
    expect(vectorOf(engine, 'a')).toEqual(Float32Array.of(3, 1));
  });

  it('are not those whose vector the application gave, until their text changes after it', async () => {
    const engine = await open();
    put(engine, { id: 'a', title: 'one', vec: [1, 2] });
    expect(keysOf(engine)).toEqual([]);
    patch(engine, 'a', { title: 'two' });
    expect(keysOf(engine)).toEqual(['a']);
    patch(engine, 'a', { vec: [3, 4] });
    expect(keysOf(engine)).toEqual([]);
  });

  it('lose a derived vector when their text becomes empty', async () => {
    const engine = await open();
    put(engine, { id: 'a', title: 'one' });
    embed(engine);
    patch(engine, 'a', { title: '' });
    expect(waiting(engine).rows).toEqual([expect.objectContaining({ key: 'a', text: '' })]);
    embed(engine);
    expect(vectorOf(engine, 'a')).toBeNull();
    expect(keysOf(engine)).toEqual([]);
  });

  it('are told by who wrote their text, so that another device’s rows can be left to it', async () => {
    const engine = await open();
    put(engine, { id: 'a', title: 'one' });
    expect(keysOf(engine, { mayEmbed: (_, author) => author === engine.clientId })).toEqual(['a']);
    expect(waiting(engine, { mayEmbed: () => false })).toMatchObject({ rows: [], waiting: 0 });
  });

  it('are not those whose vector the asker holds already', async () => {
    const engine = await open();
    put(engine, { id: 'a', title: 'one' }, { id: 'b', title: 'two' });
    const isEmbedded = (partition: string, key: unknown) => partition === '_default' && key === 'a';
    expect(waiting(engine, { isEmbedded })).toMatchObject({ rows: [{ key: 'b' }], waiting: 1 });
    expect(keysOf(engine)).toEqual(['a', 'b']);
  });

  it('wait again when another model is wanted', async () => {
    const engine = await open();
    put(engine, { id: 'a', title: 'one' });
    embed(engine);
    await engine.seal();
    expect(keysOf(engine, { model: 'm2' })).toEqual(['a']);
    expect(engine.vectorModels('notes', 'vec')).toEqual(['m1']);
  });
});

describe('a derived vector', () => {
  it('has no effect when the row changed or vanished meanwhile', async () => {
    const engine = await open();
    put(engine, { id: 'a', title: 'one' }, { id: 'b', title: 'two' }, { id: 'c', title: 'three' });
    const { rows } = waiting(engine);
    patch(engine, 'a', { title: 'edited' });
    engine.write({ type: 'delete', collection: 'notes', key: 'b' });
    const vectors = rows.map(({ key, sourceHash }) => ({ key, sourceHash, vector: Float32Array.of(1, 1) }));
    const ticket = engine.write({ type: 'vectors', collection: 'notes', partition: '_default', field: 'vec', model: 'm1', vectors });
    expect(ticket.keys).toEqual(['c']);
    expect([vectorOf(engine, 'a'), vectorOf(engine, 'b'), vectorOf(engine, 'c')]).toEqual([null, undefined, Float32Array.of(1, 1)]);
  });

  it('survives a reopened log with what it was made from', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    put(engine, { id: 'a', title: 'one' });
    embed(engine);
    await engine.close();
    const again = await open(ports);
    expect(again.vectorModels('notes', 'vec')).toEqual(['m1']);
    expect(keysOf(again)).toEqual([]);
  });

  it('of another dimension than the partition holds is refused, until the old ones are cleared', async () => {
    const engine = await open();
    put(engine, { id: 'a', title: 'one' }, { id: 'b', title: 'two' });
    embed(engine);
    await engine.seal();
    patch(engine, 'b', { title: 'three' });
    const three = () => embed(engine, 'm2', (text) => Float32Array.of(text.length, 1, 2));
    expect(three).toThrow(expect.objectContaining({ code: 'DIMENSION_MISMATCH' }));
    await engine.clearOtherDims('notes', 'vec', 3);
    expect([vectorOf(engine, 'a'), vectorOf(engine, 'b')]).toEqual([null, null]);
    expect(three().keys).toEqual(['a', 'b']);
    expect(vectorOf(engine, 'a')).toEqual(Float32Array.of(3, 1, 2));
  });
});

describe('vectors of another dimension', () => {
  it('that the application gave are not taken away', async () => {
    const engine = await open();
    put(engine, { id: 'a', title: 'one', vec: [1, 2] }, { id: 'b', title: 'two' });
    embed(engine);
    await expect(engine.clearOtherDims('notes', 'vec', 3)).rejects.toMatchObject({
      code: 'DIMENSION_MISMATCH',
      details: { expected: 2, got: 3 },
    });
    expect([vectorOf(engine, 'a'), vectorOf(engine, 'b')]).toEqual([Float32Array.of(1, 2), Float32Array.of(3, 1)]);
  });
});

describe('a search by meaning', () => {
  const texts = [
    { id: 'cat', title: 'kitten' },
    { id: 'dog', title: 'puppy' },
    { id: 'car', title: 'engine oil' },
  ];
  const space = (text: string): Float32Array =>
    ({ kitten: Float32Array.of(1, 0), puppy: Float32Array.of(0.8, 0.6), 'engine oil': Float32Array.of(0, 1) })[text]!;
  const young = { field: 'vec', model: 'm1', vector: Float32Array.of(1, 0), withGiven: true };

  it('ranks by the vectors of the text that it is given', async () => {
    const engine = await open();
    put(engine, ...texts);
    embed(engine, 'm1', space);
    expect(search(engine, { text: 'young', mode: 'semantic', embedded: [young] })).toEqual(['cat', 'dog', 'car']);
    const hybrid = engine.search({ collection: 'notes', text: 'oil', embedded: [young] });
    expect(hybrid.degraded).toBeNull();
    // In both lists, and first in one of them.
    expect(hybrid.hits[0]!.key).toBe('car');
  });

  it('without them is by keywords and says so, or refused', async () => {
    const engine = await open();
    put(engine, ...texts);
    expect(engine.search({ collection: 'notes', text: 'kitten' })).toMatchObject({ degraded: 'embedder-loading', hits: [{ key: 'cat' }] });
    expect(() => search(engine, { text: 'kitten', mode: 'semantic' })).toThrow(DbError);
  });

  it('never ranks vectors of two models in one list: each is compared with its own model’s query', async () => {
    const engine = await open();
    put(engine, ...texts);
    embed(engine, 'm1', space);
    // The second model turns the space by a quarter: its kitten is where the first one's oil is.
    const [first] = waiting(engine, { model: 'm2', maxRows: 1 }).rows;
    engine.write({
      type: 'vectors',
      collection: 'notes',
      partition: '_default',
      field: 'vec',
      model: 'm2',
      vectors: [{ key: first!.key, sourceHash: first!.sourceHash, vector: Float32Array.of(0, 1) }],
    });
    expect(first!.key).toBe('cat');
    expect(engine.vectorModels('notes', 'vec')).toEqual(['m1', 'm2']);
    const old = { ...young, withGiven: false };
    const now = { field: 'vec', model: 'm2', vector: Float32Array.of(0, 1), withGiven: true };
    expect(
      search(engine, { text: 'young', mode: 'semantic', embedded: [now, old] })
        .slice(0, 2)
        .sort(),
    ).toEqual(['cat', 'dog']);
    expect(search(engine, { text: 'young', mode: 'semantic', embedded: [old] })).toEqual(['dog', 'car']);
    expect(search(engine, { text: 'young', mode: 'semantic', embedded: [now] })).toEqual(['cat']);
  });

  it('of a text without a direction finds nothing by meaning', async () => {
    const engine = await open();
    put(engine, ...texts);
    embed(engine, 'm1', space);
    const nothing = [{ ...young, vector: Float32Array.of(0, 0) }];
    expect(search(engine, { text: 'xyzzy', mode: 'semantic', embedded: nothing })).toEqual([]);
    expect(search(engine, { text: 'kitten', embedded: nothing })).toEqual(['cat']);
  });

  it('refuses vectors that are none: they may come over the network', async () => {
    const engine = await open();
    put(engine, ...texts);
    for (const embedded of [
      {},
      [null],
      [{ ...young, field: 7 }],
      [{ ...young, vector: [1, 0] }],
      [{ ...young, vector: Float32Array.of(Number.NaN) }],
    ]) {
      expect(() => search(engine, { text: 'young', embedded: embedded as never })).toThrow(
        expect.objectContaining({ code: 'QUERY_INVALID' }),
      );
    }
    expect(() => search(engine, { text: 'young', embedded: [{ ...young, field: 'title' }] })).toThrow(
      expect.objectContaining({ code: 'FIELD_INVALID' }),
    );
  });

  it('is asked for by a text, unless keywords are meant', () => {
    const of = (request: Partial<SearchRequest>) => meaningFieldsOf(schema.collections['notes']!, { collection: 'notes', ...request });
    expect(of({ text: 'a' })).toEqual(['vec']);
    expect(of({ text: 'a', field: 'vec' })).toEqual(['vec']);
    expect(of({ text: 'a', mode: 'keyword' })).toEqual([]);
    expect(of({ text: 'a', field: 'title' })).toEqual([]);
    expect(of({ text: 'a', vector: [1, 2] })).toEqual([]);
    expect(of({ vector: [1, 2] })).toEqual([]);
  });
});
