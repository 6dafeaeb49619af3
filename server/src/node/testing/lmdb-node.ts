import { join } from 'node:path';
import { type CollectionDefinition, defineSchema, f } from '@terndb/core';
import { testKernel } from '@terndb/engine/testing';
import { FileObjectStore } from '../../adapters/files/file-object-store.ts';
import { LmdbLogBroker } from '../../adapters/lmdb/lmdb-log-broker.ts';
import { LmdbMetaStore } from '../../adapters/lmdb/lmdb-meta-store.ts';
import { systemClock, systemRng } from '../../adapters/s3/system.ts';
import type { NodeLimits } from '../limits.ts';
import { openNode } from '../open-node.ts';
import type { StandaloneNode } from '../standalone-node.ts';

export const CRASH_SCHEMA: CollectionDefinition = defineSchema({ notes: { title: f.text(), place: f.vector(4, { metric: 'L2' }) } })
  .definition.collections.notes;

/** A node on a folder, as `terndb serve` has it. */
export async function openLmdbNode(
  folder: string,
  options: { readonly slots?: number; readonly limits?: Partial<NodeLimits> } = {},
): Promise<{ readonly node: StandaloneNode; readonly close: () => Promise<void> }> {
  const log = await LmdbLogBroker.open(join(folder, 'log'));
  const meta = await LmdbMetaStore.open(join(folder, 'meta'));
  const objects = await FileObjectStore.open(join(folder, 'objects'));
  const ports = { log, meta, objects, clock: systemClock, rng: systemRng, kernel: await testKernel() };
  const node = await openNode({ ports, ...options });
  if (node.catalog.find('default', 'notes') === undefined) await node.catalog.createCollection('default', 'notes', CRASH_SCHEMA);
  const close = async (): Promise<void> => {
    await node.close();
    await log.close();
    await meta.close();
  };
  return { node, close };
}
