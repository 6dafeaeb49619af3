import { defineSchema, f, type StoredFields } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../adapters/s3/system.ts';
import type { Change, FeedEvent } from './changes/types.ts';
import { type NodePorts, type OpenNodeOptions, openNode } from './open-node.ts';
import type { StandaloneNode } from './standalone-node.ts';
import { memoryNodePorts } from './testing/node-ports.ts';
import { TestDevice } from './testing/test-device.ts';
import { until } from './testing/until.ts';
import type { ServerNode } from './types.ts';

const TTL_MS = 3_600_000;
/** A sixteenth of it. */
const GRACE_MS = TTL_MS / 16;
const shape = { title: f.text(), rank: f.number().default(0) };
const withTtl = (seconds: number) => defineSchema({ notes: shape }, { ttlSeconds: { notes: seconds } }).definition.collections.notes;
const notes = withTtl(TTL_MS / 1000);
const place = { database: 'default', collection: 'notes' };
const note = (title: string): StoredFields => ({ title, rank: 1 });

/** The wall clock of everybody: it stands still. */
let nowMs: number;
const clock = { ...systemClock, nowMs: () => nowMs };
let ports: NodePorts;
let node: StandaloneNode;
let devices: TestDevice[];
beforeEach(async () => {
  nowMs = systemClock.nowMs();
  ports = await memoryNodePorts({ clock });
  devices = [];
  await start();
  await node.catalog.createCollection(place.database, place.collection, notes);
});
afterEach(async () => {
  for (const device of devices) device.close();
  await node.close();
});

async function start(options: Partial<OpenNodeOptions> = {}): Promise<void> {
  node = await openNode({ ports, slots: 1, ...options });
}
const channel = (): string => node.catalog.find(place.database, place.collection)!.partitions.get('_default')![0]!;
const position = (): number => node.inspect().channels[0]!.position;
const stored = (): number => node.inspect().channels[0]!.entities;

const AWAY = {
  logEpoch: '',
  openSession: () => {
    throw new Error('no network');
  },
} as unknown as ServerNode;

function device(subject: string, isAway: () => boolean = () => false): TestDevice {
  const rng = seededRng(100 + devices.length);
  const of = { kernel: ports.kernel, rng, subject, definition: notes, channels: [channel()], clock };
  const made = new TestDevice({ ...of, node: () => (isAway() ? AWAY : node) });
  devices.push(made);
  return made;
}

/** What a reader of each of them sees at this moment; they must agree, and so must what counts. */
async function shown(): Promise<string> {
  const { keys } = await node.query({ ...place, consistency: 'strong' });
  expect((await node.count({ ...place, consistency: 'strong' })).count).toBe(keys.length);
  const { groups } = await node.aggregate({ ...place, aggregates: { n: 'count' }, consistency: 'strong' });
  expect(groups).toEqual([{ n: keys.length }]);
  for (const one of devices) expect(one.shown(channel())).toEqual([...keys].sort());
  return [...keys].sort().join();
}
const everywhere = (what: string): Promise<void> =>
  until(what, () => devices.every((one) => one.held(channel()) === 0 && one.replica(channel()).position === position()));

/** Changes that somebody reads who stays connected. */
async function follow(): Promise<{ readonly said: Change[]; readonly fold: () => Promise<void> }> {
  const events = node.changes({ ...place, partition: '_default' });
  const said: Change[] = [];
  const fold = async (): Promise<void> => {
    for (;;) {
      const { value } = await events.next();
      const event = value as FeedEvent;
      if (event.type === 'changes') for (const line of event.lines.trimEnd().split('\n')) said.push(JSON.parse(line) as Change);
      if (event.type === 'position') return;
    }
  };
  await fold();
  return { said, fold };
}

describe('[TTL] a server and two devices', () => {
  it('stop showing a row in the same millisecond, drop it at one position, and the feed says so once', async () => {
    const [a, b] = [device('ann'), device('bob')] as const;
    a.put(channel(), 'x', note('from ann'));
    await everywhere('x');
    const feed = await follow();
    nowMs += TTL_MS / 2;
    b.put(channel(), 'y', note('from bob'));
    await everywhere('y');
    nowMs += TTL_MS / 2 - 1;
    expect(await shown()).toBe('x,y');
    nowMs += 1;
    expect(await shown()).toBe('y');
    await node.housekeep({ sweep: false });
    const before = position();
    expect(stored()).toBe(2);
    nowMs += GRACE_MS;
    await node.housekeep({ sweep: false });
    await until('the record', () => position() === before + 1);
    await everywhere('the record');
    expect(await shown()).toBe('y');
    expect([stored(), ...devices.map((one) => Object.keys(one.rows(channel())))]).toEqual([1, ['y'], ['y']]);
    expect(a.replica(channel()).hash).toEqual(b.replica(channel()).hash);
    expect(devices.map((one) => one.divergences)).toEqual([0, 0]);
    await feed.fold();
    await feed.fold();
    expect(feed.said.map(({ type, key }) => `${type} ${String(key)}`)).toEqual(['insert x', 'insert y', 'delete x']);
  });

  it('renew a row by a put before its time is over, from whichever side, and not by a patch', async () => {
    const [a, b] = [device('ann'), device('bob')] as const;
    for (const key of ['put here', 'put there', 'patched']) a.put(channel(), key, note(key));
    await everywhere('rows');
    nowMs += TTL_MS - 1;
    b.put(channel(), 'put here', note('again'));
    await node.write({ type: 'put', ...place, entities: [{ id: 'put there', title: 'again' }] });
    a.write(channel(), { type: 'patch', pk: 'patched', fields: { rank: 2 } });
    await everywhere('the same rows');
    nowMs += 1;
    expect(await shown()).toBe('put here,put there');
    nowMs += TTL_MS - 2;
    expect(await shown()).toBe('put here,put there');
    nowMs += 1;
    expect(await shown()).toBe('');
  });

  it.each([
    ['the log', {}],
    ['a manifest, the log being cut', { retainLogMs: 0, retainEntries: 0 }],
  ])('agree with a device that was away meanwhile, by %s', async (_, limits) => {
    let isAway = false;
    const [a, late] = [device('ann'), device('late', () => isAway)] as const;
    a.put(channel(), 'x', note('x'));
    await everywhere('x');
    isAway = true;
    late.cut();
    late.write(channel(), { type: 'patch', pk: 'x', fields: { rank: 9 } });
    late.put(channel(), 'written away', note('old by then'));
    nowMs += TTL_MS / 2;
    a.put(channel(), 'y', note('y'));
    nowMs += TTL_MS / 2 + GRACE_MS;
    await until('y', () => a.held(channel()) === 0 && 'y' in a.rows(channel()));
    await node.close();
    await start({ limits });
    a.cut();
    await node.housekeep({ sweep: false });
    await until('the record', () => stored() === 1);
    await node.flush(place.database);
    await node.housekeep({ sweep: false });
    isAway = false;
    await until('everybody', () => devices.every((one) => one.link === 'live' && one.held(channel()) === 0));
    await everywhere('everything');
    // A patch of what is gone finds nothing; what was put before it expired is expired when it arrives.
    expect(late.rejected.map(({ code }) => code)).toEqual(['NOT_FOUND']);
    expect(await shown()).toBe('y');
    nowMs += GRACE_MS;
    await node.housekeep({ sweep: false });
    await until('the next record', () => stored() === 1);
    await everywhere('the next record');
    expect(Object.keys(late.rows(channel()))).toEqual(['y']);
    expect(late.replica(channel()).hash).toEqual(a.replica(channel()).hash);
    expect(devices.map((one) => one.divergences)).toEqual([0, 0]);
  });

  it('hear of another time to live, and of each version of the schema when they subscribe', async () => {
    const one = device('ann');
    one.put(channel(), 'x', note('x'));
    await everywhere('x');
    const versionOf = (): number => node.catalog.find(place.database, place.collection)!.schemaVersion;
    expect(one.schemaVersions).toEqual([versionOf()]);
    await node.catalog.alterCollection(place.database, place.collection, { definition: withTtl(60) });
    await until('the news', () => one.schemaVersions.length === 2);
    one.cut();
    await until('the news again', () => one.schemaVersions.length === 3);
    expect(one.schemaVersions.slice(1)).toEqual([versionOf(), versionOf()]);
    expect(versionOf()).toBe(2);
  });
});

describe('[TTL] the collector of a server', () => {
  const put = (...ids: string[]) => node.write({ type: 'put', ...place, entities: ids.map((id) => ({ id, title: id })) });
  const collect = async (): Promise<void> => {
    await node.housekeep({ sweep: false });
    // Behind the record, if there is one.
    await node.count({ ...place, consistency: 'strong' });
  };

  it('writes one record for what has expired, none while it is on its way or nothing has, and goes on after a restart', async () => {
    await put('a', 'b');
    await collect();
    expect(position()).toBe(1);
    nowMs += TTL_MS + GRACE_MS - 1;
    await put('young');
    await collect();
    expect([position(), stored()]).toEqual([2, 3]);
    await node.close();
    await start();
    nowMs += 1;
    await Promise.all([node.housekeep({ sweep: false }), node.housekeep({ sweep: false })]);
    await collect();
    expect([position(), stored()]).toEqual([3, 1]);
    await collect();
    expect(position()).toBe(3);
    await node.close();
    await start();
    expect([position(), stored(), node.inspect().channels[0]!.divergences]).toEqual([3, 1, 0]);
  });

  it('goes by the time to live of the moment: a longer one spares, none ends it, a shorter one takes at once', async () => {
    await put('a');
    nowMs += TTL_MS + GRACE_MS;
    for (const definition of [withTtl((2 * TTL_MS) / 1000), defineSchema({ notes: shape }).definition.collections.notes]) {
      await node.catalog.alterCollection(place.database, place.collection, { definition });
      await collect();
      expect([stored(), await shown()]).toEqual([1, 'a']);
    }
    await node.catalog.alterCollection(place.database, place.collection, { definition: withTtl(60) });
    expect(await shown()).toBe('');
    await collect();
    expect(stored()).toBe(0);
  });

  it('gives the space of a sealed segment back', async () => {
    await put(...Array.from({ length: 50 }, (_, index) => `k${index}`));
    await node.flush(place.database);
    nowMs += TTL_MS / 2;
    await put('young');
    await node.flush(place.database);
    const before = node.inspect().channels[0]!;
    nowMs += TTL_MS / 2 + GRACE_MS;
    await collect();
    await node.compact(place.database);
    const after = node.inspect().channels[0]!;
    expect([after.entities, after.segments]).toEqual([1, 1]);
    expect(after.bytes).toBeLessThan(before.bytes);
    expect(await shown()).toBe('young');
  });
});

describe('[TTL] the change feed', () => {
  const put = (id: string) => node.write({ type: 'put', ...place, entities: [{ id, title: id }] });
  const said = async (from?: string): Promise<{ readonly lines: string[]; readonly token: string }> => {
    const lines: string[] = [];
    for await (const event of node.changes({ ...place, partition: '_default', ...(from === undefined ? {} : { from }) })) {
      if (event.type === 'reset') lines.push(`reset ${event.reason}`);
      if (event.type === 'changes')
        for (const line of event.lines.trimEnd().split('\n')) {
          const { type, key } = JSON.parse(line) as Change;
          lines.push(`${type} ${String(key)}`);
        }
      if (event.type === 'position') return { lines, token: event.token };
    }
    throw new Error('the feed has ended');
  };

  it('leaves expired rows out of a start, and begins anew for who was away when rows went', async () => {
    await put('a');
    const { token } = await said();
    nowMs += TTL_MS / 2;
    await put('b');
    nowMs += TTL_MS / 2;
    expect((await said()).lines).toEqual(['reset start', 'insert b']);
    expect((await said(token)).lines).toEqual(['insert b']);
    nowMs += GRACE_MS;
    await node.housekeep({ sweep: false });
    await until('the record', () => stored() === 1);
    const after = await said(token);
    expect(after.lines).toEqual(['reset token-too-old', 'insert b']);
    expect((await said(after.token)).lines).toEqual([]);
  });

  it('ends for another time to live, so that who reads comes back with its token', async () => {
    await put('a');
    const events = node.changes({ ...place, partition: '_default' });
    for (let event = await events.next(); event.value?.type !== 'position'; ) event = await events.next();
    await node.catalog.alterCollection(place.database, place.collection, { definition: withTtl(60) });
    await put('b');
    await expect(events.next()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});
