import { logBrokerContract, type MakeSubject, metaStoreContract, objectStoreContract } from '@terndb/core/testing';
import { deleteDB } from 'idb';
import { describe, expect, it } from 'vitest';
import { IdbConnection } from './idb-connection.ts';
import { idbName } from './idb-layout.ts';
import { IdbLogBroker } from './idb-log-broker.ts';
import { IdbMetaStore } from './idb-meta-store.ts';
import { IdbObjectStore } from './idb-object-store.ts';

const api = { describe, it, expect };
let names = 0;

function subjectOf<Store>(create: (connection: IdbConnection) => Store): MakeSubject<Store> {
  return async () => {
    const name = `contract-${Date.now().toString(36)}-${names++}`;
    let connection = await IdbConnection.open(name);
    return {
      store: create(connection),
      async reopen() {
        await connection.close();
        connection = await IdbConnection.open(name);
        return create(connection);
      },
      async dispose() {
        await connection.close();
        await deleteDB(idbName(name));
      },
    };
  };
}

logBrokerContract(
  'IndexedDB',
  subjectOf((connection) => new IdbLogBroker(connection)),
  api,
);
metaStoreContract(
  'IndexedDB',
  subjectOf((connection) => new IdbMetaStore(connection)),
  api,
);
objectStoreContract(
  'IndexedDB',
  subjectOf((connection) => new IdbObjectStore(connection)),
  api,
);
