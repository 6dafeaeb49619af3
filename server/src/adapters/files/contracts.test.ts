import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logBrokerContract, type MakeSubject, metaStoreContract, objectStoreContract } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import { FileLogBroker } from './file-log-broker.ts';
import { FileMetaStore } from './file-meta-store.ts';
import { FileObjectStore } from './file-object-store.ts';

const api = { describe, it, expect };

function inFolder<Store>(open: (folder: string) => Promise<Store>, close: (store: Store) => Promise<void>): MakeSubject<Store> {
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'terndb-files-'));
    let store = await open(folder);
    return {
      store,
      reopen: async () => {
        await close(store);
        store = await open(folder);
        return store;
      },
      dispose: async () => {
        await close(store);
        await rm(folder, { recursive: true });
      },
    };
  };
}

logBrokerContract(
  'files',
  inFolder(FileLogBroker.open, (store) => store.close()),
  api,
);
metaStoreContract(
  'files',
  inFolder(FileMetaStore.open, (store) => store.close()),
  api,
);
objectStoreContract(
  'files',
  inFolder(FileObjectStore.open, async () => undefined),
  api,
);
