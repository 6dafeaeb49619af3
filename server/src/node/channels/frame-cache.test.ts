import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Frame, ZERO_HASH } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameCache } from './frame-cache.ts';

const MAX_BYTES = 100;
const channels = ['a', 'b', 'c'];
const steps = fc.array(
  fc.record({
    channel: fc.constantFrom(...channels),
    records: fc.integer({ min: 1, max: 4 }),
    bytes: fc.integer({ min: 1, max: 40 }),
  }),
  { maxLength: 400 },
);

it('keeps the newest frames of all channels within its bytes, and gives a run without a hole or nothing', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 80 }), (made, maxBytes) => {
      const cache = new FrameCache(MAX_BYTES);
      let kept: { frame: Frame; bytes: number }[] = [];
      const next = new Map(channels.map((channel) => [channel, 1]));
      for (const { channel, records, bytes } of made) {
        const base = next.get(channel)!;
        const record = { type: 'expire', clientId: 'c' } as const;
        const frame: Frame = { logEpoch: 'e', leaderEpoch: 1, channel, base, hashBefore: ZERO_HASH, records: Array(records).fill(record) };
        next.set(channel, base + records);
        cache.add({ frame, bytes });
        kept.push({ frame, bytes });
        while (kept.reduce((sum, sized) => sum + sized.bytes, 0) > MAX_BYTES) kept = kept.slice(1);
      }
      for (const channel of channels) {
        const own = kept.filter((sized) => sized.frame.channel === channel);
        for (let position = 1; position <= next.get(channel)!; position++) {
          const at = own.findIndex(({ frame }) => frame.base <= position && position < frame.base + frame.records.length);
          const found = cache.read(channel, position, maxBytes);
          if (at < 0) {
            expect(found).toBeUndefined();
            continue;
          }
          expect(found!.length).toBeGreaterThan(0);
          expect(found).toEqual(own.slice(at, at + found!.length));
          const bytes = found!.reduce((sum, sized) => sum + sized.bytes, 0);
          expect(found!.length === 1 || bytes <= maxBytes).toBe(true);
        }
      }
    }),
    propertyOptions(200),
  );
});

it('lets go of a frame when it forgets it', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const cache = new FrameCache(MAX_BYTES);
  const add = (base: number): WeakRef<Frame> => {
    const frame: Frame = {
      logEpoch: 'e',
      leaderEpoch: 1,
      channel: 'a',
      base,
      hashBefore: ZERO_HASH,
      records: [{ type: 'expire', clientId: 'c' }],
    };
    cache.add({ frame, bytes: 40 });
    return new WeakRef(frame);
  };
  const frames = [1, 2, 3, 4].map(add);
  // What a WeakRef has given stays for the turn.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collect();
  expect(frames.map((frame) => frame.deref() !== undefined)).toEqual([false, false, true, true]);
});
