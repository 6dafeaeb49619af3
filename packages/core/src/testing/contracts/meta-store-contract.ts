import type { MetaStore } from '../../ports/meta-store.ts';
import { type ContractApi, type MakeSubject, patternBytes, sameBytes, withSubject } from './contract.ts';

const CONCURRENT = 8;
const MAX_VALUE_BYTES = 64 * 1024;

/** What every meta store promises: compare-and-set, order of lists, revisions, ownership of buffers. */
export function metaStoreContract(name: string, make: MakeSubject<MetaStore>, api: ContractApi): void {
  const { describe, it, expect } = api;
  const test = (title: string, body: Parameters<typeof withSubject<MetaStore>>[1]): void => {
    it(title, withSubject(make, body));
  };
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

  describe(`meta store contract: ${name}`, () => {
    test('an absent key has no entry, and nothing lists it', async ({ store }) => {
      expect(await store.get('k')).toBeUndefined();
      expect(await store.list('')).toEqual([]);
      expect(await store.delete('k', 1)).toBe(false);
      expect(await store.compareAndSet('k', 5, bytes(1))).toBeUndefined();
      expect(await store.get('k')).toBeUndefined();
    });

    test('a write needs the current revision and changes it', async ({ store }) => {
      const first = await store.compareAndSet('k', 0, bytes(1));
      expect(first).toBeGreaterThan(0);
      expect(await store.compareAndSet('k', 0, bytes(9))).toBeUndefined();
      const second = await store.compareAndSet('k', first!, bytes(2));
      expect(second).not.toBe(first);
      expect(await store.compareAndSet('k', first!, bytes(9))).toBeUndefined();
      expect(await store.get('k')).toEqual({ key: 'k', value: bytes(2), revision: second });
    });

    test('of concurrent writes with one expectation one wins', async ({ store }) => {
      for (let round = 0, revision = 0; round < 3; round++) {
        const results = await Promise.all(
          Array.from({ length: CONCURRENT }, (_, writer) => store.compareAndSet('k', revision, bytes(round, writer))),
        );
        const winners = results.flatMap((result, writer) => (result === undefined ? [] : [{ result, writer }]));
        expect(winners).toHaveLength(1);
        revision = winners[0]!.result;
        expect(await store.get('k')).toEqual({ key: 'k', value: bytes(round, winners[0]!.writer), revision });
      }
    });

    test('counters kept by compare-and-set lose no step', async ({ store }) => {
      const stepsEach = 5;
      const increment = async (): Promise<void> => {
        for (;;) {
          const entry = await store.get('count');
          const next = bytes((entry?.value[0] ?? 0) + 1);
          if ((await store.compareAndSet('count', entry?.revision ?? 0, next)) !== undefined) return;
        }
      };
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          for (let step = 0; step < stepsEach; step++) await increment();
        }),
      );
      expect((await store.get('count'))?.value).toEqual(bytes(4 * stepsEach));
    });

    test('a delete needs the current revision; the key can come back with another one', async ({ store }) => {
      const first = await store.compareAndSet('k', 0, bytes(1));
      expect(await store.delete('k', first! + 1)).toBe(false);
      expect(await store.get('k')).toBeDefined();
      expect(await store.delete('k', first!)).toBe(true);
      expect(await store.get('k')).toBeUndefined();
      const second = await store.compareAndSet('k', 0, bytes(1));
      expect(second).toBeGreaterThan(0);
      expect(second).not.toBe(first);
      expect(await store.delete('k', first!)).toBe(false);
    });

    test('lists the keys with a prefix in code unit order', async ({ store }) => {
      const keys = ['b', 'a/2', 'a/10', 'a', 'a/', 'A/1', 'a0', 'a/é', 'a/\u{1f426}', 'a/\uffff', 'a%', 'a_', 'ab/1'];
      for (const key of keys) await store.compareAndSet(key, 0, bytes(key.length));
      const inOrder = keys.toSorted();
      for (const prefix of ['', 'a', 'a/', 'a/1', 'a%', 'a_', 'zz']) {
        const found = await store.list(prefix);
        expect(found.map(({ key }) => key)).toEqual(inOrder.filter((key) => key.startsWith(prefix)));
        for (const { key, value, revision } of found) expect(await store.get(key)).toEqual({ key, value, revision });
      }
    });

    test('values from nothing to 64 KiB and their revisions survive a reopen', async ({ store, reopen }) => {
      const large = patternBytes(MAX_VALUE_BYTES, 1);
      const revisions = [await store.compareAndSet('empty', 0, bytes()), await store.compareAndSet('large', 0, large)];
      const again = await reopen();
      expect(await again.get('empty')).toEqual({ key: 'empty', value: bytes(), revision: revisions[0] });
      const held = await again.get('large');
      expect(held?.revision).toBe(revisions[1]);
      expect(sameBytes(held?.value, large)).toBe(true);
      const next = await again.compareAndSet('empty', revisions[0]!, bytes(1));
      expect(revisions).not.toContain(next);
    });

    test('a revision is not given again after a delete and a reopen', async ({ store, reopen }) => {
      const first = await store.compareAndSet('k', 0, bytes(1));
      await store.delete('k', first!);
      const again = await reopen();
      expect(await again.get('k')).toBeUndefined();
      expect(await again.compareAndSet('k', 0, bytes(2))).not.toBe(first);
    });

    test('values are copied in and out', async ({ store }) => {
      const given = bytes(1, 2, 3);
      await store.compareAndSet('k', 0, given.subarray(1));
      given.fill(0);
      const [listed] = await store.list('k');
      expect(listed?.value).toEqual(bytes(2, 3));
      listed!.value.fill(9);
      (await store.get('k'))!.value.fill(9);
      expect((await store.get('k'))?.value).toEqual(bytes(2, 3));
    });
  });
}
