import { describe, expect, it } from 'vitest';
import { TERM_KEY } from '../../tabs/term.ts';
import type { RowOp, RowStore } from '../store/row-store.ts';

const put = (id: number, channel = 'c'): RowOp => ({
  type: 'put',
  store: 'outbox',
  channel,
  id,
  row: { bytes: Uint8Array.of(id, 1, 2).subarray(0, 2), sent: false },
});
const append = (expectedLast: number, count: number, truncate?: number): RowOp => ({
  type: 'append',
  stream: 'followed/c',
  channel: 'c',
  expectedLast,
  entries: Array.from({ length: count }, (_, index) => Uint8Array.of(expectedLast + index + 1)),
  ...(truncate === undefined ? {} : { truncate }),
});

/** What replication asks of its rows, whatever keeps them. `make` gives an empty store. */
export function rowStoreContract(name: string, make: () => Promise<RowStore>): void {
  describe(`a row store: ${name}`, () => {
    it('gives rows back by channel and id, and only the bytes of a view', async () => {
      const store = await make();
      await store.commit(1, [put(2), put(1), put(1, 'd')]);
      const rows = await store.rows('outbox', 'c');
      expect(rows.map(({ id, row }) => [id, [...row.bytes], row.bytes.buffer.byteLength])).toEqual([
        [1, [1, 1], 2],
        [2, [2, 1], 2],
      ]);
      expect((await store.rows('outbox')).map(({ channel, id }) => `${channel}${id}`)).toEqual(['c1', 'c2', 'd1']);
      await store.commit(1, [{ type: 'delete', store: 'outbox', channel: 'c', id: 1 }]);
      expect((await store.rows('outbox', 'c')).map(({ id }) => id)).toEqual([2]);
    });

    it('appends in order, forgets what is truncated and never the sequence', async () => {
      const store = await make();
      await store.commit(1, [append(0, 3)]);
      await store.commit(1, [append(3, 1), append(4, 2)]);
      expect(await store.lastSequence('followed/c')).toBe(6);
      await store.commit(1, [append(6, 0, 6)]);
      expect(await store.lastSequence('followed/c')).toBe(6);
      await store.commit(1, [append(6, 1)]);
      expect(await store.lastSequence('followed/c')).toBe(7);
      expect(await store.lastSequence('followed/other')).toBe(0);
    });

    it('keeps records, and drops them', async () => {
      const store = await make();
      await store.commit(1, [{ type: 'meta', key: 'a', value: Uint8Array.of(1) }]);
      await store.commit(1, [{ type: 'meta', key: 'a', value: Uint8Array.of(2) }]);
      expect(await store.meta('a')).toEqual(Uint8Array.of(2));
      await store.commit(1, [{ type: 'meta', key: 'a', value: undefined }]);
      expect(await store.meta('a')).toBeUndefined();
    });

    it('[R11] refuses a commit of an older term, as a whole', async () => {
      const store = await make();
      const term = new Uint8Array(9);
      term[0] = 1;
      new DataView(term.buffer).setFloat64(1, 5, true);
      await store.commit(1, [{ type: 'meta', key: TERM_KEY, value: term }]);
      await expect(store.commit(4, [put(1), append(0, 1)])).rejects.toMatchObject({
        code: 'APPEND_CONFLICT',
        details: { reason: 'fenced' },
      });
      expect(await store.rows('outbox')).toEqual([]);
      expect(await store.lastSequence('followed/c')).toBe(0);
      await store.commit(5, [put(1)]);
      expect(await store.rows('outbox')).toHaveLength(1);
    });
  });
}
