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
