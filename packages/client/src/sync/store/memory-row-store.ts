import { DbError, type LogBroker, type MetaStore } from '@terndb/core';
import { readTerm, TERM_KEY } from '../../tabs/term.ts';
import type { EntryRow, EntryStore, RowOp, RowStore, StoredRow } from './row-store.ts';

/** Rows in memory, over the ports that the engine reads: for tabs without IndexedDB, and for tests. What fails here is a bug, so nothing is undone. */
export class MemoryRowStore implements RowStore {
  readonly #log: LogBroker;
  readonly #meta: MetaStore;
  readonly #rows: Record<EntryStore, Map<string, StoredRow>> = { outbox: new Map(), kept: new Map(), rejected: new Map() };
  /** Set by tests: the next commit fails with it. */
  failNext: DbError | undefined;

  constructor(ports: { readonly log: LogBroker; readonly meta: MetaStore }) {
    this.#log = ports.log;
    this.#meta = ports.meta;
  }

  async commit(term: number, ops: readonly RowOp[]): Promise<void> {
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure !== undefined) throw failure;
    const entry = await this.#meta.get(TERM_KEY);
    if (entry !== undefined && readTerm(entry.value) > term) throw fenced(term, readTerm(entry.value));
    for (const op of ops) await this.#apply(op);
  }

  async rows(store: EntryStore, channel?: string): Promise<readonly StoredRow[]> {
    const rows = [...this.#rows[store].values()].filter((row) => channel === undefined || row.channel === channel);
    return rows.sort((a, b) => (a.channel === b.channel ? a.id - b.id : a.channel < b.channel ? -1 : 1));
  }

  async meta(key: string): Promise<Uint8Array | undefined> {
    return (await this.#meta.get(key))?.value;
  }

  async lastSequence(stream: string): Promise<number> {
    return (await this.#log.bounds(stream)).last;
  }

  async #apply(op: RowOp): Promise<void> {
    switch (op.type) {
      case 'put':
        this.#rows[op.store].set(`${op.channel} ${op.id}`, { channel: op.channel, id: op.id, row: own(op.row) });
        return;
      case 'delete':
        this.#rows[op.store].delete(`${op.channel} ${op.id}`);
        return;
      case 'meta': {
        const revision = (await this.#meta.get(op.key))?.revision ?? 0;
        if (op.value !== undefined) await this.#meta.compareAndSet(op.key, revision, op.value);
        else if (revision > 0) await this.#meta.delete(op.key, revision);
        return;
      }
      case 'append': {
        const entries = op.entries.map((bytes) => ({ channel: op.channel, bytes }));
        if (entries.length > 0) await this.#log.append(op.stream, op.expectedLast, entries);
        if (op.truncate !== undefined) await this.#log.truncate(op.stream, op.truncate);
        return;
      }
    }
  }
}

function own(row: EntryRow): EntryRow {
  return { ...row, bytes: row.bytes.slice() };
}

export function fenced(term: number, newer: number): DbError {
  return new DbError('APPEND_CONFLICT', `replication: term ${term} expected to be the newest, got ${newer}: another tab leads`, {
    details: { reason: 'fenced', expected: term, got: newer },
  });
}
