import { MemoryLogBroker, MemoryMetaStore, MemoryObjectStore } from '@terndb/core';
import { ManualClock, seededRng } from '@terndb/core/testing';
import { type Kernel, loadKernel } from '@terndb/kernel';
import type { EnginePorts } from '../database/types.ts';

/** Stores in memory that outlive an engine, time and chance under the test's control, the real kernel. */
export interface MemoryPorts extends EnginePorts {
  readonly log: MemoryLogBroker;
  readonly meta: MemoryMetaStore;
  readonly objects: MemoryObjectStore;
  readonly clock: ManualClock;
}

let shared: Promise<Kernel> | undefined;

/** One kernel for all tests of a file: its memory never shrinks. */
export function testKernel(): Promise<Kernel> {
  shared ??= loadKernel();
  return shared;
}

export async function memoryPorts(seed = 1): Promise<MemoryPorts> {
  return {
    log: new MemoryLogBroker(),
    meta: new MemoryMetaStore(),
    objects: new MemoryObjectStore(),
    clock: new ManualClock(),
    rng: seededRng(seed),
    kernel: await testKernel(),
  };
}
