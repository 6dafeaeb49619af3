import { defineSchema, f, MemoryLogBroker, MemoryMetaStore, type StoredFields } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NodePorts, type OpenNodeOptions, openNode } from './open-node.ts';
import type { StandaloneNode } from './standalone-node.ts';
import { memoryNodePorts } from './testing/node-ports.ts';
import { TestDevice } from './testing/test-device.ts';
import { until } from './testing/until.ts';

const { definition } = defineSchema({ notes: { title: f.text(), rank: f.number().default(0) } });
const notes = definition.collections.notes;
const database = 'default';
const collection = 'notes';
const note = (title: string): StoredFields => ({ title, rank: 1 });

let ports: NodePorts;
let node: StandaloneNode;
let devices: TestDevice[];
beforeEach(async () => {
  ports = await memoryNodePorts();
  devices = [];
  await start({ slots: 2 });
  await node.catalog.createCollection(database, collection, notes);
});
afterEach(async () => {
  for (const device of devices) device.close();
  await node.close();
});

async function start(options: Partial<OpenNodeOptions> = {}): Promise<void> {
  node = await openNode({ ports, ...options });
}

/** As another process would: sockets break. */
async function restart(options: Partial<OpenNodeOptions> = {}): Promise<void> {
  await node.close();
  await start(options);
  for (const one of devices) one.cut();
}

function channelOf(partition = '_default'): string {
  return node.catalog.find(database, collection)!.partitions.get(partition)![0]!;
}

function device(subject: string, channels = [channelOf()]): TestDevice {
  const rng = seededRng(100 + devices.length);
  const made = new TestDevice({ node: () => node, kernel: ports.kernel, rng, subject, definition: notes, channels });
  devices.push(made);
  return made;
}

describe('devices of a node', () => {
  it('converge when several write, and the node answers from the same rows', async () => {
    const channel = channelOf();
    const [a, b, c] = [device('ann'), device('bob'), device('cyd')] as const;
    for (let index = 0; index < 20; index++) {
      a.put(channel, `a${index}`, note('from a'));
      b.put(channel, `b${index}`, note('from b'));
      b.put(channel, `shared${index}`, note('b shares'));
      c.put(channel, `shared${index}`, note('c shares'));
    }
    await until('all writes everywhere', () => devices.every((one) => one.held(channel) === 0 && one.replica(channel).position === 80));
    expect(Object.keys(a.rows(channel))).toHaveLength(60);
    expect(b.rows(channel)).toEqual(a.rows(channel));
    expect(c.rows(channel)).toEqual(a.rows(channel));
    expect(c.replica(channel).hash).toEqual(a.replica(channel).hash);
    expect(devices.map((one) => one.divergences)).toEqual([0, 0, 0]);
    expect(await node.count({ database, collection, consistency: 'strong' })).toMatchObject({ count: 60 });
  });

  it('receive what the server writes', async () => {
    const channel = channelOf();
    const a = device('ann');
    await node.write({ type: 'put', database, collection, entities: [{ id: 'x', title: 'from the server' }] });
    await until('the row', () => 'x' in a.rows(channel));
    expect(a.rows(channel)['x']).toMatchObject({ title: 'from the server', rank: 0 });
  });

  it('have ops that the schema does not allow rejected, each by its code, and the others taken', async () => {
    const channel = channelOf();
    const a = device('ann');
    a.put(channel, 'good', note('good'));
    a.put(channel, 'unknown', { title: 'x', nothing: 1 });
    a.put(channel, 'type', { title: 7 });
    a.put(channel, 'without', { rank: 1 });
    a.write(channel, { type: 'put', pk: 7, fields: note('key'), create: true });
    a.write(channel, { type: 'patch', pk: 'absent', fields: { rank: 2 } });
    a.put(channel, 'last', note('last'));
    await until('answers', () => a.held(channel) === 0 && a.rejected.length === 5 && 'last' in a.rows(channel));
    expect(a.rejected.map(({ code }) => code)).toEqual(['FIELD_UNKNOWN', 'FIELD_INVALID', 'FIELD_INVALID', 'KEY_INVALID', 'NOT_FOUND']);
    expect(Object.keys(a.rows(channel))).toEqual(['good', 'last']);
  });

  it('bootstrap from the manifest and the tail when the log begins later', async () => {
    const channel = channelOf();
    const a = device('ann');
    for (let index = 0; index < 30; index++) a.put(channel, `k${index}`, note('sealed'));
    a.write(channel, { type: 'delete', pk: 'k3' });
    await until('acks', () => a.held(channel) === 0);
    await node.flush(database);
    a.put(channel, 'tail', note('tail'));
    await until('the tail', () => 'tail' in a.rows(channel));
    // The log behind the manifest is gone at once.
    await restart({ limits: { retainLogMs: 0, retainEntries: 0 } });
    await node.housekeep({ sweep: false });
    expect(node.inspect().counters['truncations']).toBeGreaterThan(0);
    const b = device('bob');
    await until('the bootstrap', () => 'tail' in b.rows(channel));
    expect(b.bootstraps).toHaveLength(1);
    await until('a again', () => a.link === 'live' && a.replica(channel).position === b.replica(channel).position);
    expect(b.rows(channel)).toEqual(a.rows(channel));
    expect(b.replica(channel).hash).toEqual(a.replica(channel).hash);
    expect(devices.map((one) => one.divergences)).toEqual([0, 0]);
  });

  it('agree in the end, whatever is cut, restarted, sealed, truncated and given other fields meanwhile', async () => {
    const channel = channelOf();
    const random = seededRng(20_261_121);
    const draw = (below: number): number => random.nextUint32() % below;
    for (const subject of ['ann', 'bob', 'cyd']) device(subject);
    for (let round = 0; round < 150; round++) {
      const one = devices[draw(3)]!;
      const pk = `k${draw(12)}`;
      const kind = draw(4);
      if (kind < 2) one.put(channel, pk, note(`round ${round}`));
      else if (kind === 2) one.write(channel, { type: 'patch', pk, fields: { rank: round } });
      else one.write(channel, { type: 'delete', pk });
      if (draw(10) === 0) await node.write({ type: 'put', database, collection, entities: [{ id: pk, title: `server ${round}` }] });
      if (draw(12) === 0) await node.flush(database);
      if (draw(25) === 0) one.cut();
      if (round === 60) {
        const fields = { title: f.text(), rank: f.number().default(0), extra: f.number().nullable() };
        await node.catalog.alterCollection(database, collection, {
          definition: defineSchema({ notes: fields }).definition.collections.notes,
        });
      }
      if (round === 50 || round === 100) {
        await restart({ limits: { retainLogMs: 0, retainEntries: 4 } });
        await node.housekeep({ sweep: true });
      }
      await new Promise((resolve) => setTimeout(resolve, draw(5)));
    }
    const isDone = (): boolean => {
      const { position } = node.inspect().channels[0]!;
      return devices.every((one) => one.link === 'live' && one.held(channel) === 0 && one.replica(channel).position === position);
    };
    await until('all devices at the end', isDone);
    const [a, b, c] = devices as [TestDevice, TestDevice, TestDevice];
    expect(b.rows(channel)).toEqual(a.rows(channel));
    expect(c.rows(channel)).toEqual(a.rows(channel));
    const { entities } = await node.query({ database, collection, consistency: 'strong' });
    expect(entities.map(({ id, title, rank }) => [id, { title, rank }])).toEqual(Object.entries(a.rows(channel)));
    expect(entities.length).toBeGreaterThan(3);
    expect(devices.map((one) => one.divergences)).toEqual([0, 0, 0]);
    expect(node.inspect().channels).toMatchObject([{ divergences: 0 }]);
    // What was refused was refused for a reason: the entity was gone when the patch arrived.
    expect(devices.flatMap((one) => one.rejected).filter(({ code }) => code !== 'NOT_FOUND')).toEqual([]);
  }, 60_000);

  it('are told that a dropped partition is gone, and keep following the others', async () => {
    await node.catalog.createPartition(database, collection, 'trip');
    const [trip, main] = [channelOf('trip'), channelOf()];
    const a = device('ann', [trip, main]);
    a.put(trip, 'x', note('trip'));
    await until('the ack', () => a.acked === 1);
    await node.catalog.dropPartition(database, collection, 'trip');
    await until('gone', () => a.gone.includes(trip));
    a.put(main, 'y', note('main'));
    await until('the other', () => 'y' in a.rows(main));
    const late = device('bob', [trip]);
    await until('gone for a late one', () => late.gone.includes(trip));
    await expect(node.get({ database, collection, partitions: ['trip'], keys: ['x'] })).rejects.toMatchObject({
      code: 'PARTITION_UNKNOWN',
    });
  });

  it('have their ids refused under another subject, also after the log was truncated', async () => {
    const channel = channelOf();
    const a = device('ann');
    a.put(channel, 'x', note('mine'));
    await until('the ack', () => a.acked === 1);
    await node.flush(database);
    await restart({ limits: { retainLogMs: 0, retainEntries: 0 } });
    await node.housekeep({ sweep: false });
    expect(node.inspect().counters['truncations']).toBeGreaterThan(0);
    const answers: string[] = [];
    const session = node.openSession('thief', (message) => answers.push(message.type));
    const principal = { session: 'thief', clientId: a.clientId, term: 9, subject: 'eve', canWrite: true };
    session.route(principal, { type: 'subscribe', channel, subscription: 1, credit: 1_000_000, formers: [] });
    await until('the answer', () => answers.length > 0);
    expect(answers).toEqual(['denied']);
    session.close();
  });

  it('push again under a new id what a restored copy lacks', async () => {
    const channel = channelOf();
    const [a, b] = [device('ann'), device('bob')] as const;
    a.put(channel, 'before', note('before'));
    await until('both', () => 'before' in b.rows(channel));
    const copy = { ...ports, log: await copyLog(ports.log), meta: await copyMeta(ports.meta) };
    a.put(channel, 'after', note('after'));
    b.write(channel, { type: 'patch', pk: 'before', fields: { rank: 7 } });
    await until('both', () => a.replica(channel).position === 3 && b.replica(channel).position === 3 && a.acked + b.acked === 3);
    const ids = [a.clientId, b.clientId];
    ports = copy;
    const before = node.logEpoch;
    await restart({ newEpoch: true });
    expect(node.logEpoch).not.toBe(before);
    const isThere = (one: TestDevice): boolean => 'after' in one.rows(channel) && one.rows(channel)['before']?.['rank'] === 7;
    await until('everything again', () => devices.every((one) => one.replica(channel).logEpoch === node.logEpoch && isThere(one)));
    expect(a.rows(channel)).toEqual(b.rows(channel));
    expect(ids).not.toContain(a.clientId);
    expect(await node.count({ database, collection, consistency: 'strong' })).toMatchObject({ count: 2 });
  });
});

async function copyLog(log: NodePorts['log']): Promise<MemoryLogBroker> {
  const copy = new MemoryLogBroker();
  for (const stream of ['0', '1']) await copy.append(stream, 0, await log.read(stream, 1, { maxBytes: 2 ** 30 }));
  return copy;
}

async function copyMeta(meta: NodePorts['meta']): Promise<MemoryMetaStore> {
  const copy = new MemoryMetaStore();
  for (const { key, value } of await meta.list('')) await copy.compareAndSet(key, 0, value);
  return copy;
}
