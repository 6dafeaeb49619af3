import { defineSchema, f, TICKS_PER_MS, type Timestamp } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NodePorts, openNode } from '../open-node.ts';
import type { StandaloneNode } from '../standalone-node.ts';
import { type AppendFault, FaultyLog } from '../testing/faulty-log.ts';
import { memoryNodePorts } from '../testing/node-ports.ts';
import { TestDevice } from '../testing/test-device.ts';
import { until } from '../testing/until.ts';

const notes = defineSchema({ notes: { title: f.text() } }).definition.collections.notes;
const database = 'default';
const collection = 'notes';

let ports: NodePorts;
let node: StandaloneNode;
let fault: () => AppendFault;
beforeEach(async () => {
  fault = () => 'none';
  const memory = await memoryNodePorts();
  ports = { ...memory, log: new FaultyLog(memory.log, () => fault()) };
  node = await openNode({ ports, slots: 1 });
  await node.catalog.createCollection(database, collection, notes);
});
afterEach(async () => {
  fault = () => 'none';
  await node.close();
});

const put = (id: string) => node.write({ type: 'put', database, collection, entities: [{ id, title: id }] });
const channelOf = (): string => node.catalog.find(database, collection)!.partitions.get('_default')![0]!;

describe('a leader whose appends have unknown outcomes', () => {
  it('repeats what was lost and recognises what was not: each write is there once, in order, for the log, devices and queries', async () => {
    const rng = seededRng(7);
    const channel = channelOf();
    const device = new TestDevice({
      node: () => node,
      kernel: ports.kernel,
      rng: seededRng(8),
      subject: 'ann',
      definition: notes,
      channels: [channel],
    });
    let faults = 0;
    fault = () => {
      const draw = rng.nextUint32() % 6;
      if (draw < 2) faults += 1;
      return draw === 0 ? 'lost' : draw === 1 ? 'deaf' : 'none';
    };
    for (let round = 0; round < 15; round++) {
      device.put(channel, `d${round}`, { title: 'device' });
      await put(`s${round}`);
    }
    await until('the device', () => device.held(channel) === 0 && Object.keys(device.rows(channel)).length === 30);
    expect(faults).toBeGreaterThan(3);
    fault = () => 'none';
    expect(await node.count({ database, collection, consistency: 'strong' })).toMatchObject({ count: 30 });
    const { position } = node.inspect().channels[0]!;
    expect(position).toBe(30);
    expect(device.divergences).toBe(0);
    device.close();
    await node.close();
    node = await openNode({ ports, slots: 1 });
    expect(node.inspect().channels).toMatchObject([{ position: 30, entities: 30, divergences: 0 }]);
  }, 30_000);
});

describe('a log that takes nothing for a while', () => {
  it('is said to those who write, devices wait, and what was sent is there once when it takes again', async () => {
    fault = () => 'lost';
    const sent = put('sent');
    await expect(sent).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', details: { mayBeInLog: true } });
    await expect(put('not sent')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', details: { mayBeInLog: false } });
    const { kernel } = ports;
    const channel = channelOf();
    const device = new TestDevice({ node: () => node, kernel, rng: seededRng(9), subject: 'ann', definition: notes, channels: [channel] });
    device.put(channel, 'kept', { title: 'kept on the device' });
    expect(node.inspect().counters['append_failures']).toBeGreaterThan(1);
    expect(await node.count({ database, collection, consistency: 'eventually' })).toMatchObject({ count: 0 });
    fault = () => 'none';
    await until('the device', () => device.held(channel) === 0);
    await put('after');
    const { keys } = await node.query({ database, collection, consistency: 'strong' });
    expect([...keys].sort()).toEqual(['after', 'kept', 'sent']);
    device.close();
  }, 30_000);
});

describe('an op of a newer schema than the node has', () => {
  it('[R3] is not refused for good: the device may know a catalog that was restored since', async () => {
    const channel = channelOf();
    const told: string[] = [];
    const session = node.openSession('s', (message) => told.push(message.type));
    const principal = { session: 's', clientId: 'c', term: 1, subject: 'ann', canWrite: true };
    session.route(principal, { type: 'subscribe', channel, subscription: 1, credit: 1, formers: [] });
    await until('the subscription', () => told.includes('subscribed'));
    const op = { type: 'put', pk: 'k', fields: { title: 'x', more: 1 }, create: true } as const;
    const record = { type: 'op', op, hlc: TICKS_PER_MS as Timestamp, clientId: 'c', seq: 1, author: 'ann', schemaVersion: 9 } as const;
    session.route(principal, { type: 'push', channel, subscription: 1, records: [record] });
    await until('an answer', () => told.includes('busy') || told.includes('ack'));
    expect(told).not.toContain('ack');
  });
});

describe('a second node on the same storage', () => {
  it('[R17] leads from then on: the first one acknowledges nothing more and tells its devices', async () => {
    await put('before');
    const channel = channelOf();
    const told: string[] = [];
    const session = node.openSession('s', (message) => told.push(message.type === 'ended' ? message.reason : message.type));
    const principal = { session: 's', clientId: 'c', term: 1, subject: 'ann', canWrite: true };
    session.route(principal, { type: 'subscribe', channel, subscription: 1, credit: 1, formers: [] });
    await until('the subscription', () => told.includes('subscribed'));
    const second = await openNode({ ports, slots: 1 });
    await expect(put('lost')).rejects.toMatchObject({ code: expect.stringMatching(/STORAGE_UNAVAILABLE|APPEND_CONFLICT/) });
    expect(told.at(-1)).toBe('new-leader');
    await second.write({ type: 'put', database, collection, entities: [{ id: 'after', title: 'x' }] });
    const { entities } = await second.query({ database, collection, consistency: 'strong' });
    expect(entities.map(({ id }) => id)).toEqual(['after', 'before']);
    await second.close();
  });
});
