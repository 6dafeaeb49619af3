import { defineSchema, f, MemoryLogBroker, newClientId, type Op, type StoredFields, type Timestamp, timestampFromMs } from '@terndb/core';
import { ManualClock, seededRng } from '@terndb/core/testing';
import type { ServerMessage } from '@terndb/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NodeLimits } from '../limits.ts';
import { type NodePorts, openNode } from '../open-node.ts';
import type { StandaloneNode } from '../standalone-node.ts';
import { memoryNodePorts } from '../testing/node-ports.ts';
import { until } from '../testing/until.ts';

const { definition } = defineSchema({ notes: { title: f.text() } });
const database = 'default';
const collection = 'notes';
const DAY_MS = 24 * 60 * 60 * 1000;

let clock: ManualClock;
let ports: NodePorts;
let node: StandaloneNode;
beforeEach(async () => {
  clock = new ManualClock();
  ports = await memoryNodePorts({ clock });
});
afterEach(() => node.close());

async function start(limits: Partial<NodeLimits> = {}): Promise<void> {
  node = await openNode({ ports, slots: 1, limits });
  if (node.catalog.find(database, collection) === undefined) {
    await node.catalog.createCollection(database, collection, definition.collections.notes);
  }
}
async function restart(limits: Partial<NodeLimits> = {}): Promise<void> {
  await node.close();
  await start(limits);
}

/** Days in which nothing happens: timers, which would run once a second, do not notice. */
const pass = (ms: number): void => clock.jumpTo(clock.nowMs() + ms);
const channel = (): string => node.catalog.find(database, collection)!.partitions.get('_default')![0]!;
const inspect = () => node.inspect().channels[0]!;
const objects = async (): Promise<string[]> => (await ports.objects.list('')).map(({ name }) => name.split('/').at(-1)!.split('-')[0]!);

async function put(from: number, count: number): Promise<void> {
  const entities = Array.from({ length: count }, (_, index) => ({ id: `k${from + index}`, title: `title ${from + index}` }));
  await node.write({ type: 'put', database, collection, entities });
}
const remove = (key: string) => node.write({ type: 'delete', database, collection, key });
const count = async (): Promise<number> => (await node.count({ database, collection, consistency: 'strong' })).count;

/** A device's end of the protocol by hand, so that it can be idle, late and old. */
function pusher(subject: string) {
  const answers: ServerMessage[] = [];
  const clientId = newClientId(seededRng(subject.length));
  const session = node.openSession(subject, (message) => answers.push(message));
  const principal = { session: subject, clientId, term: 1, subject, canWrite: true };
  let subscription = 0;
  return {
    answers,
    clientId,
    subscribe: (): void => {
      subscription += 1;
      session.route(principal, { type: 'subscribe', channel: channel(), subscription, credit: 2 ** 20, formers: [] });
    },
    push: (seq: number, hlc: Timestamp, op: Op): void => {
      const record = { type: 'op', clientId, seq, hlc, author: '', schemaVersion: 1, op } as const;
      session.route(principal, { type: 'push', channel: channel(), subscription, records: [record] });
    },
  };
}
const note = (title: string): StoredFields => ({ title });

describe('a node by itself', () => {
  it('seals a channel that has many rows, and answers the same before and after', async () => {
    await start({ sealRows: 100 });
    await put(0, 150);
    await until('the seal', () => inspect().segments === 1);
    expect(inspect()).toMatchObject({ entities: 150, growing: 0, segments: 1, divergences: 0 });
    expect(await count()).toBe(150);
    await remove('k7');
    await restart({ sealRows: 100 });
    expect(await count()).toBe(149);
    expect(inspect()).toMatchObject({ divergences: 0 });
  });

  it('seals what is old, once a round, and only if there is something', async () => {
    await start({ sealAgeMs: DAY_MS, housekeepingMs: 60_000 });
    await put(0, 3);
    pass(60_000);
    await node.housekeep({ sweep: false });
    expect(inspect().segments).toBe(0);
    pass(DAY_MS);
    await node.housekeep({ sweep: false });
    await until('the seal', () => inspect().segments === 1);
    pass(2 * DAY_MS);
    await node.housekeep({ sweep: false });
    expect(node.inspect().counters['seals']).toBe(1);
  });

  it('keeps the log that manifests cover for a day, and no channel holds back more than its own unsealed rows', async () => {
    await start({});
    await put(0, 3);
    await node.flush(database);
    const { last } = await ports.log.bounds('0');
    await put(3, 3);
    await node.housekeep({ sweep: false });
    expect(await ports.log.bounds('0')).toMatchObject({ first: 1 });
    pass(DAY_MS - 1);
    await node.housekeep({ sweep: false });
    expect(await ports.log.bounds('0')).toMatchObject({ first: 1 });
    // The day goes on over a restart.
    await restart({ sealAgeMs: 100 * DAY_MS });
    pass(1);
    await node.housekeep({ sweep: false });
    expect(await ports.log.bounds('0')).toMatchObject({ first: last + 1 });
    expect(await count()).toBe(6);
    await restart();
    expect(await count()).toBe(6);
  });

  it('deletes objects only when no manifest has named them for the grace period', async () => {
    await start({ objectGraceMs: DAY_MS, sealAgeMs: 100 * DAY_MS });
    await put(0, 10);
    await node.flush(database);
    await put(10, 10);
    await node.flush(database);
    expect((await objects()).sort()).toEqual(['manifest', 'manifest', 'segment', 'segment']);
    await node.housekeep({ sweep: true });
    pass(DAY_MS - 1);
    await node.housekeep({ sweep: true });
    expect(await objects()).toHaveLength(4);
    // The day goes on over a restart.
    await restart({ objectGraceMs: DAY_MS, sealAgeMs: 100 * DAY_MS });
    await node.housekeep({ sweep: true });
    expect(await objects()).toHaveLength(4);
    pass(1);
    await node.housekeep({ sweep: true });
    expect((await objects()).sort()).toEqual(['manifest', 'segment']);
    await restart();
    expect(await count()).toBe(20);
  });

  it('deletes what a dropped collection had, and truncates the log behind it', async () => {
    await start({ objectGraceMs: 0, retainLogMs: 0 });
    await put(0, 10);
    await node.flush(database);
    await put(10, 10);
    await node.catalog.dropCollection(database, collection);
    await node.housekeep({ sweep: true });
    expect(await objects()).toEqual([]);
    const { first, last } = await ports.log.bounds('0');
    await node.catalog.createCollection(database, collection, definition.collections.notes);
    await put(0, 1);
    await node.flush(database);
    expect((await ports.log.bounds('0')).first).toBeGreaterThan(last);
    expect(first).toBeGreaterThan(0);
    expect(await ports.meta.list('manifest/')).toHaveLength(1);
  });

  it('survives that a channel is dropped in the middle of its seal, first or later', async () => {
    const { objects: stored } = ports;
    let held: Promise<void> = Promise.resolve();
    let release: () => void = () => {};
    const hold = (): void => {
      held = new Promise((resolve) => {
        release = resolve;
      });
    };
    const objects: NodePorts['objects'] = {
      head: (name) => stored.head(name),
      read: (name, offset, length) => stored.read(name, offset, length),
      list: (prefix) => stored.list(prefix),
      delete: (name) => stored.delete(name),
      put: async (name, parts) => {
        await held;
        await stored.put(name, parts);
      },
    };
    ports = { ...ports, objects };
    await start({ objectGraceMs: 0 });
    for (const sealsBefore of [0, 1]) {
      await node.catalog.createCollection(database, 'dropped', definition.collections.notes);
      for (let seal = 0; seal <= sealsBefore; seal++) {
        await node.write({ type: 'put', database, collection: 'dropped', entities: [{ id: `k${seal}`, title: 'x' }] });
        if (seal < sealsBefore) await node.flush(database, 'dropped');
      }
      hold();
      const sealing = node.flush(database, 'dropped');
      await new Promise((resolve) => setTimeout(resolve, 5));
      await node.catalog.dropCollection(database, 'dropped');
      release();
      await sealing;
    }
    await put(0, 3);
    expect(await count()).toBe(3);
    await node.flush(database);
    await restart({ objectGraceMs: 0 });
    await node.housekeep({ sweep: true });
    expect(await count()).toBe(3);
    expect((await ports.meta.list('manifest/')).map(({ key }) => key)).toEqual([`manifest/${channel()}`]);
    expect((await ports.objects.list('')).filter(({ name }) => !name.startsWith(channel()))).toEqual([]);
  });

  it('[R7, R8] forgets old deletes at one position, and then refuses what is older than them', async () => {
    await start({ tombstoneHorizonMs: 30 * DAY_MS, sealAgeMs: 100 * DAY_MS });
    const device = pusher('ann');
    device.subscribe();
    await until('the subscription', () => device.answers.length > 0);
    const old = timestampFromMs(clock.nowMs());
    await put(0, 2);
    await remove('k0');
    const deleted = inspect().position;
    await node.housekeep({ sweep: true });
    expect(inspect().position).toBe(deleted);
    pass(31 * DAY_MS);
    await node.housekeep({ sweep: true });
    await until('the record', () => inspect().position === deleted + 1);
    device.push(1, old, { type: 'delete', pk: 'k9' });
    device.push(2, old, { type: 'put', pk: 'k0', fields: note('back'), create: true });
    await until('the answers', () => device.answers.some(({ type }) => type === 'restamp'));
    expect(device.answers).toContainEqual(expect.objectContaining({ type: 'ack', rejected: [{ seq: 1, code: 'STALE_WRITE' }] }));
    expect(await count()).toBe(1);
    await restart();
    expect(inspect().divergences).toBe(0);
  });

  it('[R15] forgets idle clients, ends what they have open, and never itself', async () => {
    await start({ expireIdleMs: 90 * DAY_MS, sealAgeMs: 1_000 * DAY_MS });
    const device = pusher('ann');
    device.subscribe();
    await until('the subscription', () => device.answers.some(({ type }) => type === 'subscribed'));
    device.push(1, timestampFromMs(clock.nowMs()), { type: 'put', pk: 'a', fields: note('a'), create: true });
    await until('the ack', () => device.answers.some(({ type }) => type === 'ack'));
    await put(0, 1);
    pass(91 * DAY_MS);
    await node.housekeep({ sweep: true });
    await until('the end', () => device.answers.some((answer) => answer.type === 'ended' && answer.reason === 'expired'));
    device.subscribe();
    await until('the answer', () => device.answers.filter(({ type }) => type === 'subscribed').length === 2);
    expect(device.answers.findLast(({ type }) => type === 'subscribed')).toMatchObject({ known: { lmid: 0 } });
    await put(1, 1);
    expect(await count()).toBe(3);
  });
});

describe('a log that ends before what manifests have seen', () => {
  it('[R14] makes the node another universe, which goes on from the manifests and survives further restarts', async () => {
    await start();
    await put(0, 5);
    const before = node.logEpoch;
    await node.flush(database);
    await node.close();
    const lost = new MemoryLogBroker();
    const [first] = await ports.log.read('0', 1, { maxBytes: 1 });
    await lost.append('0', 0, [first!]);
    ports = { ...ports, log: lost };
    await start();
    expect(node.logEpoch).not.toBe(before);
    expect(await count()).toBe(5);
    await put(5, 1);
    const after = node.logEpoch;
    for (let round = 0; round < 2; round++) {
      await restart();
      expect(node.logEpoch).toBe(after);
      expect(await count()).toBe(6);
    }
    await node.flush(database);
    await restart();
    expect(await count()).toBe(6);
    expect(inspect().divergences).toBe(0);
  });
});

describe('a manifest for a client', () => {
  it('[R1] names the client’s own ids only, and is nothing for names that are none', async () => {
    await start();
    const device = pusher('ann');
    device.subscribe();
    await until('the subscription', () => device.answers.some(({ type }) => type === 'subscribed'));
    device.push(1, timestampFromMs(clock.nowMs()), { type: 'put', pk: 'a', fields: note('a'), create: true });
    await until('the ack', () => device.answers.some(({ type }) => type === 'ack'));
    await node.flush(database);
    device.subscribe();
    const isOffered = (answer: ServerMessage): boolean => answer.type === 'subscribed' && answer.manifest !== undefined;
    await until('the offer', () => device.answers.some(isOffered));
    const [offer] = device.answers.flatMap((answer) => (answer.type === 'subscribed' && answer.manifest ? [answer.manifest] : []));
    const name = new TextDecoder().decode(offer!.reference);
    expect((await node.clientManifest(channel(), name, []))!.length).toBeLessThan(
      (await node.clientManifest(channel(), name, [device.clientId]))!.length,
    );
    expect(await node.clientManifest(channel(), `${name}0`, [])).toBeUndefined();
    expect(await node.clientManifest(channel(), name.replace('manifest', 'segment'), [])).toBeUndefined();
    const { bytes } = (await node.headObject(name))!;
    expect((await node.readObject(name, 0, bytes))!.length).toBe(bytes);
    expect(await node.headObject(`${name}0`)).toBeUndefined();
  });
});
