import type { Clock, LogRecord } from '@terndb/core';
import { expect, it } from 'vitest';
import { SegmentPool } from '../replica/segment-pool.ts';
import { memoryPorts } from '../testing/memory-ports.ts';
import { rowsOfView, TEST_CHANNEL, TEST_EPOCH, testChannel } from '../testing/test-channel.ts';
import { sealChannel } from './seal-channel.ts';

/** For which every step is a slice of its own. */
function impatientClock(onPause: () => void): Clock {
  let now = 0;
  return {
    nowMs: () => 0,
    monotonicMs: () => {
      now += 1_000;
      return now;
    },
    after: (_delayMs, callback) => {
      onPause();
      void Promise.resolve().then(callback);
      return () => {};
    },
  };
}

it('a seal ends at any of its pauses when its channel is no longer shown, publishes nothing and keeps no memory', async () => {
  const ports = await memoryPorts();
  const records = Array.from({ length: 100 }, (_, index): LogRecord => {
    const op = {
      type: 'put',
      pk: `k${index}`,
      fields: { title: `row ${index}`, embedding: Float32Array.of(1, 2, index) },
      create: true,
    } as const;
    return { type: 'op', op, hlc: (index + 1) as never, clientId: 'one', seq: index + 1, author: '', schemaVersion: 1 };
  });
  let pausesOfAll = 0;
  for (let lastPause = 0; ; lastPause++) {
    const before = ports.kernel.usedBytes;
    const channel = await testChannel();
    channel.replica.applyFrame({
      channel: TEST_CHANNEL,
      logEpoch: TEST_EPOCH,
      leaderEpoch: 0,
      base: 1,
      hashBefore: { lo: 0, hi: 0 },
      records,
    });
    let pauses = 0;
    const clock = impatientClock(() => {
      pauses += 1;
    });
    const pool = new SegmentPool(ports.objects, ports.kernel);
    const isShown = (): boolean => pauses <= lastPause;
    const context = { ports, pool, clock, logEpoch: TEST_EPOCH, flush: async () => {}, cursorAt: () => 0, isShown };
    expect(ports.kernel.usedBytes).toBeGreaterThan(before);
    const isSealed = await sealChannel(context, channel, { forCompaction: false });
    const view = channel.replica.view();
    expect(rowsOfView(view).size).toBe(100);
    view.release();
    expect(channel.published !== undefined).toBe(isSealed);
    if (isSealed) {
      pausesOfAll = pauses;
      break;
    }
    channel.replica.retire();
    expect(await ports.meta.list('')).toEqual([]);
    expect(ports.kernel.usedBytes).toBe(before);
  }
  expect(pausesOfAll).toBeGreaterThan(20);
});
