import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { decodeFrame, encodeFrame, type Frame, type Op, timestampFromMs, ZERO_HASH } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameCache, frameMemoryBytes, type SizedFrame } from './frame-cache.ts';

const MAX_MEMORY_BYTES = 5_000;
const channels = ['a', 'b', 'c'];
const steps = fc.array(
  fc.record({
    channel: fc.constantFrom(...channels),
    records: fc.integer({ min: 1, max: 4 }),
    bytes: fc.integer({ min: 1, max: 1_000 }),
  }),
  { maxLength: 400 },
);

it('keeps the newest frames of all channels within its bytes, and gives a run without a hole or nothing', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 2_000 }), (made, maxBytes) => {
      const cache = new FrameCache(MAX_MEMORY_BYTES);
      let kept: SizedFrame[] = [];
      const next = new Map(channels.map((channel) => [channel, 1]));
      for (const { channel, records, bytes } of made) {
        const base = next.get(channel)!;
        const record = { type: 'expire', clientId: 'c' } as const;
        const frame: Frame = { logEpoch: 'e', leaderEpoch: 1, channel, base, hashBefore: ZERO_HASH, records: Array(records).fill(record) };
        next.set(channel, base + records);
        cache.add({ frame, bytes });
        kept.push({ frame, bytes });
        while (kept.reduce((sum, sized) => sum + frameMemoryBytes(sized), 0) > MAX_MEMORY_BYTES) kept = kept.slice(1);
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

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

it('lets go of a frame when it forgets it', async () => {
  const collect = collector();
  const cache = new FrameCache(MAX_MEMORY_BYTES);
  const add = (base: number): WeakRef<Frame> => {
    const frame: Frame = {
      logEpoch: 'e',
      leaderEpoch: 1,
      channel: 'a',
      base,
      hashBefore: ZERO_HASH,
      records: [{ type: 'expire', clientId: 'c' }],
    };
    cache.add({ frame, bytes: 2_000 });
    return new WeakRef(frame);
  };
  const frames = [1, 2, 3, 4].map(add);
  // What a WeakRef has given stays for the turn.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collect();
  expect(frames.map((frame) => frame.deref() !== undefined)).toEqual([false, false, true, true]);
});

const SHAPES: Readonly<Record<string, (base: number) => readonly Op[]>> = {
  'letters that people type': () => [
    { type: 'yjs', pk: 'note', field: 'body', base: { clientId: 'device', seq: 1 }, update: new Uint8Array(25) },
  ],
  'patches of a number': (base) => [{ type: 'patch', pk: `row ${base}`, fields: { n: base } }],
  'batches of rows': (base) => [{ type: 'batch', ops: Array.from({ length: 20 }, (_, index) => putOf(base * 20 + index, 64)) }],
  'rows of long vectors': (base) => [putOf(base, 768)],
};

function putOf(id: number, dim: number): Extract<Op, { type: 'put' }> {
  return { type: 'put', pk: id, create: false, fields: { vector: new Float32Array(dim).fill(id), text: `note ${id}`, n: id } };
}

function frameOf(base: number, ops: readonly Op[]): SizedFrame {
  const frame: Frame = {
    logEpoch: 'epoch',
    leaderEpoch: 1,
    channel: 'a',
    base,
    hashBefore: ZERO_HASH,
    records: ops.map((op) => ({
      type: 'op',
      op,
      hlc: timestampFromMs(base),
      clientId: 'device',
      seq: base,
      author: 'somebody',
      schemaVersion: 1,
    })),
  };
  const encoded = encodeFrame(frame);
  return { frame: decodeFrame(encoded), bytes: encoded.length };
}

it.each(Object.keys(SHAPES))('holds no more memory than it was given for %s', (shape) => {
  const collect = collector();
  const held = (): number => {
    // Memory of typed arrays is given back after a collection, at the latest by the next one.
    collect();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const maxMemoryBytes = 8 * 2 ** 20;
  const cache = new FrameCache(maxMemoryBytes);
  const before = held();
  let base = 0;
  // Twice what fits.
  for (let filled = 0; filled < 2 * maxMemoryBytes; ) {
    base += 1;
    const sized = frameOf(base, SHAPES[shape]!(base));
    filled += frameMemoryBytes(sized);
    cache.add(sized);
  }
  const bytes = held() - before;
  expect(cache.read('a', base, 1)).toHaveLength(1);
  // The rest of this process moves, too; counted by the bytes of the log, letters took seven times what was given.
  expect(bytes).toBeLessThan(1.5 * maxMemoryBytes);
  expect(bytes).toBeGreaterThan(maxMemoryBytes / 3);
});
