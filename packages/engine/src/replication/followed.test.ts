import { encodeFrame, type Timestamp } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../database/open-engine.ts';
import { decodeToken } from '../database/token.ts';
import type { Change, Engine } from '../database/types.ts';
import { memoryPorts } from '../testing/memory-ports.ts';
import { rowsOfView, TEST_CHANNEL, TEST_EPOCH, testSchema } from '../testing/test-channel.ts';
import { followedStream } from './stored.ts';
import { PARTITION, TestDevice } from './testing/test-device.ts';
import { TestServer } from './testing/test-server.ts';
import type { Conflict, ReplicaChange } from './types.ts';

const place = { collection: 'things', partition: PARTITION };
const all = { collection: 'things', partitions: [PARTITION] };
const hlc = (value: number): Timestamp => value as Timestamp;
const fails = (code: string): unknown => expect.objectContaining({ code });

async function connected(): Promise<{ server: TestServer; device: TestDevice; engine: Engine; changes: (readonly Change[])[] }> {
  const server = await TestServer.open();
  const device = await TestDevice.open(server);
  await device.swap('empty', 1);
  const changes: (readonly Change[])[] = [];
  device.engine.onChange((change) => changes.push(change));
  return { server, device, engine: device.engine, changes };
}

function put(server: TestServer, pk: string, rank: number, at: number, clientId = 'other'): void {
  server.appendOp({ type: 'put', pk, fields: { rank, tag: null, title: 'theirs', embedding: null }, create: true }, hlc(at), clientId);
}

describe('[R4] the outbox over a followed channel', () => {
  it('shows a write at once, goes on showing it when it is acknowledged, and never flickers as its frame takes over', async () => {
    const { device, engine } = await connected();
    const seen: unknown[] = [];
    engine.watchQuery(
      all,
      (result) => seen.push([result.entities.map((entity) => entity['rank']), result.pendingKeys]),
      (error) => expect.unreachable(error.message),
    );
    const tick = (): void => device.ports.clock.advance(20);
    engine.write({ type: 'put', ...place, entities: [{ key: 'a', rank: 1 }] });
    tick();
    device.push(1);
    await device.deliver(1, 1);
    tick();
    expect(seen).toEqual([
      [[], []],
      [[1], ['a']],
      [[1], []],
    ]);
  });

  it('tells a change of rows once per batch, however many frames and entries are in it', async () => {
    const { server, device, engine, changes } = await connected();
    engine.write({ type: 'put', ...place, entities: [{ key: 'a', rank: 1 }] });
    device.push(1);
    put(server, 'b', 2, 50);
    put(server, 'c', 3, 51);
    changes.length = 0;
    await device.deliver(3, 1);
    expect(changes).toEqual([[{ ...place, keys: expect.arrayContaining(['a', 'b', 'c']) }]]);
  });

  it('takes a write back when it cannot be stored, and says so', async () => {
    const { device, engine, changes } = await connected();
    engine.write({ type: 'put', ...place, entities: [{ key: 'a', rank: 1 }] });
    device.isFull = true;
    const ticket = engine.write({ type: 'patch', ...place, key: 'a', fields: { rank: 2 } });
    expect(engine.get({ ...all, keys: ['a'] }).entities).toMatchObject([{ rank: 2 }]);
    changes.length = 0;
    await expect(ticket.durable).rejects.toThrow(fails('STORAGE_FULL'));
    expect(engine.get({ ...all, keys: ['a'] }).entities).toMatchObject([{ rank: 1 }]);
    expect(changes).toEqual([[{ ...place, keys: ['a'] }]]);
    expect(engine.inspect()).toMatchObject({ outbox: { writes: 1 } });
  });

  it('shows a put again whose tombstone the log forgets', async () => {
    const { server, device, engine } = await connected();
    engine.write({ type: 'put', ...place, entities: [{ key: 'a', rank: 1 }] });
    server.appendOp({ type: 'delete', pk: 'a' }, hlc(1_000), 'other');
    await device.deliver(1, 1);
    expect(engine.get({ ...all, keys: ['a'] }).entities).toEqual([undefined]);
    server.append({ type: 'gc', floor: hlc(1_001) });
    await device.deliver(1, 1);
    expect(engine.get({ ...all, keys: ['a'] }).entities).toMatchObject([{ rank: 1 }]);
  });

  it('[R9] shows an entry that got another stamp by that stamp', async () => {
    const { server, device, engine } = await connected();
    engine.write({ type: 'put', ...place, entities: [{ key: 'a', rank: 1 }] });
    put(server, 'a', 9, 500);
    await device.deliver(1, 1);
    expect(engine.get({ ...all, keys: ['a'] }).entities).toMatchObject([{ rank: 9 }]);
    expect(engine.query(all).pendingKeys).toEqual(['a']);
    device.restamp(0, 600);
    expect(engine.get({ ...all, keys: ['a'] }).entities).toMatchObject([{ rank: 1 }]);
  });

  it('names keys that are not live as created, and those that are as not', async () => {
    const { server, device, engine } = await connected();
    put(server, 'a', 1, 5);
    await device.deliver(1, 1);
    engine.write({ type: 'put', ...place, entities: [{ key: 'a' }] });
    engine.write({ type: 'put', ...place, entities: [{ key: 'b' }] });
    engine.write({ type: 'put', ...place, entities: [{ key: 'b' }] });
    engine.write({ type: 'delete', ...place, key: 'a' });
    engine.write({ type: 'put', ...place, entities: [{ key: 'a' }] });
    expect(device.outbox.map(({ op }) => (op.type === 'put' ? op.create : op.type))).toEqual([false, true, false, 'delete', true]);
  });

  it('deletes by a filter what it has seen, with the newest stamp of that, so that a later edit survives', async () => {
    const { server, device, engine } = await connected();
    put(server, 'a', 1, 70);
    await device.deliver(1, 1);
    engine.write({ type: 'put', ...place, entities: [{ key: 'b', rank: 1 }] });
    const newest = device.outbox[0]!.hlc;
    const ticket = engine.write({ type: 'deleteBy', ...all, where: { rank: 1 } });
    expect(ticket.keys).toEqual(['a', 'b']);
    expect(device.outbox[1]).toMatchObject({ hlc: newest, op: { type: 'batch' } });
    expect(engine.count(all).count).toBe(0);
    server.appendOp({ type: 'put', pk: 'a', fields: { rank: 1 }, create: false }, hlc(newest + 1), 'other');
    await device.deliver(1, 1);
    expect(engine.query(all).keys).toEqual(['a']);
  });

  it('splits a large write into ops that the log takes', async () => {
    const { device, engine } = await connected();
    const entities = Array.from({ length: 40 }, (_, index) => ({ key: `k${index}`, title: 'x'.repeat(20_000) }));
    engine.write({ type: 'put', ...place, entities });
    expect(device.outbox.length).toBeGreaterThan(1);
    expect(engine.count(all).count).toBe(40);
  });

  it('holds 100,000 rows, lets the log take them over, and costs nothing afterwards', async () => {
    const { device, engine } = await connected();
    const usedBytes = device.ports.kernel.usedBytes;
    const count = 100_000;
    const entries = Array.from({ length: count }, (_, index): ReplicaChange => {
      const fields = { rank: index, tag: null, title: 'row', embedding: new Float32Array([index, 0, 1]) };
      const op = { type: 'put', pk: `k${index}`, fields, create: true } as const;
      return { type: 'entry', channel: TEST_CHANNEL, entry: { id: index + 1, op, hlc: hlc(index + 1), clientId: 'me' } };
    });
    engine.replication.apply(entries);
    expect(engine.count(all).count).toBe(count);
    expect(engine.search({ ...all, vector: [77_777, 0, 1], field: 'embedding', limit: 1 }).hits).toMatchObject([
      { key: 'k77777', pending: true },
    ]);
    // The same rows out of nothing: a bootstrap under them folds none of them anew.
    await device.swap('empty', 1);
    expect(engine.count(all).count).toBe(count);
    const gone = entries.map((_, index): ReplicaChange => ({ type: 'entry-gone', channel: TEST_CHANNEL, id: index + 1 }));
    engine.replication.apply(gone.slice(0, count / 2));
    expect(engine.count(all).count).toBe(count / 2);
    engine.replication.apply(gone.slice(count / 2));
    expect(engine.count(all).count).toBe(0);
    expect(engine.inspect().outbox).toEqual({ writes: 0, bytes: 0 });
    expect(device.ports.kernel.usedBytes).toBe(usedBytes);
  }, 30_000);
});

describe('[R5, R6] a followed replica', () => {
  it('that is swapped leaves views of before as they were, and frees them with the last one', async () => {
    const { server, device, engine } = await connected();
    for (let index = 0; index < 50; index++) put(server, `k${index}`, index, index + 1);
    await device.deliver(50, 10);
    engine.write({ type: 'patch', ...place, key: 'k1', fields: { rank: 100 } });
    const view = device.view();
    const before = rowsOfView(view);
    await device.swap('manifest', 1);
    engine.write({ type: 'delete', ...place, key: 'k2' });
    expect(engine.inspect().partitions.find(({ partition }) => partition === PARTITION)).toMatchObject({
      leader: 'server',
      entities: 49,
      growing: 0,
      pending: 2,
      segments: [{ rows: 50 }],
    });
    expect(rowsOfView(view)).toEqual(before);
    view.release();
    expect(engine.replication.state(TEST_CHANNEL)).toMatchObject({ growingRows: 0, position: 50 });
  });

  it('[R12] whose frame does not follow on says so and applies nothing of it', async () => {
    const { server, device, engine } = await connected();
    for (let index = 0; index < 4; index++) put(server, `k${index}`, index, index + 1);
    const frame = server.framesFrom(2, 1, 1)[0]!;
    expect(engine.replication.apply([{ type: 'frame', channel: TEST_CHANNEL, frame }]).diverged).toEqual([TEST_CHANNEL]);
    expect(device.position).toBe(0);
  });

  it('[R13] tells a frame that names another hash, and applies it', async () => {
    const { server, device, engine } = await connected();
    put(server, 'a', 1, 1);
    const frame = { ...server.framesFrom(0, 1, 1)[0]!, hashBefore: { lo: 1, hi: 1 } };
    expect(engine.replication.apply([{ type: 'frame', channel: TEST_CHANNEL, frame }]).diverged).toEqual([TEST_CHANNEL]);
    expect(device.position).toBe(1);
  });

  it('takes frames of earlier log epochs: a restored log keeps them', async () => {
    const { server, device, engine } = await connected();
    put(server, 'a', 1, 1);
    const frame = { ...server.framesFrom(0, 1, 1)[0]!, logEpoch: 'an epoch before' };
    expect(engine.replication.apply([{ type: 'frame', channel: TEST_CHANNEL, frame }]).diverged).toEqual([]);
    expect(device.position).toBe(1);
  });

  it('shows another row of the same key as changed, whatever the order of the stamps', async () => {
    const { server, device, engine } = await connected();
    put(server, 'a', 1, 10);
    server.appendOp({ type: 'patch', pk: 'a', fields: { tag: 'x' } }, hlc(30), 'other');
    await device.deliver(2, 2);
    const [before] = engine.query(all).versions;
    server.appendOp({ type: 'patch', pk: 'a', fields: { rank: 2 } }, hlc(20), 'third');
    await device.deliver(1, 1);
    expect(engine.query(all).entities).toMatchObject([{ rank: 2, tag: 'x' }]);
    expect(engine.query(all).versions).not.toEqual([before]);
  });

  it('is staged from readable segments only, and one that is dropped meanwhile leaves nothing', async () => {
    const { server, device, engine } = await connected();
    put(server, 'a', 1, 1);
    const source = await server.manifest(device.ports.objects);
    if (source === 'empty') throw new Error('a manifest expected');
    const dropped = engine.replication.stage(TEST_CHANNEL, 100, source);
    engine.replication.dropStaged(100);
    await expect(dropped).rejects.toThrow(fails('ABORTED'));
    await device.ports.objects.delete(source.manifest.segments[0]!.name);
    await expect(engine.replication.stage(TEST_CHANNEL, 101, source)).rejects.toThrow(fails('CHECKSUM_MISMATCH'));
    const other = { ...source, manifest: { ...source.manifest, channel: 'x/y/0' } };
    await expect(engine.replication.stage(TEST_CHANNEL, 102, other)).rejects.toThrow(fails('FORMAT_INVALID'));
    engine.replication.dropStaged(103);
  });
});

describe('what is stored of a followed channel', () => {
  it('is opened as far as it can be read, and goes on when what was damaged comes again', async () => {
    const { server, device } = await connected();
    for (let index = 0; index < 6; index++) put(server, `k${index}`, index, index + 1);
    await device.deliver(1, 1);
    const stream = followedStream(TEST_CHANNEL);
    const damaged = encodeFrame(server.framesFrom(1, 1, 1)[0]!);
    damaged[5]! ^= 255;
    const after = encodeFrame(server.framesFrom(2, 1, 1)[0]!);
    await device.ports.log.append(stream, 1, [
      { channel: TEST_CHANNEL, bytes: damaged },
      { channel: TEST_CHANNEL, bytes: after },
    ]);
    await device.reopen();
    expect(device.engine.query(all).keys).toEqual(['k0']);
    expect(device.position).toBe(1);
    expect(await device.deliver(5, 2)).toEqual([]);
    await device.reopen();
    expect(device.position).toBe(6);
  });

  it('before a swap to another history is not taken for what came after it', async () => {
    const { server, device } = await connected();
    for (let index = 0; index < 6; index++) put(server, `old${index}`, index, index + 1);
    await device.deliver(6, 1);
    const restored = await TestServer.open();
    put(restored, 'new', 1, 1);
    device.server = restored;
    await device.swap('empty', 1);
    expect(device.engine.query(all).keys).toEqual(['new']);
    await device.reopen();
    expect(device.engine.query(all).keys).toEqual(['new']);
    expect(device.position).toBe(1);
  });

  it('without a readable manifest leaves nothing but the outbox', async () => {
    const { server, device, engine } = await connected();
    put(server, 'a', 1, 1);
    await device.swap('manifest', 1);
    engine.write({ type: 'put', ...place, entities: [{ key: 'b' }] });
    for (const { name } of await device.ports.objects.list('')) await device.ports.objects.delete(name);
    await device.reopen();
    expect(device.engine.query(all)).toMatchObject({ keys: ['b'], degraded: 'bootstrapping', coverage: 0.5 });
    expect(device.engine.replication.state(TEST_CHANNEL)).toMatchObject({ position: 0, logEpoch: null });
    await device.swap('manifest', 1);
    expect(device.engine.query(all)).toMatchObject({ keys: ['a', 'b'], degraded: null, coverage: 1 });
  });

  it('with a damaged segment says which rows are missing', async () => {
    const { server, device } = await connected();
    put(server, 'a', 1, 1);
    await device.swap('manifest', 1);
    const { segments } = device.engine.inspect().partitions.find(({ partition }) => partition === PARTITION)!;
    for (const { name } of await device.ports.objects.list('')) if (name.includes('segment')) await device.ports.objects.delete(name);
    await device.reopen();
    expect(device.engine.replication.state(TEST_CHANNEL)).toMatchObject({ position: 1, quarantined: [segments[0]!.id] });
    expect(device.engine.query(all)).toMatchObject({ keys: [], coverage: 0 });
  });

  it('is opened anew in place of what was shown, and watchers see it', async () => {
    const { server, device, engine } = await connected();
    put(server, 'a', 1, 1);
    await device.deliver(1, 1);
    engine.write({ type: 'put', ...place, entities: [{ key: 'b' }] });
    const seen: unknown[] = [];
    engine.watchQuery(
      all,
      (result) => seen.push(result.keys),
      (error) => expect.unreachable(error.message),
    );
    const view = device.view();
    const stored = { channel: TEST_CHANNEL, ...place, logEpoch: 'universe', overlay: [] };
    await engine.replication.open([stored]);
    device.ports.clock.advance(20);
    await device.swap('manifest', 1);
    device.ports.clock.advance(20);
    put(server, 'c', 1, 2);
    await device.swap('manifest', 1);
    device.ports.clock.advance(20);
    expect(seen).toEqual([['a', 'b'], ['a'], ['a', 'c']]);
    expect([...rowsOfView(view).keys()].sort()).toEqual(['a', 'b']);
    view.release();
  });
});

describe('a conflict', () => {
  it('is told once, in the order of the log, for each field that a newer write of another device holds', async () => {
    const { server, device, engine } = await connected();
    const conflicts: Conflict[] = [];
    engine.replication.onConflict((conflict) => conflicts.push(conflict));
    put(server, 'a', 1, 1);
    await device.deliver(1, 1);
    engine.write({ type: 'patch', ...place, key: 'a', fields: { rank: 2, tag: 'x', title: 'same' } });
    engine.write({ type: 'patch', ...place, key: 'a', fields: { rank: 3 } });
    server.appendOp({ type: 'patch', pk: 'a', fields: { rank: 9, title: 'same' } }, hlc(1_000), 'other');
    device.push(2);
    await device.deliver(2, 2);
    await device.deliver(1, 1);
    const rank = { channel: TEST_CHANNEL, key: 'a', field: 'rank', kept: 9 };
    expect(conflicts).toEqual([
      { ...rank, lost: 2 },
      { ...rank, lost: 3 },
    ]);
    expect(engine.get({ ...all, keys: ['a'] }).entities).toMatchObject([{ rank: 9, tag: 'x' }]);
  });
});

describe('local and followed channels in one database', () => {
  it('are read as one, and a token names positions of both universes', async () => {
    const { server, device, engine } = await connected();
    put(server, 'a', 1, 1);
    await device.deliver(1, 1);
    engine.write({ type: 'put', collection: 'things', entities: [{ key: 'b' }] });
    const { keys, token } = engine.query({ collection: 'things' });
    expect(keys).toEqual(['a', 'b']);
    const universes = decodeToken(token);
    expect(universes).toHaveLength(2);
    expect(new Map(universes.flatMap(({ positions }) => [...positions])).get(TEST_CHANNEL)).toBe(1);
    expect(engine.query({ collection: 'things', consistency: { atLeast: token } }).degraded).toBeNull();
    expect(engine.query({ ...all, consistency: { atLeast: token } }).degraded).toBeNull();
    put(server, 'c', 1, 2);
    await device.deliver(1, 1);
    const newer = engine.query(all).token;
    await device.reopen();
    expect(device.engine.query({ ...all, consistency: { atLeast: newer } }).degraded).toBeNull();
  });

  it('hides the local channel of a partition while it is followed', async () => {
    const { engine, server, device, changes } = await connected();
    engine.write({ type: 'put', collection: 'things', partition: 'later', entities: [{ key: 'mine' }] });
    await engine.replication.open([{ channel: 'c/p/0', collection: 'things', partition: 'later', logEpoch: null, overlay: [] }]);
    expect(engine.query({ collection: 'things', partitions: ['later'] })).toMatchObject({
      keys: [],
      degraded: 'bootstrapping',
      coverage: 0,
    });
    expect(changes.at(-1)).toEqual([{ collection: 'things', partition: 'later', keys: [], all: true }]);
    engine.replication.leave('c/p/0');
    expect(engine.query({ collection: 'things', partitions: ['later'] }).keys).toEqual(['mine']);
    expect(engine.replication.state('c/p/0')).toBeUndefined();
    expect(server.position + device.position).toBe(0);
  });

  it('take one write of several requests only if all are for channels of one kind', async () => {
    const { device, engine } = await connected();
    const both = [
      { type: 'put', collection: 'things', entities: [{ key: 'a' }] },
      { type: 'put', ...place, entities: [{ key: 'b' }] },
    ] as const;
    expect(() => engine.writeAll(both)).toThrow(fails('OPTION_INVALID'));
    expect(engine.count({ collection: 'things' }).count).toBe(0);
    engine.write(both[0]);
    engine.write(both[1]);
    const ticket = engine.write({ type: 'deleteBy', collection: 'things', where: { rank: 7 } });
    await engine.flush();
    await ticket.durable;
    expect(ticket.keys).toEqual(['a', 'b']);
    expect(device.outbox).toHaveLength(2);
  });

  it('refuses a write to a followed partition without an outbox', async () => {
    const engine = await openEngine({ ports: await memoryPorts(), schema: testSchema });
    await engine.replication.open([{ ...place, channel: TEST_CHANNEL, logEpoch: TEST_EPOCH, overlay: [] }]);
    expect(() => engine.write({ type: 'put', ...place, entities: [{ key: 'a' }] })).toThrow(fails('NOT_CONNECTED'));
    await engine.close();
  });
});
