import { defineSchema, f } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../adapters/s3/system.ts';
import { readConfig } from '../../config/read-config.ts';
import { type NodePorts, openNode } from '../../node/open-node.ts';
import { memoryNodePorts } from '../../node/testing/node-ports.ts';
import { TestDevice } from '../../node/testing/test-device.ts';
import { until } from '../../node/testing/until.ts';
import type { ServerNode } from '../../node/types.ts';
import { Admission } from './admission.ts';
import { limitedNode } from './limited-node.ts';

const { definition } = defineSchema({ notes: { title: f.text() } });
const { notes } = definition.collections;

let ports: NodePorts;
let node: ServerNode;
let device: TestDevice;
let channel: string;
beforeEach(async () => {
  ports = await memoryNodePorts();
  node = await openNode({ ports });
  channel = (await node.catalog.createCollection('default', 'notes', notes)).partitions.get('_default')![0]!;
});
afterEach(async () => {
  device.close();
  await node.close();
});

function connect(): void {
  const limited = limitedNode(node, new Admission(node, systemClock, readConfig({ env: {} }).limits), systemClock);
  const base = { kernel: ports.kernel, rng: seededRng(1), subject: 'ann', definition: notes, channels: [channel] };
  device = new TestDevice({ node: () => limited, ...base });
}

const limit = (properties: Readonly<Record<string, string>>): Promise<unknown> =>
  node.catalog.alterCollection('default', 'notes', { properties });
const heldBy = (rows: object): string[] => Object.keys(rows).sort();

describe('pushes of devices', () => {
  it('beyond a rate are slowed and all arrive, in order and once', async () => {
    // 20,000 bytes at 100,000 a second: the first push leaves a debt.
    await limit({ 'collection.insertRate.max.mb': '0.1' });
    connect();
    const title = 'x'.repeat(1_000);
    for (let index = 0; index < 250; index++) device.put(channel, `k${index}`, { title });
    await until('some to be taken', () => device.acked > 0);
    expect(device.held(channel)).toBeGreaterThan(0);
    await until('all to be taken', () => device.held(channel) === 0 && device.replica(channel).position === 250);
    expect(Object.keys(device.rows(channel))).toHaveLength(250);
    expect([device.denied, device.rejected, device.gone]).toEqual([[], [], []]);
  });

  it('over a quota are denied as such: the device keeps them, and deletes, and pushes them when there is room', async () => {
    await limit({ 'collection.rows.max': '2' });
    connect();
    for (const key of ['a', 'b']) device.put(channel, key, { title: key });
    await until('both to be taken', () => device.held(channel) === 0 && device.replica(channel).position === 2);
    device.put(channel, 'c', { title: 'c' });
    await until('the refusal', () => device.denied.length > 0);
    expect(device.denied).toEqual(['quota']);
    expect([device.held(channel), device.rejected, heldBy(device.rows(channel))]).toEqual([1, [], ['a', 'b']]);
    expect((await node.count({ database: 'default', collection: 'notes', consistency: 'strong' })).count).toBe(2);

    await node.write({ type: 'delete', database: 'default', collection: 'notes', key: 'a' });
    await until('room', () => {
      device.retry(channel);
      return device.held(channel) === 0;
    });
    await until('the row', () => device.replica(channel).position >= 4);
    expect(heldBy(device.rows(channel))).toEqual(['b', 'c']);
  });

  it('that put what is there are taken when there is no room for more', async () => {
    await limit({ 'collection.rows.max': '2' });
    connect();
    for (const key of ['a', 'b']) device.put(channel, key, { title: key });
    await until('both to be taken', () => device.held(channel) === 0);
    device.put(channel, 'a', { title: 'another' });
    await until('the put', () => device.held(channel) === 0 && device.replica(channel).position === 3);
    expect(device.denied).toEqual([]);
  });

  it('that only delete are taken when there is no room', async () => {
    connect();
    for (const key of ['a', 'b']) device.put(channel, key, { title: key });
    await until('both to be taken', () => device.held(channel) === 0);
    await limit({ 'collection.rows.max': '1' });
    device.write(channel, { type: 'delete', pk: 'a' });
    await until('the delete', () => device.held(channel) === 0);
    expect(device.denied).toEqual([]);
  });
});
