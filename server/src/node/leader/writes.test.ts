import { decodeFrame, defineSchema, encodedOpBytes, f, type LogRecord, MAX_OP_BYTES, type OpRecord, opBytesBound } from '@terndb/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type NodePorts, openNode } from '../open-node.ts';
import type { StandaloneNode } from '../standalone-node.ts';
import { memoryNodePorts } from '../testing/node-ports.ts';

const { definition } = defineSchema({ notes: { title: f.text() } });
const database = 'default';
const collection = 'notes';

let ports: NodePorts;
let node: StandaloneNode;
beforeEach(async () => {
  ports = await memoryNodePorts();
  node = await openNode({ ports, slots: 1 });
  await node.catalog.createCollection(database, collection, definition.collections.notes);
});
afterEach(() => node.close());

/** Entities of about a KiB. */
const entities = (count: number) => Array.from({ length: count }, (_, row) => ({ id: `k${row}`, title: 'x'.repeat(1_000) }));
async function written(): Promise<OpRecord[]> {
  const [name] = node.catalog.find(database, collection)!.partitions.get('_default')!;
  const entries = await ports.log.read('0', 1, { maxBytes: 2 ** 26 });
  const frames = entries.filter(({ channel }) => channel === name).map(({ bytes }) => decodeFrame(bytes));
  return frames.flatMap(({ records }) => records.filter((record: LogRecord): record is OpRecord => record.type === 'op'));
}

it('a put that fits one op of the log is one record, so that all of it is there or nothing', async () => {
  await node.write({ type: 'put', database, collection, entities: entities(480) });
  const [record, ...others] = await written();
  expect(others).toEqual([]);
  expect(record!.op).toMatchObject({ type: 'batch' });
  expect(480 * 1_000).toBeGreaterThan(MAX_OP_BYTES * 0.9);
});

it('a larger put is several records, as few as may be, in order', async () => {
  await node.write({ type: 'put', database, collection, entities: entities(1_200) });
  const records = await written();
  expect(records).toHaveLength(3);
  const keys = records.flatMap(({ op }) => (op.type === 'batch' ? op.ops.map(({ pk }) => pk) : []));
  expect(keys).toEqual(entities(1_200).map(({ id }) => id));
});

it('many tiny rows whose encoding fits one op are one record, though each is counted with more than it takes', async () => {
  const tiny = Array.from({ length: 16_000 }, (_, row) => ({ id: `k${row}`, title: '' }));
  await node.write({ type: 'put', database, collection, entities: tiny });
  const [record, ...others] = await written();
  expect(others).toEqual([]);
  expect(opBytesBound(record!.op)).toBeGreaterThan(MAX_OP_BYTES);
  expect(encodedOpBytes(record!.op)).toBeLessThanOrEqual(MAX_OP_BYTES);
});

it('the author of a write is who asked for it, and nobody when the server did', async () => {
  await node.write({ type: 'put', database, subject: 'ann', collection, entities: entities(1) });
  await node.write({ type: 'delete', database, subject: 'bob', collection, key: 'k0' });
  await node.write({ type: 'put', database, collection, entities: entities(1) });
  expect((await written()).map(({ author }) => author)).toEqual(['ann', 'bob', '']);
});
