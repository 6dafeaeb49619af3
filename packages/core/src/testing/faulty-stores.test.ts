import { describe, expect, it } from 'vitest';
import type { LogBroker } from '../ports/log-broker.ts';
import { MemoryLogBroker } from '../ports/memory/memory-log-broker.ts';
import { MemoryMetaStore } from '../ports/memory/memory-meta-store.ts';
import { MemoryObjectStore } from '../ports/memory/memory-object-store.ts';
import type { MetaStore } from '../ports/meta-store.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { logBrokerContract } from './contracts/log-broker-contract.ts';
import { metaStoreContract } from './contracts/meta-store-contract.ts';
import { objectStoreContract } from './contracts/object-store-contract.ts';
import { FaultyLogBroker, FaultyMetaStore, FaultyObjectStore } from './faulty-stores.ts';

const api = { describe, it, expect };
const dispose = async (): Promise<void> => {};
const one = [{ channel: 'c', bytes: Uint8Array.of(1) }];

describe('without planned faults', () => {
  logBrokerContract('faulty', async () => ofInner<LogBroker>(new MemoryLogBroker(), (inner) => new FaultyLogBroker(inner)), api);
  metaStoreContract('faulty', async () => ofInner<MetaStore>(new MemoryMetaStore(), (inner) => new FaultyMetaStore(inner)), api);
  objectStoreContract('faulty', async () => ofInner<ObjectStore>(new MemoryObjectStore(), (inner) => new FaultyObjectStore(inner)), api);
});

function ofInner<Store>(
  inner: Store,
  wrap: (inner: Store) => Store,
): { store: Store; reopen: () => Promise<Store>; dispose: () => Promise<void> } {
  return { store: wrap(inner), reopen: async () => wrap(inner), dispose };
}

describe('planned faults', () => {
  it('a failed append has no effect, or all of it without an answer', async () => {
    const log = new FaultyLogBroker(new MemoryLogBroker());
    log.faults.failNext('append');
    log.faults.failNext('append', new Error('lost answer'), { applied: true });
    expect(log.faults.pending).toBe(2);
    await expect(log.append('s', 0, one)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await log.bounds('s')).toEqual({ first: 1, last: 0 });
    await expect(log.append('s', 0, one)).rejects.toThrow('lost answer');
    expect(await log.bounds('s')).toEqual({ first: 1, last: 1 });
    expect(log.faults.pending).toBe(0);
    expect(await log.append('s', 1, one)).toBe(2);
  });

  it('a held call waits until it is released', async () => {
    const log = new FaultyLogBroker(new MemoryLogBroker());
    const release = log.faults.holdNext('append');
    const appended = log.append('s', 0, one);
    expect(await log.bounds('s')).toEqual({ first: 1, last: 0 });
    release();
    expect(await appended).toBe(1);
  });

  it('after a crash nothing has an effect any more, what was in flight neither', async () => {
    const inner = new MemoryMetaStore();
    const meta = new FaultyMetaStore(inner);
    const release = meta.faults.holdNext('compareAndSet');
    const written = meta.compareAndSet('k', 0, Uint8Array.of(1));
    meta.faults.crash();
    release();
    await expect(written).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(meta.get('k')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await inner.get('k')).toBeUndefined();
  });

  it('a power cut takes back the objects that were not synced, and only those', async () => {
    const objects = new FaultyObjectStore(new MemoryObjectStore());
    await objects.put('a', [Uint8Array.of(1)]);
    objects.sync();
    await objects.put('a', [Uint8Array.of(1)]);
    await objects.put('b', [Uint8Array.of(2)]);
    expect(await objects.loseUnsynced()).toEqual(['b']);
    expect(await objects.list('')).toEqual([{ name: 'a', bytes: 1 }]);
  });

  it('damage changes the bytes that are read', async () => {
    const objects = new FaultyObjectStore(new MemoryObjectStore());
    await objects.put('a', [Uint8Array.of(1, 2, 3)]);
    await objects.damage('a', (bytes) => bytes.subarray(0, 2));
    expect(await objects.read('a', 0, 2)).toEqual(Uint8Array.of(1, 2));
    expect(await objects.head('a')).toEqual({ name: 'a', bytes: 2 });
  });
});
