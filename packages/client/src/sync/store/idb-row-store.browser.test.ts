import { afterEach, describe, expect, it } from 'vitest';
import { IdbConnection } from '../../storage/idb-connection.ts';
import { rowStoreContract } from '../testing/row-store-contract.ts';
import { IdbRowStore } from './idb-row-store.ts';

const opened: { readonly name: string; readonly connection: IdbConnection }[] = [];
let next = 1;
async function openRows(name = `rows-${Date.now()}-${next++}`): Promise<{ name: string; connection: IdbConnection; rows: IdbRowStore }> {
  const connection = await IdbConnection.open(name);
  opened.push({ name, connection });
  return { name, connection, rows: new IdbRowStore(connection) };
}
afterEach(async () => {
  for (const { name, connection } of opened.splice(0)) {
    await connection.close();
    indexedDB.deleteDatabase(`terndb:${name}`);
  }
});

rowStoreContract('IndexedDB', async () => (await openRows()).rows);

describe('rows in IndexedDB', () => {
  it('are there for the next connection', async () => {
    const { name, connection, rows } = await openRows();
    await rows.commit(1, [{ type: 'put', store: 'kept', channel: 'c', id: 1, row: { bytes: Uint8Array.of(1), sent: true, keptAtMs: 5 } }]);
    await connection.close();
    const again = await openRows(name);
    expect(await again.rows.rows('kept')).toEqual([{ channel: 'c', id: 1, row: { bytes: Uint8Array.of(1), sent: true, keptAtMs: 5 } }]);
  });

  it('[R5] are all or none: what cannot be stored takes everything with it', async () => {
    const { rows } = await openRows();
    const row = { bytes: Uint8Array.of(1), sent: false };
    const bad = { type: 'put', store: 'outbox', channel: 'c', id: 2, row: { ...row, code: (() => {}) as never } } as const;
    await expect(rows.commit(1, [{ type: 'put', store: 'outbox', channel: 'c', id: 1, row }, bad])).rejects.toThrow();
    expect(await rows.rows('outbox')).toEqual([]);
  });

  it('refuse an append that does not follow on', async () => {
    const { rows } = await openRows();
    const append = { type: 'append', stream: 's', channel: 'c', entries: [Uint8Array.of(1)] } as const;
    await rows.commit(1, [{ ...append, expectedLast: 0 }]);
    await expect(rows.commit(1, [{ ...append, expectedLast: 0 }])).rejects.toMatchObject({ code: 'APPEND_CONFLICT' });
    expect(await rows.lastSequence('s')).toBe(1);
  });
});
