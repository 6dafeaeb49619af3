import { DbError, defineSchema, f, type SchemaDefinition } from '@terndb/core';
import { createKernel, loadModule } from '@terndb/kernel';
import { describe, expect, it } from 'vitest';
import { foldCollection } from '../leader/leader.ts';
import { type MemoryPorts, memoryPorts } from '../testing/memory-ports.ts';
import { TEST_EPOCH, testChannel } from '../testing/test-channel.ts';
import { openEngine } from './open-engine.ts';
import { decodeToken } from './token.ts';
import type { Change, Engine, EngineLimits } from './types.ts';

const shape = {
  key: f.primaryKey('varchar'),
  title: f.text(),
  rank: f.number().default(7),
  tag: f.keyword().nullable(),
  embedding: f.vector(4).nullable(),
};
const schema = defineSchema({ notes: shape }).definition;

const open = (ports: MemoryPorts, options: { schema?: SchemaDefinition; limits?: Partial<EngineLimits> } = {}): Promise<Engine> =>
  openEngine({ ports, schema, ...options });
const put = (engine: Engine, ...entities: unknown[]) => engine.write({ type: 'put', collection: 'notes', entities });
const putIn = (engine: Engine, partition: string, ...entities: unknown[]) =>
  engine.write({ type: 'put', collection: 'notes', partition, entities });
const patch = (engine: Engine, key: string, fields: unknown, partition?: string) =>
  engine.write({ type: 'patch', collection: 'notes', key, fields, partition });
const remove = (engine: Engine, key: string, partition?: string) => engine.write({ type: 'delete', collection: 'notes', key, partition });
const get = (engine: Engine, ...keys: unknown[]) => engine.get({ collection: 'notes', keys }).entities;
const count = (engine: Engine, ...partitions: string[]) =>
  engine.count({ collection: 'notes', ...(partitions.length > 0 ? { partitions } : {}) }).count;
const inspectOne = (engine: Engine) => engine.inspect().partitions[0]!;
const fails = (code: string, details: object = {}) => expect.objectContaining({ code, details: expect.objectContaining(details) });

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
    patch(engine, 'a', { title: 'uno' });
    expect(get(engine, 'a')).toEqual([{ key: 'a', title: 'uno', rank: 7, tag: 'x' }]);
    put(engine, { key: 'a', title: 'three' });
    expect(get(engine, 'a')).toEqual([{ key: 'a', title: 'three', rank: 7, tag: null }]);
    remove(engine, 'a');
    expect(get(engine, 'a', 'b')).toEqual([undefined, { key: 'b', title: 'two', rank: 7, tag: null }]);
    const gone = engine.write({ type: 'deleteBy', collection: 'notes', where: { rank: { gte: 7 } } });
    expect(gone.keys).toEqual(['b']);
    expect(count(engine)).toBe(0);
    await engine.close();
  });

  it('takes a batch as a whole or not at all', async () => {
    const engine = await open(await memoryPorts());
    expect(() => put(engine, { key: 'a', title: 'one' }, { key: 'b', title: 5 })).toThrow(
      fails('FIELD_INVALID', { index: 1, field: 'title' }),
    );
    expect(() => put(engine, { key: 'a', title: 'one' }, { key: 'b', title: 'x', embedding: [1] })).toThrow(
      fails('DIMENSION_MISMATCH', { index: 1 }),
    );
    expect(count(engine)).toBe(0);
    expect(inspectOne(engine).position).toBe(0);
    expect(put(engine).keys).toEqual([]);
    await engine.close();
  });

  it('writes nothing for a patch or delete of an absent key', async () => {
    const engine = await open(await memoryPorts());
    const changes: Change[] = [];
    engine.onChange((changed) => changes.push(...changed));
    const tickets = [patch(engine, 'x', { title: 'y' }), remove(engine, 'x'), remove(engine, 'x', '_default')];
    for (const ticket of tickets) {
      expect(ticket.keys).toEqual(['x']);
      await expect(ticket.durable).resolves.toBeDefined();
    }
    expect(inspectOne(engine).position).toBe(0);
    expect(changes).toEqual([]);
    await engine.close();
  });

  it('tells listeners which keys changed, after they became visible', async () => {
    const engine = await open(await memoryPorts());
    const seen: unknown[] = [];
    const stop = engine.onChange((changes) => seen.push([changes, count(engine)]));
    put(engine, { key: 'a', title: 'one' }, { key: 'b', title: 'two' });
    stop();
    remove(engine, 'a');
    expect(seen).toEqual([[[{ collection: 'notes', partition: '_default', keys: ['a', 'b'] }], 2]]);
    await engine.close();
  });

  it('keeps its order of writes when the wall clock goes back', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    put(engine, { key: 'a', title: 'first' });
    await engine.close();
    ports.clock.jumpTo(ports.clock.nowMs() - 3_600_000);
    const again = await open(ports);
    put(again, { key: 'a', title: 'second' });
    expect(get(again, 'a')).toMatchObject([{ title: 'second' }]);
    remove(again, 'a');
    expect(count(again)).toBe(0);
    await again.close();
  });

  it('answers with typed errors after it was closed, and for options that make no sense', async () => {
    const ports = await memoryPorts();
    await expect(open(ports, { limits: { groupCommitMs: 50 } })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    const engine = await open(ports);
    expect(() => engine.count({ collection: 'nope' })).toThrow(fails('COLLECTION_UNKNOWN'));
    expect(() => engine.views('notes', ['nope'])).toThrow(fails('PARTITION_UNKNOWN'));
    expect(() => putIn(engine, 'no/slash', { key: 'a', title: 'x' })).toThrow(fails('OPTION_INVALID'));
    expect(() => engine.write({ type: 'deleteBy', collection: 'notes' })).toThrow(fails('OPTION_INVALID'));
    // Nothing deletes everything by accident: an empty object, or a condition that every entity meets.
    expect(() => engine.write({ type: 'deleteBy', collection: 'notes', where: {} })).toThrow(fails('FILTER_INVALID'));
    expect(() => engine.write({ type: 'deleteBy', collection: 'notes', filter: '' })).toThrow(fails('FILTER_INVALID'));
    expect(() => engine.write({ type: 'deleteBy', collection: 'notes', filter: '1 == 1' })).toThrow(fails('FILTER_INVALID'));
    await engine.close();
    await engine.close();
    expect(() => put(engine, { key: 'a', title: 'x' })).toThrow(fails('DATABASE_CLOSED'));
    expect(() => get(engine, 'a')).toThrow(fails('DATABASE_CLOSED'));
    await expect(engine.flush()).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
  });

  it('refuses what does not fit in memory as a whole, and goes on', async () => {
    const ports = { ...(await memoryPorts()), kernel: createKernel(await loadModule(), { maxBytes: 2 ** 21 }) };
    const two = defineSchema({ notes: { key: f.primaryKey('varchar'), v: f.vector(4096), w: f.vector(4096).nullable() } }).definition;
    const engine = await open(ports, { schema: two });
    const row = (key: string) => ({ key, v: new Float32Array(4096).fill(1), w: new Float32Array(4096).fill(2) });
    put(engine, row('kept'));
    const before = inspectOne(engine);
    const many = Array.from({ length: 100 }, (_, i) => row(`k${i}`));
    expect(() => put(engine, ...many)).toThrow(fails('MEMORY_LIMIT'));
    expect(inspectOne(engine)).toEqual(before);
    put(engine, row('later'), { ...row('without'), w: null });
    await engine.flush();
    expect(count(engine)).toBe(3);
    const one = new Float32Array(4096).fill(2);
    expect(engine.search({ collection: 'notes', vector: one, field: 'w' }).hits.map((hit) => hit.key)).toEqual(['kept', 'later']);
    await engine.close();
    expect(ports.kernel.usedBytes).toBe(0);
  });
});

describe('partitions', () => {
  it('are made by the first put, keep their own keys, and are there after a reopen', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    put(engine, { key: 'a', title: 'here' });
    putIn(engine, 'user:42', { key: 'a', title: 'there' });
    expect(count(engine)).toBe(2);
    expect(count(engine, 'user:42')).toBe(1);
    await engine.close();
    const again = await open(ports);
    expect(again.get({ collection: 'notes', partitions: ['user:42'], keys: ['a'] }).entities).toMatchObject([{ title: 'there' }]);
    expect(again.get({ collection: 'notes', partitions: ['_default'], keys: ['a'] }).entities).toMatchObject([{ title: 'here' }]);
    await again.close();
  });

  it('are found by the key; a key that several hold needs a name', async () => {
    const engine = await open(await memoryPorts());
    put(engine, { key: 'a', title: 'here' });
    putIn(engine, 'p', { key: 'a', title: 'there' }, { key: 'b', title: 'only there' });
    patch(engine, 'b', { title: 'patched' });
    expect(get(engine, 'b')).toMatchObject([{ title: 'patched' }]);
    expect(() => patch(engine, 'a', { title: 'which?' })).toThrow(fails('PARTITION_REQUIRED', { partitions: ['_default', 'p'] }));
    expect(() => remove(engine, 'a')).toThrow(fails('PARTITION_REQUIRED'));
    expect(() => remove(engine, 'a', 'q')).toThrow(fails('PARTITION_UNKNOWN'));
    remove(engine, 'a', 'p');
    patch(engine, 'a', { title: 'now here' });
    expect(get(engine, 'a')).toMatchObject([{ title: 'now here' }]);
    await engine.close();
  });
});

describe('tokens', () => {
  it('say what a write has reached and a read has seen; a read behind one says so', async () => {
    const ports = await memoryPorts();
    const [engine, other] = [await open(ports), await open(await memoryPorts(2))];
    const ticket = put(engine, { key: 'a', title: 'x' });
    await engine.flush();
    const { token } = await ticket.durable;
    expect(decodeToken(token).map(({ positions }) => [...positions.values()])).toEqual([[1]]);
    expect(engine.count({ collection: 'notes', consistency: { atLeast: token } })).toMatchObject({ degraded: null, token });
    expect(other.count({ collection: 'notes', consistency: { atLeast: token } }).degraded).toBe('behind-token');
    expect(() => engine.count({ collection: 'notes', consistency: { atLeast: `${token}AAAA` } })).toThrow(fails('TOKEN_INVALID'));
    expect(() => decodeToken('!')).toThrow(fails('TOKEN_INVALID'));
    await Promise.all([engine.close(), other.close()]);
  });
});

describe('the schema', () => {
  it('may gain nullable fields and fields with a default; old rows read as them, sealed or not', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    put(engine, { key: 'sealed', title: 'x' });
    await engine.seal();
    put(engine, { key: 'growing', title: 'y' });
    await engine.close();
    const more = defineSchema(
      { notes: { ...shape, extra: f.number().nullable(), level: f.number().default(3) } },
      { version: 2 },
    ).definition;
    const again = await open(ports, { schema: more });
    expect(get(again, 'sealed', 'growing')).toMatchObject([
      { extra: null, level: 3 },
      { extra: null, level: 3 },
    ]);
    patch(again, 'sealed', { level: 4 });
    expect(again.query({ collection: 'notes', where: { level: { eq: 4 } } }).keys).toEqual(['sealed']);
    await again.seal();
    expect(get(again, 'sealed')).toMatchObject([{ title: 'x', level: 4 }]);
    await again.close();
    await expect(open(ports)).rejects.toMatchObject({
      code: 'SCHEMA_CONFLICT',
      details: expect.objectContaining({ collection: 'notes', field: 'extra' }),
    });
  });

  it('that does not fit is refused, and nothing is changed', async () => {
    const ports = await memoryPorts();
    await (await open(ports)).close();
    const other = defineSchema({ notes: { ...shape, title: f.number() } }, { version: 2 }).definition;
    await expect(open(ports, { schema: other })).rejects.toMatchObject({
      code: 'SCHEMA_CONFLICT',
      details: expect.objectContaining({ collection: 'notes', field: 'title', expected: expect.any(String), got: expect.any(String) }),
    });
    const engine = await open(ports);
    put(engine, { key: 'a', title: 'still text' });
    await engine.close();
  });

  it('without a collection leaves its rows where they are, sealed or in the log', async () => {
    const ports = await memoryPorts();
    const both = defineSchema({ notes: shape, others: { key: f.primaryKey('varchar') } }).definition;
    const engine = await open(ports, { schema: both });
    engine.write({ type: 'put', collection: 'others', entities: [{ key: 'sealed' }] });
    await engine.seal();
    engine.write({ type: 'put', collection: 'others', entities: [{ key: 'growing' }] });
    await engine.close();
    const one = await open(ports);
    expect(() => one.count({ collection: 'others' })).toThrow(fails('COLLECTION_UNKNOWN'));
    put(one, { key: 'a', title: 'x' });
    await one.seal();
    await one.close();
    const again = await open(ports, { schema: both });
    expect(again.query({ collection: 'others' }).keys).toEqual(['growing', 'sealed']);
    expect(count(again)).toBe(1);
    await again.close();
  });
});

describe('sealing', () => {
  it('keeps rows, hash and answers through a seal, deletes after it, and a reopen', async () => {
    const ports = await memoryPorts();
    const usedBytes = ports.kernel.usedBytes;
    const engine = await open(ports);
    put(engine, ...Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, title: `t${i}`, embedding: [i, 1, 0, 0] })));
    remove(engine, 'k7');
    patch(engine, 'k8', { title: 'patched' });
    const before = inspectOne(engine);
    await engine.seal();
    const after = inspectOne(engine);
    expect(after).toMatchObject({ entities: 99, growing: 0, hash: before.hash, position: before.position });
    expect(after.segments).toMatchObject([{ rows: 99, deleted: 0 }]);
    expect(await ports.log.bounds('0')).toMatchObject({ first: 2, last: 1 });
    remove(engine, 'k9');
    patch(engine, 'k10', { rank: 1 });
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
    expect(ports.kernel.usedBytes).toBeGreaterThan(usedBytes);
    await again.close();
    expect(ports.kernel.usedBytes).toBe(usedBytes);
    expect((await ports.objects.list('')).length).toBe(2);
  });

  it('happens by itself by rows, by bytes and by age', async () => {
    const sealed = (engine: Engine) => inspectOne(engine).segments.reduce((rows, segment) => rows + segment.rows, 0);
    const byRows = await open(await memoryPorts(), { limits: { sealRows: 10 } });
    put(byRows, ...Array.from({ length: 9 }, (_, i) => ({ key: `a${i}`, title: 'x' })));
    await byRows.flush();
    expect(sealed(byRows)).toBe(0);
    put(byRows, { key: 'a9', title: 'x' });
    await byRows.flush();
    await expect.poll(() => sealed(byRows)).toBe(10);
    await byRows.close();

    const byBytes = await open(await memoryPorts(), { limits: { sealBytes: 100_000 } });
    put(byBytes, { key: 'a', title: 'x'.repeat(100_000) });
    await byBytes.flush();
    await expect.poll(() => sealed(byBytes)).toBe(1);
    await byBytes.close();

    const ports = await memoryPorts();
    const byAge = await open(ports, { limits: { sealAgeMs: 60_000 } });
    put(byAge, { key: 'a', title: 'x' });
    await byAge.flush();
    ports.clock.advance(50_000);
    await byAge.flush();
    expect(sealed(byAge)).toBe(0);
    ports.clock.advance(30_000);
    await expect.poll(() => sealed(byAge)).toBe(1);
    await byAge.close();
    expect(ports.clock.pendingTimers).toBe(0);
  });

  it('numbers the writes of a reopened database on, though their records are truncated', async () => {
    const ports = await memoryPorts();
    const engine = await open(ports);
    put(engine, { key: 'a', title: 'x' });
    put(engine, { key: 'b', title: 'x' });
    await engine.seal();
    await engine.close();
    const again = await open(ports);
    put(again, { key: 'c', title: 'x' });
    await again.close();
    const [entry] = await ports.log.read('0', 1, { maxBytes: 1000 });
    const { decodeFrame } = await import('@terndb/core');
    expect(decodeFrame(entry!.bytes)).toMatchObject({ base: 3, records: [{ seq: 3, clientId: again.clientId }] });
  });

  it('drops the deletes it remembers when there are too many, as a record of the log (R7)', async () => {
    const { replica } = await testChannel();
    const { createHlc } = await import('@terndb/core');
    const { clock } = await memoryPorts();
    const leader = { logEpoch: TEST_EPOCH, clientId: 'me', hlc: createHlc({ clock }) };
    for (const key of ['a', 'b', 'c']) replica.entities.delete(key, { hlc: leader.hlc.next(), clientId: 'me' });
    expect(foldCollection(leader, replica, 3)).toEqual([]);
    const [gc] = foldCollection(leader, replica, 2);
    expect(gc?.frame.records).toMatchObject([{ type: 'gc' }]);
    expect(replica.entities.tombstones.size).toBe(0);
    expect(replica.hash).toEqual({ lo: 0, hi: 0 });
    expect(replica.position).toBe(1);
    replica.retire();
  });
});

describe('errors of the kernel', () => {
  it('reach the caller as DbErrors', async () => {
    const engine = await open(await memoryPorts());
    put(engine, { key: 'a', title: 'x', embedding: [1, 2, 3, 4] });
    expect(() => engine.search({ collection: 'notes', vector: [1, 2] })).toThrow(DbError);
    await engine.close();
  });
});
