import { MemoryLogBroker, MemoryMetaStore, type Timestamp } from '@terndb/core';
import type { OutboxEntry } from '@terndb/sync';
import { describe, expect, it } from 'vitest';
import { rowStoreContract } from '../testing/row-store-contract.ts';
import { decodeEntry, encodeEntry } from './entry-codec.ts';
import { MemoryRowStore } from './memory-row-store.ts';
import { SyncStore } from './sync-store.ts';

const make = async (): Promise<MemoryRowStore> => new MemoryRowStore({ log: new MemoryLogBroker(), meta: new MemoryMetaStore() });
rowStoreContract('memory', make);

const entry: OutboxEntry = {
  id: 7,
  channel: 'c/p/0',
  op: { type: 'put', pk: 'k', fields: { title: 'x', vec: Float32Array.of(1, 2), bytes: Uint8Array.of(3), big: 2n ** 60n }, create: true },
  hlc: 12345 as Timestamp,
  clientId: 'me',
  seq: 3,
  subject: 'ann',
  sent: true,
  schemaVersion: 4,
  origin: { clientId: 'before', seq: 9 },
};

describe('a stored entry', () => {
  it('comes back as it was', () => {
    expect(decodeEntry({ bytes: encodeEntry(entry), sent: true })).toEqual(entry);
    const { origin: _, ...first } = entry;
    expect(decodeEntry({ bytes: encodeEntry(first), sent: true })).toEqual(first);
  });

  it('that is damaged says so', () => {
    const bytes = encodeEntry(entry);
    bytes[20]! ^= 1;
    expect(() => decodeEntry({ bytes, sent: false })).toThrowError(expect.objectContaining({ code: 'CHECKSUM_MISMATCH' }));
  });
});

describe('the sync store', () => {
  it('refuses a record of a format it does not know', async () => {
    const rows = await make();
    await rows.commit(1, [{ type: 'meta', key: 'sync/device', value: new TextEncoder().encode('{"format":9}') }]);
    await expect(new SyncStore(rows).readDevice()).rejects.toMatchObject({ code: 'FORMAT_VERSION_UNSUPPORTED' });
  });

  it('puts the frames of several batches behind each other, and starts the stream anew with a swap', async () => {
    const rows = await make();
    const store = new SyncStore(rows);
    const frame = (base: number) => ({
      type: 'frame' as const,
      channel: 'c',
      frame: {
        logEpoch: 'e',
        leaderEpoch: 1,
        channel: 'c',
        base,
        hashBefore: { lo: 0, hi: 0 },
        records: [{ type: 'expire' as const, clientId: 'x' }],
      },
    });
    await store.readChannel('c');
    await store.commit(1, [{ writes: [frame(1), frame(2)] }, { writes: [frame(3)] }]);
    expect(await rows.lastSequence('followed/c')).toBe(3);
    const swap = { type: 'swap' as const, channel: 'c', fetch: 1 };
    await store.commit(
      1,
      [{ writes: [swap, frame(9)] }],
      new Map([[1, { leftOut: [], budgetBytes: null, object: 'm', frames: [Uint8Array.of(1), Uint8Array.of(2)] }]]),
    );
    expect(await rows.lastSequence('followed/c')).toBe(6);
    const pointer = JSON.parse(new TextDecoder().decode(await rows.meta('followed/c')));
    expect(pointer).toMatchObject({ object: 'm', firstSequence: 4 });
  });
});
