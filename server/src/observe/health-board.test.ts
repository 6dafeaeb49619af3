import { DbError } from '@terndb/core';
import { ManualClock } from '@terndb/core/testing';
import { beforeEach, expect, it } from 'vitest';
import { degraded, type Finding, failing, OK } from '../node/health/finding.ts';
import { type ComponentHealth, HealthBoard } from './health-board.ts';

let clock: ManualClock;
let board: HealthBoard;
let changes: ComponentHealth[];
beforeEach(() => {
  clock = new ManualClock(Date.UTC(2026, 0, 1));
  changes = [];
  board = new HealthBoard({ clock, onChange: (change) => changes.push(change) });
});
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('names the worst first, and since when each is as it is', async () => {
  let disk: Finding = OK;
  board.add({ b: () => OK, disk: async () => disk, a: () => degraded('slow', clock.nowMs() - 5_000) });
  expect(await board.read()).toEqual({
    status: 'degraded',
    components: [
      { component: 'a', status: 'degraded', reason: 'slow', since: '2025-12-31T23:59:55.000Z' },
      { component: 'b', status: 'ok', since: '2026-01-01T00:00:00.000Z' },
      { component: 'disk', status: 'ok', since: '2026-01-01T00:00:00.000Z' },
    ],
  });
  disk = failing('full');
  clock.advance(60_000);
  expect((await board.read()).components[0]).toEqual({
    component: 'disk',
    status: 'failing',
    reason: 'full',
    since: '2026-01-01T00:01:00.000Z',
  });
  disk = failing('fuller');
  clock.advance(60_000);
  expect((await board.read()).components[0]).toEqual({
    component: 'disk',
    status: 'failing',
    reason: 'fuller',
    since: '2026-01-01T00:01:00.000Z',
  });
});

it('looks once a second at most, however many ask', async () => {
  let looks = 0;
  const look = (): Finding => {
    looks += 1;
    return OK;
  };
  board.add({ a: look });
  await Promise.all([board.read(), board.read()]);
  await board.read();
  expect(looks).toBe(1);
  clock.advance(1_000);
  await board.read();
  expect(looks).toBe(2);
});

it('looks by itself, and tells of changes only', async () => {
  let status: Finding = OK;
  board.add({ a: () => status });
  board.watch();
  for (const next of [OK, degraded('x'), degraded('y'), failing('z'), OK]) {
    status = next;
    clock.advance(10_000);
    await settle();
  }
  expect(changes.map(({ status: to, reason }) => [to, reason])).toEqual([
    ['degraded', 'x'],
    ['failing', 'z'],
    ['ok', undefined],
  ]);
  board.close();
  expect(clock.pendingTimers).toBe(0);
});

it('waits two seconds for a check, and takes one that throws for degraded', async () => {
  board.add({
    mute: () => new Promise<Finding>(() => {}),
    torn: () => {
      throw new DbError('STORAGE_UNAVAILABLE', 'with a secret path');
    },
  });
  const report = board.read();
  await settle();
  clock.advance(2_000);
  expect((await report).components.map(({ component, status, reason }) => [component, status, reason])).toEqual([
    ['mute', 'failing', 'TIMEOUT: no answer within 2000 ms'],
    ['torn', 'degraded', 'STORAGE_UNAVAILABLE: how it is cannot be found out'],
  ]);
});

it('asks a check that has not answered no second time: a disk that hangs must not take every thread that reads files', async () => {
  const asked: ((finding: Finding) => void)[] = [];
  board.add({ disk: () => new Promise<Finding>((resolve) => asked.push(resolve)) });
  const look = async (): Promise<string | undefined> => {
    clock.advance(1_000);
    const report = board.read();
    await settle();
    clock.advance(2_000);
    return (await report).components[0]?.status;
  };
  for (let looks = 0; looks < 3; looks++) expect(await look()).toBe('failing');
  expect(asked).toHaveLength(1);
  asked[0]!(OK);
  await settle();
  clock.advance(1_000);
  const report = board.read();
  await settle();
  asked[1]!(degraded('low'));
  expect((await report).components[0]).toMatchObject({ status: 'degraded', reason: 'low' });
});
