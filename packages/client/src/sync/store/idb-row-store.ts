import type { IdbConnection, Transaction } from '../../storage/idb-connection.ts';
import { type LogHead, type MetaRow, ownBytes } from '../../storage/idb-layout.ts';
import { readTerm, TERM_KEY } from '../../tabs/term.ts';
import { fenced } from './memory-row-store.ts';
import type { EntryRow, EntryStore, RowOp, RowStore, StoredRow } from './row-store.ts';

const REVISION_KEY = 0;
const HEAD = 0;
const EMPTY: LogHead = { first: 1, last: 0 };
const STORES = ['outbox', 'kept', 'rejected', 'meta', 'log'] as const;

/** Rows in IndexedDB, keyed [channel, id]: one strict transaction per commit, in which nothing but its own requests is awaited. */
export class IdbRowStore implements RowStore {
  readonly #connection: IdbConnection;

  constructor(connection: IdbConnection) {
    this.#connection = connection;
  }

  async commit(term: number, ops: readonly RowOp[]): Promise<void> {
    const owned = ops.map(ownOp);
    await this.#connection.run({ stores: STORES, mode: 'readwrite', durability: 'strict' }, async (tx, replay) => {
      const stored = (await tx.objectStore('meta').get(TERM_KEY)) as MetaRow | undefined;
      const newest = stored === undefined ? 0 : readTerm(stored.value);
      if (newest > term) throw fenced(term, newest);
      // Requests of one transaction run in their order: what comes later sees what came before.
      const done: Promise<unknown>[] = [];
      const begin = (request: Promise<unknown>): void => {
        // When a later one cannot even begin, the transaction is aborted and nobody awaits this one.
        request.catch(() => {});
        done.push(request);
      };
      for (const op of owned) {
        if (op.type === 'append') await appendRows(tx, op, replay);
        else if (op.type === 'meta') await setMeta(tx, op);
        else if (op.type === 'put') begin(tx.objectStore(op.store).put(op.row, [op.channel, op.id]));
        else begin(tx.objectStore(op.store).delete([op.channel, op.id]));
      }
      await Promise.all(done);
    });
  }

  async rows(store: EntryStore, channel?: string): Promise<readonly StoredRow[]> {
    const range = channel === undefined ? null : IDBKeyRange.bound([channel, 0], [channel, Number.MAX_SAFE_INTEGER]);
    const [keys, rows] = await this.#connection.run({ stores: [store], mode: 'readonly' }, (tx) => {
      const rowsOf = tx.objectStore(store);
      return Promise.all([rowsOf.getAllKeys(range), rowsOf.getAll(range)]);
    });
    return keys.map((key, index): StoredRow => {
      const [name, id] = key as [string, number];
      return { channel: name, id, row: rows[index] as EntryRow };
    });
  }

  async meta(key: string): Promise<Uint8Array | undefined> {
    const row = await this.#connection.run({ stores: ['meta'], mode: 'readonly' }, (tx) => tx.objectStore('meta').get(key));
    return (row as MetaRow | undefined)?.value;
  }

  async lastSequence(stream: string): Promise<number> {
    const head = await this.#connection.run({ stores: ['log'], mode: 'readonly' }, (tx) => tx.objectStore('log').get([stream, HEAD]));
    return ((head as LogHead | undefined) ?? EMPTY).last;
  }
}

/** Structured clone would write the whole buffer behind a view. */
function ownOp(op: RowOp): RowOp {
  if (op.type === 'put') return { ...op, row: { ...op.row, bytes: ownBytes(op.row.bytes) } };
  if (op.type === 'append') return { ...op, entries: op.entries.map(ownBytes) };
  if (op.type === 'meta' && op.value !== undefined) return { ...op, value: ownBytes(op.value) };
  return op;
}

async function setMeta(tx: Transaction<'readwrite'>, { key, value }: Extract<RowOp, { type: 'meta' }>): Promise<void> {
  const store = tx.objectStore('meta');
  if (value === undefined) {
    await store.delete(key);
    return;
  }
  const revision = (((await store.get(REVISION_KEY)) as number | undefined) ?? 0) + 1;
  await Promise.all([store.put({ value, revision }, key), store.put(revision, REVISION_KEY)]);
}

async function appendRows(tx: Transaction<'readwrite'>, op: Extract<RowOp, { type: 'append' }>, replay: boolean): Promise<void> {
  const { stream, channel, entries, expectedLast, truncate = 0 } = op;
  const store = tx.objectStore('log');
  const head = ((await store.get([stream, HEAD])) as LogHead | undefined) ?? EMPTY;
  const last = expectedLast + entries.length;
  // Nobody else writes here (the term fences), so this commit went through and its answer was lost.
  if (replay && head.last === last) return;
  if (head.last !== expectedLast) throw fenced(expectedLast, head.last);
  const first = Math.max(head.first, truncate + 1);
  if (first > head.first) await store.delete(IDBKeyRange.bound([stream, 1], [stream, first - 1]));
  await Promise.all([
    ...entries.map((bytes, index) => store.put({ channel, bytes }, [stream, expectedLast + 1 + index])),
    store.put({ first, last }, [stream, HEAD]),
  ]);
}
