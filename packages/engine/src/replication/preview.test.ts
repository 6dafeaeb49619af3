import type { Timestamp } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import type { Manifest } from '../manifest/types.ts';
import { TEST_CHANNEL } from '../testing/test-channel.ts';
import { PARTITION, TestDevice } from './testing/test-device.ts';
import { TestServer } from './testing/test-server.ts';

/** More than a segment that is rewritten by the next seal, so that a manifest has two. */
const ROWS = 2_100;
const place = { collection: 'things', partition: PARTITION };
const all = { collection: 'things', partitions: [PARTITION] };
const fails = (code: string): unknown => expect.objectContaining({ code });
const fieldsOf = (rank: number): object => ({ rank, tag: null, title: 'theirs', embedding: null });
const nameOf = (at: number): string => `k${String(at).padStart(5, '0')}`;

interface Offered {
  readonly server: TestServer;
  readonly device: TestDevice;
  readonly source: { readonly manifest: Manifest; readonly manifestObject: string };
  /** By their rows: the large one, and the small one, which supersedes k00000 and adds `new`; k00001 was deleted after the large one. */
  readonly large: string;
  readonly small: string;
}

async function offered(): Promise<Offered> {
  const server = await TestServer.open();
  const device = await TestDevice.open(server);
  const ops = Array.from({ length: ROWS }, (_, at) => ({ type: 'put', pk: nameOf(at), fields: fieldsOf(at), create: true }) as const);
  server.appendOp({ type: 'batch', ops } as never, 1 as Timestamp, 'other');
  await server.manifest(device.ports.objects);
  server.appendOp({ type: 'put', pk: nameOf(0), fields: fieldsOf(-1) } as never, 2 as Timestamp, 'other');
  server.appendOp({ type: 'delete', pk: nameOf(1) }, 3 as Timestamp, 'other');
  server.appendOp({ type: 'put', pk: 'new', fields: fieldsOf(-2), create: true } as never, 4 as Timestamp, 'other');
  const source = await server.manifest(device.ports.objects);
  if (source === 'empty') throw new Error('a manifest expected');
  const [large, small] = [...source.manifest.segments].sort((a, b) => b.rows - a.rows).map(({ id }) => id) as [string, string];
  expect(source.manifest.segments).toHaveLength(2);
  return { server, device, source, large, small };
}

function count({ device }: Offered): unknown {
  const { count: rows, coverage, degraded } = device.engine.count(all);
  return { rows, coverage: Math.round(coverage * 1000) / 1000, degraded };
}

describe('[R6] a first bootstrap that is under way', () => {
  it('can be searched after one segment, says how much is there, and shows no row that a missing segment supersedes or that was deleted', async () => {
    const of = await offered();
    const { device, source, large, small } = of;
    const { engine } = device;
    expect(count(of)).toEqual({ rows: 0, coverage: 0, degraded: 'bootstrapping' });
    const changed: unknown[] = [];
    engine.onChange((changes) => changed.push(...changes));
    await engine.replication.preview(TEST_CHANNEL, source.manifest, [large]);
    // The new version of k00000 and `new` are missing, and one row that nobody knows.
    expect(count(of)).toEqual({ rows: ROWS - 2, coverage: Math.round((1000 * (ROWS - 2)) / (ROWS + 1)) / 1000, degraded: 'bootstrapping' });
    expect(engine.get({ ...all, keys: [nameOf(0), nameOf(1), nameOf(2)] }).entities).toMatchObject([undefined, undefined, { rank: 2 }]);
    expect(changed).toEqual([{ ...place, keys: [], all: true }]);

    await engine.replication.preview(TEST_CHANNEL, source.manifest, [large, small]);
    expect(engine.get({ ...all, keys: [nameOf(0), nameOf(1), 'new'] }).entities).toMatchObject([{ rank: -1 }, undefined, { rank: -2 }]);
    // What the log has since is not here before the swap.
    expect(count(of)).toMatchObject({ rows: ROWS, degraded: 'bootstrapping' });
    expect(engine.replication.state(TEST_CHANNEL)).toMatchObject({ position: 0, logEpoch: null });
    await engine.close();
  });

  it('never shows less than before, nor anything once the channel is whole', async () => {
    const of = await offered();
    const { device, source, large, small } = of;
    const { engine } = device;
    await engine.replication.preview(TEST_CHANNEL, source.manifest, [large]);
    await engine.replication.preview(TEST_CHANNEL, source.manifest, [small]);
    expect(count(of)).toMatchObject({ rows: ROWS - 2 });
    await engine.replication.stage(TEST_CHANNEL, 1, source);
    engine.replication.apply([{ type: 'swap', channel: TEST_CHANNEL, fetch: 1, logEpoch: 'universe' }]);
    expect(count(of)).toEqual({ rows: ROWS, coverage: 1, degraded: null });
    await engine.replication.preview(TEST_CHANNEL, source.manifest, [large]);
    expect(count(of)).toEqual({ rows: ROWS, coverage: 1, degraded: null });
    await engine.close();
  });

  it('lies under the outbox: own writes are seen over it and after it', async () => {
    const { device, source, large } = await offered();
    const { engine } = device;
    // Stamps of this device, as those of a clock that goes right, are above the server's by then.
    for (let index = 0; index < 5; index++) engine.write({ type: 'put', ...place, entities: [{ key: nameOf(5), rank: index }] });
    engine.write({ type: 'put', ...place, entities: [{ key: nameOf(5), rank: 500 }] });
    engine.write({ type: 'put', ...place, entities: [{ key: nameOf(6), rank: 600 }] });
    engine.write({ type: 'delete', ...place, key: nameOf(6) });
    const read = (): unknown => engine.get({ ...all, keys: [nameOf(5), nameOf(6), nameOf(7)] }).entities.map((entity) => entity?.['rank']);
    expect(read()).toEqual([500, undefined, undefined]);
    await engine.replication.preview(TEST_CHANNEL, source.manifest, [large]);
    expect(read()).toEqual([500, undefined, 7]);
    await engine.replication.stage(TEST_CHANNEL, 1, source);
    engine.replication.apply([{ type: 'swap', channel: TEST_CHANNEL, fetch: 1, logEpoch: 'universe' }]);
    expect(read()).toEqual([500, undefined, 7]);
    await engine.close();
  });

  it('shows nothing of a damaged segment, nor of a channel that nobody follows, and a view that was taken keeps what it showed', async () => {
    const of = await offered();
    const { device, source, large, small } = of;
    const { engine } = device;
    await engine.replication.preview('x/y/0', source.manifest, [large]);
    const { name } = source.manifest.segments.find(({ id }) => id === small)!;
    await device.ports.objects.delete(name);
    await expect(engine.replication.preview(TEST_CHANNEL, source.manifest, [small])).rejects.toThrow(fails('CHECKSUM_MISMATCH'));
    await expect(engine.replication.stage(TEST_CHANNEL, 1, source)).rejects.toMatchObject({ details: { objects: [name] } });
    expect(count(of)).toMatchObject({ rows: 0 });
    await engine.replication.preview(TEST_CHANNEL, source.manifest, [large]);
    const view = device.view();
    engine.replication.leave(TEST_CHANNEL);
    expect(view.liveRows).toBe(ROWS - 2);
    view.release();
    await engine.close();
  });
});
