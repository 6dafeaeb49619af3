import { type Clock, MemoryLogBroker, MemoryMetaStore, MemoryObjectStore } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { testKernel } from '@terndb/engine/testing';
import { systemClock } from '../../adapters/s3/system.ts';
import type { NodePorts } from '../open-node.ts';

/** Stores in memory that outlive a node, the machine's clock unless another is given, the real kernel. */
export async function memoryNodePorts(options: { readonly seed?: number; readonly clock?: Clock } = {}): Promise<NodePorts> {
  return {
    log: new MemoryLogBroker(),
    meta: new MemoryMetaStore(),
    objects: new MemoryObjectStore(),
    clock: options.clock ?? systemClock,
    rng: seededRng(options.seed ?? 1),
    kernel: await testKernel(),
  };
}
