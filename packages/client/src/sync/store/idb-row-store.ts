import type { IdbConnection, Transaction } from '../../storage/idb-connection.ts';
import { type LogHead, type MetaRow, ownBytes } from '../../storage/idb-layout.ts';
import { readTerm, TERM_KEY } from '../../tabs/term.ts';
import { fenced } from './memory-row-store.ts';
import type { EntryRow, EntryStore, RowOp, RowStore, StoredRow } from './row-store.ts';

const REVISION_KEY = 0;
const HEAD = 0;
const EMPTY: LogHead = { first: 1, last: 0 };
const STORES = ['outbox', 'kept', 'rejected', 'meta', 'log'] as const;

/** What a commit has to know before it writes; kept in step with what it writes. */
interface Known {
  revision: number;
  readonly heads: Map<string, LogHead>;
}

/**
 * Rows in IndexedDB, keyed [channel, id]: one strict transaction per commit, in which nothing but its own requests is awaited. Everything that has
 * to be read is asked for at once, then everything is written at once: each wait is a way to the browser's storage process and back.
 */
export class IdbRowStore implements RowStore {
  readonly #connection: IdbConnection;

  constructor(connection: IdbConnection) {
    this.#connection = connection;
  }

  async commit(term: number, ops: readonly RowOp[]): Promise<void> {
    const owned = ops.map(ownOp);
    await this.#connection.run({ stores: STORES, mode: 'readwrite', durability: 'strict' }, async (tx, replay) => {
      const known = await readKnown(tx, term, owned);
      // Requests of one transaction run in their order: what comes later sees what came before.
      const done: Promise<unknown>[] = [];
      const begin: Begin = (request) => {
        // When a later one cannot even begin, the transaction is aborted and nobody awaits this one.
        request.catch(() => {});
        done.push(request);
      };
      for (const op of owned) {
        if (op.type === 'append') appendRows(tx, known, op, { replay, begin });
        else if (op.type === 'meta') setMeta(tx, known, op, begin);
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

type Begin = (request: Promise<unknown>) => void;

/** APPEND_CONFLICT when another tab leads (R11). */
async function readKnown(tx: Transaction<'readwrite'>, term: number, ops: readonly RowOp[]): Promise<Known> {
  const [meta, log] = [tx.objectStore('meta'), tx.objectStore('log')];
  const streams = [...new Set(ops.flatMap((op) => (op.type === 'append' ? [op.stream] : [])))];
  const [stored, revision, ...heads] = await Promise.all([
    meta.get(TERM_KEY) as Promise<MetaRow | undefined>,
    meta.get(REVISION_KEY) as Promise<number | undefined>,
    ...streams.map((stream) => log.get([stream, HEAD]) as Promise<LogHead | undefined>),
  ]);
  const newest = stored === undefined ? 0 : readTerm(stored.value);
  if (newest > term) throw fenced(term, newest);
  return { revision: revision ?? 0, heads: new Map(streams.map((stream, index) => [stream, heads[index] ?? EMPTY])) };
}

function setMeta(tx: Transaction<'readwrite'>, known: Known, { key, value }: Extract<RowOp, { type: 'meta' }>, begin: Begin): void {
  const store = tx.objectStore('meta');
  if (value === undefined) {
    begin(store.delete(key));
    return;
  }
  known.revision += 1;
  begin(store.put({ value, revision: known.revision }, key));
  begin(store.put(known.revision, REVISION_KEY));
}

function appendRows(
  tx: Transaction<'readwrite'>,
  known: Known,
  op: Extract<RowOp, { type: 'append' }>,
  { replay, begin }: { readonly replay: boolean; readonly begin: Begin },
): void {
  const { stream, channel, entries, expectedLast, truncate = 0 } = op;
  const store = tx.objectStore('log');
  const head = known.heads.get(stream)!;
  const last = expectedLast + entries.length;
  // Nobody else writes here (the term fences), so this commit went through and its answer was lost.
  if (replay && head.last === last) return;
  if (head.last !== expectedLast) throw fenced(expectedLast, head.last);
  const first = Math.max(head.first, truncate + 1);
  if (first > head.first) begin(store.delete(IDBKeyRange.bound([stream, 1], [stream, first - 1])));
  for (const [index, bytes] of entries.entries()) begin(store.put({ channel, bytes }, [stream, expectedLast + 1 + index]));
  begin(store.put({ first, last }, [stream, HEAD]));
  known.heads.set(stream, { first, last });
}
