import type { Clock, Frame, LogRecord } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readManifestPointer } from '../catalog/manifest-pointer.ts';
import { sealChannel } from '../seal/seal-channel.ts';
import { memoryPorts, testKernel } from '../testing/memory-ports.ts';
import { NaiveFold } from '../testing/naive-fold.ts';
import { anyLog, cutFrames } from '../testing/record-arbitraries.ts';
import { rowsOfView, sortedRows, TEST_CHANNEL, TEST_EPOCH, testChannel, testDefinition } from '../testing/test-channel.ts';
import { defaultsOf, emptyReplica, loadManifest, openReplica } from './open-replica.ts';
import type { Replica } from './replica.ts';
import { SegmentPool } from './segment-pool.ts';

const names = { channel: TEST_CHANNEL, logEpoch: TEST_EPOCH };
const defaults = defaultsOf(testDefinition);

function naive(records: readonly LogRecord[]): NaiveFold {
  const fold = new NaiveFold(defaults);
  for (const record of records) fold.apply(record);
  return fold;
}

/** Frames with the hash that the naive fold had before each. */
function framesOf(records: readonly LogRecord[], counts: readonly number[]): Frame[] {
  return cutFrames(records, counts, names).map((frame) => ({ ...frame, hashBefore: naive(records.slice(0, frame.base - 1)).hash() }));
}

function expectSame(replica: Replica, fold: NaiveFold): void {
  const view = replica.view();
  expect(sortedRows(rowsOfView(view))).toEqual(sortedRows(fold.rows()));
  view.release();
  expect(replica.hash).toEqual(fold.hash());
  expect(replica.position).toBe(fold.records);
  expect(replica.divergences).toBe(0);
}

/** For which every step is a slice of its own. */
const impatientClock: Clock = {
  nowMs: () => 0,
  monotonicMs: (
    (now) => () =>
      (now += 1_000)
  )(0),
  after: (_delayMs, callback) => {
    void Promise.resolve().then(callback);
    return () => {};
  },
};

const anyCounts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 });

describe('a replica', () => {
  it('[R13] has the rows and the hash of the naive fold, however the log is cut into frames', async () => {
    const kernel = await testKernel();
    fc.assert(
      fc.property(anyLog, anyCounts, (records, counts) => {
        const replica = emptyReplica({ ...names, definition: testDefinition, kernel });
        for (const frame of framesOf(records, counts)) replica.applyFrame(frame);
        expectSame(replica, naive(records));
        replica.retire();
      }),
      propertyOptions(150),
    );
  });

  it('[R12] ignores frames it has seen, takes the rest of one that overlaps, and refuses a hole', async () => {
    const kernel = await testKernel();
    fc.assert(
      fc.property(
        anyLog,
        anyCounts,
        anyCounts,
        fc.array(fc.nat({ max: 59 }), { maxLength: 8 }),
        (records, counts, otherCounts, repeats) => {
          const replica = emptyReplica({ ...names, definition: testDefinition, kernel });
          const frames = framesOf(records, counts);
          const others = framesOf(records, otherCounts);
          frames.forEach((frame, index) => {
            for (const repeat of repeats) {
              const again = others[repeat % others.length]!;
              if (again.base <= replica.position + 1 && repeat % 7 === index % 7) replica.applyFrame(again);
            }
            replica.applyFrame(frame);
          });
          expectSame(replica, naive(records));
          const hole = { ...frames[0]!, base: records.length + 2 };
          expect(() => replica.applyFrame(hole)).toThrow(expect.objectContaining({ code: 'APPEND_CONFLICT' }));
          expectSame(replica, naive(records));
          replica.retire();
        },
      ),
      propertyOptions(80),
    );
  });

  it('[R13] counts a frame whose hash is not its own', async () => {
    const { replica } = await testChannel();
    const record: LogRecord = {
      type: 'op',
      op: { type: 'delete', pk: 'a' },
      hlc: 1 as never,
      clientId: 'one',
      seq: 1,
      author: '',
      schemaVersion: 1,
    };
    replica.applyFrame({ ...framesOf([record], [1])[0]!, hashBefore: { lo: 1, hi: 0 } });
    expect(replica.divergences).toBe(1);
  });

  it('a view shows its moment for as long as it is held, while rows die, are patched and sealed under it', async () => {
    const kernel = await testKernel();
    const usedBytes = kernel.usedBytes;
    await fc.assert(
      fc.asyncProperty(
        anyLog,
        anyCounts,
        fc.array(fc.nat({ max: 5 }), { minLength: 10, maxLength: 10 }),
        async (records, counts, steps) => {
          const channel = await testChannel();
          const ports = await memoryPorts();
          const pool = new SegmentPool(ports.objects, kernel);
          const context = {
            ports,
            pool,
            clock: impatientClock,
            logEpoch: TEST_EPOCH,
            flush: async () => {},
            cursorAt: () => 0,
            isShown: () => true,
          };
          const held: { view: ReturnType<Replica['view']>; rows: unknown }[] = [];
          const frames = framesOf(records, counts);
          let sealing: Promise<unknown> = Promise.resolve();
          for (const [index, frame] of frames.entries()) {
            channel.replica.applyFrame(frame);
            // The seal goes on while the next frames are applied.
            await ticks(steps[(index * 3 + 1) % steps.length]!);
            const step = steps[index % steps.length]!;
            if (step >= 4) {
              const view = channel.replica.view();
              held.push({ view, rows: sortedRows(naive(records.slice(0, view.position)).rows()) });
            }
            if (step === 0 || step === 4)
              sealing = sealing.then(() => sealChannel(context, channel, { forCompaction: false, choose: some(index) }));
          }
          await sealing;
          expectSame(channel.replica, naive(records));
          for (const { view, rows } of held) expect(sortedRows(rowsOfView(view))).toEqual(rows);
          channel.replica.retire();
          for (const { view, rows } of held) {
            expect(sortedRows(rowsOfView(view))).toEqual(rows);
            view.release();
          }
          expect(kernel.usedBytes).toBe(usedBytes);
        },
      ),
      propertyOptions(60),
    );
  });

  it('[R13] resumed from any manifest of the same log ends with the same rows and the same hash', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyLog,
        anyCounts,
        anyCounts,
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        async (records, counts, tailCounts, seals) => {
          const ports = await memoryPorts();
          // Nothing is deleted, so that every manifest that ever was can be opened.
          const objects = keeping(ports.objects);
          const pool = new SegmentPool(objects, ports.kernel);
          const context = {
            ports: { objects, meta: ports.meta },
            pool,
            clock: ports.clock,
            logEpoch: TEST_EPOCH,
            flush: async () => {},
            cursorAt: () => 0,
            isShown: () => true,
          };
          const channel = await testChannel();
          const manifests: string[] = [];
          for (const [index, frame] of framesOf(records, counts).entries()) {
            channel.replica.applyFrame(frame);
            if (seals[index % seals.length] && (await sealChannel(context, channel, { forCompaction: false, choose: some(index) }))) {
              manifests.push((await readManifestPointer(ports.meta, TEST_CHANNEL))!.object);
            }
          }
          await sealChannel(context, channel, { forCompaction: true });
          expectSame(channel.replica, naive(records));
          for (const name of manifests) {
            const manifest = await loadManifest(objects, name);
            const resumed = await openReplica({ ...names, definition: testDefinition, kernel: ports.kernel, objects, pool, manifest });
            expect(resumed.hash).toEqual(naive(records.slice(0, manifest.upTo)).hash());
            for (const frame of framesOf(records, tailCounts)) resumed.applyFrame(frame);
            expectSame(resumed, naive(records));
            resumed.retire();
          }
          channel.replica.retire();
        },
      ),
      propertyOptions(60),
    );
  });
});

async function ticks(count: number): Promise<void> {
  for (let index = 0; index < count * 3; index++) await Promise.resolve();
}

/** Some of the segments, others each time: the real policy would rewrite all of these tiny ones. */
function some(seed: number): (segments: readonly unknown[]) => number[] {
  return (segments) => segments.flatMap((_, index) => ((index * 7 + seed) % 3 === 0 ? [index] : []));
}

function keeping<S extends { delete(name: string): Promise<void> }>(store: S): S {
  return new Proxy(store, {
    get: (target, name) =>
      name === 'delete'
        ? async () => {}
        : typeof target[name as keyof S] === 'function'
          ? (target[name as keyof S] as () => void).bind(target)
          : target[name as keyof S],
  });
}
