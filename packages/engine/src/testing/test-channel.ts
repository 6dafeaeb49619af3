import {
  type CollectionDefinition,
  defineSchema,
  f,
  type PrimaryKey,
  type SchemaDefinition,
  type StoredValue,
  schemaHash,
  valueFieldsOf,
} from '@terndb/core';
import { forEachSet } from '../bitmap/bitmap.ts';
import type { Channel } from '../database/channel.ts';
import { emptyReplica } from '../replica/open-replica.ts';
import type { View } from '../view/view.ts';
import { testKernel } from './memory-ports.ts';
import { type NaiveRow, originText } from './naive-fold.ts';

export const testSchema: SchemaDefinition<'things'> = defineSchema({
  things: {
    key: f.primaryKey('varchar'),
    rank: f.number().default(7),
    tag: f.keyword().nullable(),
    title: f.text({ search: true }).default('none'),
    embedding: f.vector(3, { metric: 'L2', embed: ['title'] }).nullable(),
  },
}).definition;

export const testDefinition: CollectionDefinition = testSchema.collections.things;
export const TEST_CHANNEL = 'things/main/0';
export const TEST_EPOCH = '00000000-0000-4000-8000-000000000001';

/** A channel outside of any engine, before its first record. */
export async function testChannel(): Promise<Channel> {
  const definition = testDefinition;
  return {
    name: TEST_CHANNEL,
    collection: { name: 'things', collectionId: 'things', definition, schemaVersion: 1, schemaHash: schemaHash(definition) },
    partition: 'main',
    replica: emptyReplica({ channel: TEST_CHANNEL, logEpoch: TEST_EPOCH, definition, kernel: await testKernel() }),
    published: undefined,
    damage: undefined,
  };
}

/** Everything a view shows, through its blocks and again through `find`: they must agree. */
export function rowsOfView(view: View): Map<PrimaryKey, NaiveRow> {
  const rows = new Map<PrimaryKey, NaiveRow>();
  const fields = valueFieldsOf(view.definition).map((field) => field.name);
  for (const block of view.blocks) {
    forEachSet(block.live, (offset) => {
      const key = block.keyAt(offset);
      if (rows.has(key)) throw new Error(`key ${key} is visible twice`);
      const found = view.find(key);
      if (found?.block !== block || found.offset !== offset) throw new Error(`find(${key}) disagrees with block ${block.id}`);
      const row = new Map(fields.map((name): [string, StoredValue] => [name, block.valueAt(name, offset)]));
      for (const name of fields) {
        const origin = block.origins?.(name)?.originAt(offset) ?? null;
        if (origin !== null) row.set(`${name} origin`, originText(origin.model, origin.sourceHash));
      }
      rows.set(key, row);
    });
  }
  if (rows.size !== view.liveRows) throw new Error(`liveRows ${rows.size} expected, got ${view.liveRows}`);
  return rows;
}

/** Comparable with `toEqual`: by key, then by field. */
export function sortedRows(rows: ReadonlyMap<PrimaryKey, NaiveRow>): [PrimaryKey, [string, StoredValue][]][] {
  const sorted = [...rows].map(([key, row]): [PrimaryKey, [string, StoredValue][]] => [key, [...row].sort(([a], [b]) => (a < b ? -1 : 1))]);
  return sorted.sort(([a], [b]) => (a < b ? -1 : 1));
}
