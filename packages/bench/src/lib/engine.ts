/** The engine alone, in this process: its log in memory, everything sealed at once when told to, so that what is measured is segments and indexes. */
import { type Clock, MemoryLogBroker, MemoryMetaStore, type ObjectStore } from '@terndb/core';
import { type Engine, type EnginePorts, openEngine } from '@terndb/engine';
import { loadKernel } from '@terndb/kernel';

const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Nothing is sealed by itself. */
const limits = { sealRows: 1e9, sealBytes: 1e12 };

/** Opens the same database again and again: a cold open, when the one before was closed. Each time with a kernel of its own. */
export function engineOver(objects: () => Promise<ObjectStore>, schema: Parameters<typeof openEngine>[0]['schema']): () => Promise<Engine> {
  const [log, meta] = [new MemoryLogBroker(), new MemoryMetaStore()];
  const rng = { nextUint32: () => Math.floor(Math.random() * 2 ** 32) };
  return async () => {
    const ports: EnginePorts = { log, meta, objects: await objects(), clock, rng, kernel: await loadKernel() };
    return openEngine({ ports, schema, limits });
  };
}
