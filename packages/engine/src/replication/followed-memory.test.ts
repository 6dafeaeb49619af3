import { defineSchema, type Frame, f, type LogRecord, type Op, type Timestamp, ZERO_HASH } from '@terndb/core';
import { createKernel, loadModule } from '@terndb/kernel';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../database/open-engine.ts';
import { memoryPorts } from '../testing/memory-ports.ts';
import type { OutboxPort, ReplicaChange } from './types.ts';

const DIM = 4096;
const schema = defineSchema({ notes: { key: f.primaryKey('varchar'), v: f.vector(DIM) } }).definition;
const place = { channel: 'c/p/0', collection: 'notes', partition: 'team', logEpoch: 'universe', overlay: [] };
const all = { collection: 'notes', partitions: ['team'] };
const memoryLimit = expect.objectContaining({ code: 'MEMORY_LIMIT' });

function put(pk: string): Op {
  return { type: 'put', pk, fields: { v: new Float32Array(DIM).fill(1) }, create: true };
}

function frame(base: number, count: number): ReplicaChange {
  const records = Array.from({ length: count }, (_, index): LogRecord => {
    const at = base + index;
    return { type: 'op', op: put(`k${at}`), hlc: at as Timestamp, clientId: 'other', seq: at, author: '', schemaVersion: 1 };
  });
  const made: Frame = { logEpoch: 'universe', leaderEpoch: 1, channel: place.channel, base, hashBefore: ZERO_HASH, records };
  return { type: 'frame', channel: place.channel, frame: made };
}

describe('a followed channel without room in kernel memory', () => {
  it('refuses a batch or a write as a whole, shows what it showed, and goes on', async () => {
    const ports = { ...(await memoryPorts()), kernel: createKernel(await loadModule(), { maxBytes: 2 ** 21 }) };
    let id = 0;
    const outbox: OutboxPort = {
      add: (_channel, op) => {
        id += 1;
        return { entry: { id, op, hlc: id as Timestamp, clientId: 'me' }, durable: Promise.resolve() };
      },
    };
    const engine = await openEngine({ ports, schema, outbox });
    await engine.replication.open([place]);
    engine.replication.apply([frame(1, 2)]);
    const entity = (key: string): object => ({ key, v: new Float32Array(DIM).fill(2) });
    engine.write({ type: 'put', collection: 'notes', partition: 'team', entities: [entity('mine')] });
    const before = engine.inspect().partitions;

    expect(() => engine.replication.apply([frame(3, 2), frame(5, 200)])).toThrow(memoryLimit);
    expect(engine.inspect().partitions).toEqual(before);
    const entries = Array.from({ length: 200 }, (_, index): ReplicaChange => {
      const entry = { id: 1_000 + index, op: put(`e${index}`), hlc: 5 as Timestamp, clientId: 'me' };
      return { type: 'entry', channel: place.channel, entry };
    });
    expect(() => engine.replication.apply(entries)).toThrow(memoryLimit);
    const many = Array.from({ length: 200 }, (_, index) => entity(`m${index}`));
    expect(() => engine.write({ type: 'put', collection: 'notes', partition: 'team', entities: many })).toThrow(memoryLimit);
    expect(id).toBe(1);
    expect(engine.inspect().partitions).toEqual(before);

    engine.replication.apply([frame(3, 1)]);
    expect(engine.query(all).keys).toEqual(['k1', 'k2', 'k3', 'mine']);
    await engine.close();
    expect(ports.kernel.usedBytes).toBe(0);
  });
});
