import { timestampFromMs } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../database/types.ts';
import { PARTITION, TestDevice } from '../replication/testing/test-device.ts';
import { TestServer } from '../replication/testing/test-server.ts';
import { TEST_CHANNEL } from '../testing/test-channel.ts';

const HOUR_MS = 3_600_000;
const HOUR = HOUR_MS / 1000;
const place = { collection: 'things', partition: PARTITION };
const all = { collection: 'things', partitions: [PARTITION] };

async function connected(): Promise<{ server: TestServer; device: TestDevice; engine: Engine }> {
  const server = await TestServer.open();
  const device = await TestDevice.open(server);
  await device.swap('empty', 1);
  return { server, device, engine: device.engine };
}

/** Somebody else's put of this moment, shown here. */
async function put({ server, device }: { server: TestServer; device: TestDevice }, pk: string): Promise<void> {
  const fields = { rank: 1, tag: null, title: 'theirs', embedding: null };
  server.appendOp({ type: 'put', pk, fields, create: true }, timestampFromMs(device.ports.clock.nowMs()), 'other');
  await device.deliver(1, 1);
}

function shown(engine: Engine): unknown[] {
  const { keys } = engine.query(all);
  expect(engine.count(all).count).toBe(keys.length);
  return [...keys];
}

describe('[TTL] a followed partition', () => {
  it('shows what the time to live of the server leaves in, whenever that changes, and others go by the schema of the app', async () => {
    const one = await connected();
    const { engine, device } = one;
    engine.write({ type: 'put', collection: 'things', entities: [{ key: 'own' }] });
    await put(one, 'a');
    device.ports.clock.advance(HOUR_MS);
    await put(one, 'b');
    for (const [ttlSeconds, keys] of [
      [HOUR, ['b']],
      [2 * HOUR, ['a', 'b']],
      [1, ['b']],
      [null, ['a', 'b']],
      [HOUR, ['b']],
    ] as const) {
      engine.replication.setTimeToLive(TEST_CHANNEL, ttlSeconds);
      expect(shown(engine), `${ttlSeconds} s`).toEqual(keys);
      expect(engine.query({ collection: 'things', partitions: ['_default'] }).keys).toEqual(['own']);
    }
    engine.replication.setTimeToLive('no such channel', 1);
    await engine.close();
  });

  it('is opened with it', async () => {
    const one = await connected();
    await put(one, 'a');
    one.device.ports.clock.advance(HOUR_MS);
    const open = { ...place, channel: TEST_CHANNEL, logEpoch: 'universe-of-the-server', overlay: [] };
    for (const [ttlSeconds, keys] of [
      [HOUR, []],
      [null, ['a']],
    ] as const) {
      await one.engine.replication.open([{ ...open, ttlSeconds }]);
      expect(shown(one.engine)).toEqual(keys);
    }
    await one.engine.close();
  });

  it('tells live results when there is another, and again when rows expire by it', async () => {
    const one = await connected();
    const { engine, device } = one;
    await put(one, 'a');
    device.ports.clock.advance(HOUR_MS / 2);
    await put(one, 'b');
    const seen: unknown[] = [];
    const stop = engine.watchQuery(
      all,
      ({ keys }) => seen.push([...keys]),
      (error) => expect.unreachable(error.message),
    );
    engine.replication.setTimeToLive(TEST_CHANNEL, HOUR / 2);
    device.ports.clock.advance(1_000);
    engine.replication.setTimeToLive(TEST_CHANNEL, HOUR);
    device.ports.clock.advance(1_000);
    device.ports.clock.advance(HOUR_MS / 2);
    engine.replication.setTimeToLive(TEST_CHANNEL, null);
    device.ports.clock.advance(HOUR_MS);
    expect(seen).toEqual([['a', 'b'], ['b'], ['a', 'b'], ['b'], ['a', 'b']]);
    stop();
    await engine.close();
    expect(device.ports.clock.pendingTimers).toBe(0);
  });

  it('takes an expired entity for absent where a write of this device asks for it, by the time to live of its partition', async () => {
    const one = await connected();
    const { engine, device } = one;
    await put(one, 'a');
    engine.replication.setTimeToLive(TEST_CHANNEL, HOUR);
    device.ports.clock.advance(HOUR_MS);
    engine.write({ type: 'patch', ...place, key: 'a', fields: { rank: 2 } });
    engine.write({ type: 'delete', ...place, key: 'a' });
    expect(device.outbox).toEqual([]);
    engine.replication.setTimeToLive(TEST_CHANNEL, null);
    engine.write({ type: 'patch', ...place, key: 'a', fields: { rank: 2 } });
    expect(device.outbox).toHaveLength(1);
    await engine.close();
  });

  it('drops rows where the log says so, whatever its own time to live says', async () => {
    const one = await connected();
    const { engine, device, server } = one;
    await put(one, 'a');
    device.ports.clock.advance(1);
    const cutoff = timestampFromMs(device.ports.clock.nowMs());
    await put(one, 'b');
    engine.replication.setTimeToLive(TEST_CHANNEL, 100 * HOUR);
    server.append({ type: 'gc', floor: 0 as typeof cutoff, expiredBefore: cutoff });
    expect(await device.deliver(1, 1)).toEqual([]);
    expect(shown(engine)).toEqual(['b']);
    await engine.close();
  });
});
