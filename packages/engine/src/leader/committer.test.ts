import { DbError, decodeFrame, type Frame, MemoryLogBroker, ZERO_HASH } from '@terndb/core';
import { FaultyLogBroker, ManualClock } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import { Committer } from './committer.ts';
import { LogTail } from './log-tail.ts';

function setUp() {
  const log = new FaultyLogBroker(new MemoryLogBroker());
  const clock = new ManualClock();
  const failures: DbError[] = [];
  const committed: string[][] = [];
  const tail = new LogTail({ first: 1, last: 0 });
  const committer = new Committer({
    log,
    stream: '0',
    clock,
    groupCommitMs: 5,
    tail,
    onCommitted: (channels) => committed.push([...channels]),
    onFailed: (error) => failures.push(error),
  });
  return { log, clock, committer, tail, failures, committed };
}

function frame(channel: string, base: number, bytes = 100): { frame: Frame; bytes: number } {
  const record = { type: 'reject', clientId: 'c', seq: base, code: 'FORBIDDEN', author: '' } as const;
  return { frame: { logEpoch: 'e', leaderEpoch: 1, channel, base, hashBefore: ZERO_HASH, records: [record] }, bytes };
}

async function entries(log: FaultyLogBroker): Promise<[string, number, number][]> {
  const stored = await log.read('0', 1, { maxBytes: 1e9 });
  return stored.map(({ bytes }) => decodeFrame(bytes)).map(({ channel, base, records }) => [channel, base, records.length]);
}

describe('group commit', () => {
  it('gathers writes for its time and appends them as one frame per channel', async () => {
    const { log, clock, committer, tail, committed } = setUp();
    const writes = [frame('a', 1), frame('b', 1), frame('a', 2)].map((each) => committer.add([each]));
    clock.advance(4);
    expect(await log.bounds('0')).toEqual({ first: 1, last: 0 });
    clock.advance(1);
    await Promise.all(writes);
    expect(await entries(log)).toEqual([
      ['a', 1, 2],
      ['b', 1, 1],
    ]);
    expect(committed).toEqual([['a', 'b']]);
    expect(tail.last).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('appends at once when flushed, and what came while an append was in flight right after it', async () => {
    const { log, clock, committer } = setUp();
    const release = log.faults.holdNext('append');
    const first = committer.add([frame('a', 1)]);
    const flushed = committer.flush();
    const second = committer.add([frame('a', 2)]);
    const third = committer.add([frame('a', 3)]);
    expect(clock.pendingTimers).toBe(0);
    release();
    await Promise.all([first, second, third, flushed]);
    expect(await entries(log)).toEqual([
      ['a', 1, 1],
      ['a', 2, 2],
    ]);
  });

  it('closes a frame when it is large enough, and never splits a write over two appends', async () => {
    const { log, committer } = setUp();
    const sizes = Array.from({ length: 6 }, (_, index) => frame('a', index + 1, 100 * 1024));
    log.faults.failNext('append', new DbError('STORAGE_FULL', 'full'));
    const refused = committer.add([...sizes, frame('b', 1, 9 * 1024 * 1024)]);
    await committer.quiesce();
    expect(await entries(log)).toEqual([]);
    committer.rejectAll(new DbError('STORAGE_FULL', 'full'));
    await expect(refused).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    committer.resume(new LogTail({ first: 1, last: 0 }));
    const again = committer.add(sizes);
    await committer.flush();
    await again;
    expect(await entries(log)).toEqual([
      ['a', 1, 2],
      ['a', 3, 2],
      ['a', 5, 2],
    ]);
  });

  it('stands still after a failure and says so once', async () => {
    const { log, committer, failures } = setUp();
    log.faults.failNext('append', new DbError('STORAGE_FULL', 'full'));
    const write = committer.add([frame('a', 1)]);
    await committer.quiesce();
    expect(failures.map((error) => error.code)).toEqual(['STORAGE_FULL']);
    expect(committer.waiting()).toHaveLength(1);
    expect(() => committer.add([frame('a', 2)])).toThrow('durable state');
    committer.rejectAll(failures[0]!);
    await expect(write).rejects.toBe(failures[0]);
  });

  it('waits for what must be durable first, and fails with it', async () => {
    const { log, committer, failures } = setUp();
    const write = committer.add([frame('a', 1)], Promise.reject(new DbError('STORAGE_FULL', 'catalog')));
    await committer.quiesce();
    expect(failures[0]?.message).toBe('catalog');
    committer.rejectAll(failures[0]!);
    await expect(write).rejects.toMatchObject({ message: 'catalog' });
    expect(await entries(log)).toEqual([]);
  });

  it('refuses more when too much waits already', async () => {
    const { committer } = setUp();
    committer.checkRoom();
    const write = committer.add([frame('a', 1, 256 * 1024 * 1024)]);
    expect(() => committer.checkRoom()).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
    await committer.flush();
    await write;
    committer.checkRoom();
  });
});

describe('LogTail', () => {
  it('lets the log be truncated only behind what every channel has sealed', () => {
    const tail = new LogTail({ first: 1, last: 0 });
    expect(tail.truncatable()).toBeUndefined();
    tail.add('a', { sequence: 1, lastPosition: 3 });
    tail.add('b', { sequence: 2, lastPosition: 1 });
    tail.add('a', { sequence: 3, lastPosition: 5 });
    tail.seal('a', 4);
    expect(tail.truncatable()).toBe(1);
    expect(tail.cursorAt('a', 4)).toBe(2);
    expect(tail.cursorAt('b', 1)).toBe(3);
    tail.truncated(1);
    expect(tail.truncatable()).toBeUndefined();
    tail.seal('b', 1);
    expect(tail.truncatable()).toBe(2);
    tail.seal('a', 5);
    expect(tail.truncatable()).toBe(3);
  });
});
