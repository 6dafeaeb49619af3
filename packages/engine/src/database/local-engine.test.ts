import { defineSchema, f } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import { type MemoryPorts, memoryPorts } from '../testing/memory-ports.ts';
import { openEngine } from './open-engine.ts';
import type { Engine } from './types.ts';

const schema = defineSchema({
  notes: {
    key: f.primaryKey('varchar'),
    title: f.text(),
    rank: f.number().default(7),
    tag: f.keyword().nullable(),
    embedding: f.vector(4).nullable(),
  },
}).definition;

const open = (ports: MemoryPorts): Promise<Engine> => openEngine({ ports, schema });
const put = (engine: Engine, ...entities: unknown[]) => engine.write({ type: 'put', collection: 'notes', entities });
const get = (engine: Engine, ...keys: unknown[]) => engine.get({ collection: 'notes', keys }).entities;
const inspectOne = (engine: Engine) => engine.inspect().partitions[0]!;

describe('a database on one device', () => {
  it('shows a put at once, is durable after a flush, and gives it back when opened again', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    const ticket = put(engine, { key: 'a', title: 'one', embedding: [1, 2, 3, 4] });
    expect(ticket.keys).toEqual(['a']);
    expect(get(engine, 'a')).toEqual([{ key: 'a', title: 'one', rank: 7, tag: null }]);
    await engine.flush();
    await expect(ticket.durable).resolves.toMatchObject({ token: expect.any(String) });
    const before = inspectOne(engine);
    await engine.close();

    const again = await open(ports);
    expect(get(again, 'a', 'b')).toEqual([{ key: 'a', title: 'one', rank: 7, tag: null }, undefined]);
    expect(inspectOne(again)).toEqual(before);
    expect(before.entities).toBe(1);
    expect(again.clientId).toBe(engine.clientId);
    await again.close();
  });

  it('patches, replaces and deletes', async () => {
    const engine = await open(await memoryPorts());
    put(engine, { key: 'a', title: 'one', tag: 'x' }, { key: 'b', title: 'two' });
    engine.write({ type: 'patch', collection: 'notes', key: 'a', fields: { title: 'uno' } });
    expect(get(engine, 'a')).toEqual([{ key: 'a', title: 'uno', rank: 7, tag: 'x' }]);
    put(engine, { key: 'a', title: 'three' });
    expect(get(engine, 'a')).toEqual([{ key: 'a', title: 'three', rank: 7, tag: null }]);
    engine.write({ type: 'delete', collection: 'notes', key: 'a' });
    expect(get(engine, 'a', 'b')).toEqual([undefined, { key: 'b', title: 'two', rank: 7, tag: null }]);
    const gone = engine.write({ type: 'deleteBy', collection: 'notes', where: { rank: { gte: 7 } } });
    expect(gone.keys).toEqual(['b']);
    expect(engine.count({ collection: 'notes' }).count).toBe(0);
    await engine.close();
  });
});

describe('sealing', () => {
  it('keeps rows, hash and answers through a seal, deletes after it, and a reopen', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    put(engine, ...Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, title: `t${i}`, embedding: [i, 1, 0, 0] })));
    engine.write({ type: 'delete', collection: 'notes', key: 'k7' });
    engine.write({ type: 'patch', collection: 'notes', key: 'k8', fields: { title: 'patched' } });
    const before = inspectOne(engine);
    await engine.seal();
    const after = inspectOne(engine);
    expect(after).toMatchObject({ entities: 99, growing: 0, hash: before.hash, position: before.position });
    expect(after.segments).toMatchObject([{ rows: 99, deleted: 0 }]);
    expect(await ports.log.bounds('0')).toMatchObject({ first: 2, last: 1 });
    engine.write({ type: 'delete', collection: 'notes', key: 'k9' });
    engine.write({ type: 'patch', collection: 'notes', key: 'k10', fields: { rank: 1 } });
    const changed = inspectOne(engine);
    expect(changed.segments).toMatchObject([{ rows: 99, deleted: 2 }]);
    await engine.close();

    const again = await open(ports);
    expect(inspectOne(again)).toEqual(changed);
    expect(get(again, 'k7', 'k8', 'k9', 'k10').map((entity) => entity?.['title'])).toEqual([undefined, 'patched', undefined, 't10']);
    const hits = again.search({ collection: 'notes', vector: [10, 1, 0, 0], limit: 1 }).hits;
    expect(hits.map((hit) => hit.key)).toEqual(['k10']);
    await again.seal();
    expect(inspectOne(again)).toMatchObject({ entities: 98, growing: 0, hash: changed.hash, segments: [{ rows: 98, deleted: 0 }] });
    expect(get(again, 'k10')).toMatchObject([{ title: 't10', rank: 1 }]);
    expect(ports.kernel.usedBytes).toBeGreaterThan(0);
    await again.close();
    expect(ports.kernel.usedBytes).toBe(0);
    expect((await ports.objects.list('')).length).toBe(2);
  });
});
