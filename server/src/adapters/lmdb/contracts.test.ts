import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logBrokerContract, type MakeSubject, metaStoreContract } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import { LmdbLogBroker } from './lmdb-log-broker.ts';
import { LmdbMetaStore } from './lmdb-meta-store.ts';

const api = { describe, it, expect };

function inFolder<Store extends { close(): Promise<void> }>(open: (folder: string) => Promise<Store>): MakeSubject<Store> {
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'terndb-lmdb-'));
    let store = await open(folder);
    return {
      store,
      reopen: async () => {
        await store.close();
        store = await open(folder);
        return store;
      },
      dispose: async () => {
        await store.close();
        await rm(folder, { recursive: true });
      },
    };
  };
}

logBrokerContract('lmdb', inFolder(LmdbLogBroker.open), api);
metaStoreContract('lmdb', inFolder(LmdbMetaStore.open), api);
