import type { GcRecord, LogRecord, OpRecord, PrimaryKey, Timestamp } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testKernel } from '../testing/memory-ports.ts';
import type { NaiveRow } from '../testing/naive-fold.ts';
import { anyLog } from '../testing/record-arbitraries.ts';
import { rowsOfView, sortedRows } from '../testing/test-channel.ts';
import { PARTITION, TestDevice } from './testing/test-device.ts';
import { TestServer } from './testing/test-server.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const anyKey = fc.constantFrom(...KEYS);
const anyVector = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 });
const anyFields = fc.record(
  {
    rank: fc.integer({ min: 0, max: 5 }),
    tag: fc.constantFrom('x', 'y', null),
    title: fc.constantFrom('red', 'red fox', 'goose'),
    embedding: fc.option(anyVector, { nil: null }),
  },
  { requiredKeys: [] },
);
const anyEntity = fc.tuple(anyKey, anyFields).map(([key, fields]) => ({ key, ...fields }));
const size = fc.integer({ min: 1, max: 4 });

type Command =
  | { type: 'put'; entities: readonly Record<string, unknown>[] }
  | { type: 'patch'; key: string; fields: Record<string, unknown> }
  | { type: 'delete'; key: string }
  | { type: 'deleteBy'; rank: number }
  | { type: 'others'; records: readonly LogRecord[] }
  | { type: 'insert'; index: number; record: OpRecord }
  | { type: 'push'; count: number }
  | { type: 'restamp'; index: number; above: number }
  | { type: 'deliver'; count: number; size: number }
  | { type: 'swap'; from: 'manifest' | 'empty'; size: number }
  | { type: 'hold' | 'reopen' };

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('put' as const), entities: fc.array(anyEntity, { minLength: 1, maxLength: 3 }) }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('patch' as const), key: anyKey, fields: anyFields }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key: anyKey }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('deleteBy' as const), rank: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('others' as const), records: anyLog.map((records) => records.slice(0, 5)) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('insert' as const),
      index: fc.nat({ max: 3 }),
      record: anyLog.map((records) => records.find((record) => record.type === 'op')).filter((record) => record !== undefined),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('push' as const), count: size }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restamp' as const), index: fc.nat({ max: 2 }), above: fc.nat({ max: 40 }) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 8 }), size }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('swap' as const), from: fc.constantFrom('manifest' as const, 'empty' as const), size }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('hold' as const, 'reopen' as const) }) },
);

/** Stamps of 1 to 30 as stamps before and after the newest one, so that older and newer ops meet all the time. */
function around(stamp: Timestamp, newest: Timestamp): Timestamp {
  return Math.max(1, newest - 20 + stamp) as Timestamp;
}

function collection({ floor, expiredBefore }: GcRecord, newest: Timestamp): GcRecord {
  return {
    type: 'gc',
    floor: around(floor, newest),
    ...(expiredBefore === undefined ? {} : { expiredBefore: around(expiredBefore, newest) }),
  };
}

type Rows = [PrimaryKey, [string, unknown][]][];

function expectedRows(device: TestDevice): Map<PrimaryKey, NaiveRow> {
  return device.server.naive(device.position, device.expectedRecords()).rows();
}

async function run(device: TestDevice, command: Command): Promise<void> {
  const { engine, server } = device;
  const place = { collection: 'things', partition: PARTITION };
  switch (command.type) {
    case 'put':
      engine.write({ type: 'put', ...place, entities: command.entities });
      break;
    case 'patch':
      engine.write({ type: 'patch', ...place, key: command.key, fields: command.fields });
      break;
    case 'delete':
      engine.write({ type: 'delete', ...place, key: command.key });
      break;
    case 'deleteBy':
      engine.write({ type: 'deleteBy', collection: 'things', partitions: [PARTITION], where: { rank: command.rank } });
      break;
    case 'others':
      for (const record of command.records) {
        if (record.type === 'op') server.appendOp(record.op, around(record.hlc, server.maxHlc), record.clientId);
        else if (record.type === 'gc') server.append(collection(record, server.maxHlc));
      }
      break;
    case 'insert':
      device.insert(command.index, { op: command.record.op, hlc: around(command.record.hlc, server.maxHlc) });
      break;
    case 'push':
      device.push(command.count);
      break;
    case 'restamp':
      device.restamp(command.index, command.above);
      break;
    case 'deliver':
      expect(await device.deliver(command.count, command.size)).toEqual([]);
      break;
    case 'swap':
      await device.swap(command.from, command.size);
      break;
    case 'hold':
      break;
    case 'reopen':
      await device.reopen();
      break;
  }
}

describe('a followed channel', () => {
  it('shows the naive fold of its log up to its position and then the outbox, across writes, frames, stamps made anew, swaps and reopens', async () => {
    let held = 0;
    let hidden = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 3, maxLength: 40 }), async (commands) => {
        const kernel = await testKernel();
        const { usedBytes } = kernel;
        const server = await TestServer.open();
        const device = await TestDevice.open(server);
        const views: { view: ReturnType<TestDevice['view']>; rows: Rows }[] = [];
        await device.swap('empty', 2);
        for (const command of commands) {
          await run(device, command);
          const rows = sortedRows(expectedRows(device));
          const view = device.view();
          expect(sortedRows(rowsOfView(view))).toEqual(rows);
          const query = device.engine.query({ collection: 'things', partitions: [PARTITION] });
          expect(query.keys).toEqual(rows.map(([key]) => key));
          const pending = device.pendingKeys;
          expect(query.pendingKeys).toEqual(query.keys.filter((key) => pending.has(key)));
          hidden += [...pending].filter((key) => !query.keys.includes(key)).length;
          if (command.type === 'hold') {
            views.push({ view, rows });
            held += 1;
          } else view.release();
          // A reopened engine has no views of the one before.
          if (command.type === 'reopen') for (const { view: old } of views.splice(0)) old.release();
        }
        for (const { view, rows } of views) {
          expect(sortedRows(rowsOfView(view))).toEqual(rows);
          view.release();
        }
        await device.engine.close();
        server.close();
        expect(kernel.usedBytes).toBe(usedBytes);
      }),
      propertyOptions(100),
    );
    expect(held).toBeGreaterThan(0);
    expect(hidden).toBeGreaterThan(0);
  }, 60_000);
});
