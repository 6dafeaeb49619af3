import type { ObjectStore } from '../../ports/object-store.ts';
import { type ContractApi, type MakeSubject, patternBytes, sameBytes, withSubject } from './contract.ts';

const MIB = 1024 * 1024;
const LARGE_BYTES = 20 * MIB;

/** What every object store promises: whole objects, ranges, order of lists, names, ownership of buffers. */
export function objectStoreContract(name: string, make: MakeSubject<ObjectStore>, api: ContractApi): void {
  const { describe, it, expect } = api;
  const test = (title: string, body: Parameters<typeof withSubject<ObjectStore>>[1]): void => {
    it(title, withSubject(make, body));
  };
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

  describe(`object store contract: ${name}`, () => {
    test('an absent object has no size and no bytes, and its deletion is no error', async ({ store }) => {
      expect(await store.head('a')).toBeUndefined();
      expect(await store.read('a', 0, 0)).toBeUndefined();
      expect(await store.read('a', 0, 10)).toBeUndefined();
      expect(await store.list('')).toEqual([]);
      await store.delete('a');
    });

    test('an object is the concatenation of its parts', async ({ store }) => {
      await store.put('a', [bytes(1, 2), bytes(), bytes(9, 3, 4, 9).subarray(1, 3)]);
      expect(await store.head('a')).toEqual({ name: 'a', bytes: 4 });
      expect(await store.read('a', 0, 4)).toEqual(bytes(1, 2, 3, 4));
    });

    test('an object may be empty', async ({ store, reopen }) => {
      await store.put('none', []);
      await store.put('empty', [bytes()]);
      const again = await reopen();
      for (const object of ['none', 'empty']) {
        expect(await again.head(object)).toEqual({ name: object, bytes: 0 });
        expect(await again.read(object, 0, 0)).toEqual(bytes());
      }
    });

    test('any range inside is read, the empty one too', async ({ store }) => {
      await store.put('a', [bytes(1, 2, 3), bytes(4, 5)]);
      for (let offset = 0; offset <= 5; offset++) {
        for (let length = 0; offset + length <= 5; length++) {
          expect(await store.read('a', offset, length)).toEqual(bytes(1, 2, 3, 4, 5).subarray(offset, offset + length));
        }
      }
    });

    test('a range that is not inside is refused', async ({ store }) => {
      await store.put('a', [bytes(1, 2, 3)]);
      for (const [offset, length] of [
        [0, 4],
        [3, 1],
        [4, 0],
        [-1, 1],
        [0, -1],
        [1, 2 ** 40],
      ] as const) {
        await expect(store.read('a', offset, length)).rejects.toMatchObject({ code: 'FORMAT_INVALID' });
      }
    });

    test('writing a name again changes nothing, another length is refused', async ({ store }) => {
      await store.put('a', [bytes(1, 2)]);
      await store.put('a', [bytes(1), bytes(2)]);
      await store.put('a', [bytes(7, 7)]);
      await expect(store.put('a', [bytes(1, 2, 3)])).rejects.toThrow();
      expect(await store.read('a', 0, 2)).toEqual(bytes(1, 2));
      expect(await store.list('')).toEqual([{ name: 'a', bytes: 2 }]);
    });

    test('concurrent writes of one name and of many all end well', async ({ store }) => {
      const content = patternBytes(100_000, 1);
      const same = Array.from({ length: 4 }, () => store.put('same', [content.slice()]));
      const different = Array.from({ length: 8 }, (_, index) => store.put(`d/${index}`, [patternBytes(1000 + index, index)]));
      await Promise.all([...same, ...different]);
      expect(sameBytes(await store.read('same', 0, content.length), content)).toBe(true);
      for (let index = 0; index < 8; index++) {
        expect(sameBytes(await store.read(`d/${index}`, 0, 1000 + index), patternBytes(1000 + index, index))).toBe(true);
      }
    });

    test('lists the names with a prefix in code unit order, with sizes', async ({ store }) => {
      const names = ['s/10', 's/2', 's', 'S/1', 's/2/x', 's-1', 's.1', 's_1', 't/1', 's/A', 's/a'];
      for (const [index, object] of names.entries()) await store.put(object, [new Uint8Array(index)]);
      for (const prefix of ['', 's', 's/', 's/2', 'S', 's_', 'x']) {
        const expected = names.filter((object) => object.startsWith(prefix)).toSorted();
        expect(await store.list(prefix)).toEqual(expected.map((object) => ({ name: object, bytes: names.indexOf(object) })));
      }
    });

    test('a deleted object is gone and can be written anew', async ({ store, reopen }) => {
      await store.put('a', [bytes(1, 2)]);
      await store.put('a/b', [bytes(3)]);
      await store.delete('a');
      expect(await store.head('a')).toBeUndefined();
      expect(await store.read('a', 0, 1)).toBeUndefined();
      expect(await store.list('')).toEqual([{ name: 'a/b', bytes: 1 }]);
      await store.put('a', [bytes(4, 5, 6)]);
      expect(await (await reopen()).read('a', 0, 3)).toEqual(bytes(4, 5, 6));
    });

    test('an object of 20 MiB survives a reopen and is read whole and by range', async ({ store, reopen }) => {
      const large = patternBytes(LARGE_BYTES, 7);
      const parts = [large.slice(0, 3), large.slice(3, 9 * MIB + 1), large.slice(9 * MIB + 1)];
      await store.put('large', parts);
      const again = await reopen();
      expect(await again.head('large')).toEqual({ name: 'large', bytes: LARGE_BYTES });
      expect(sameBytes(await again.read('large', 0, LARGE_BYTES), large)).toBe(true);
      for (const at of [0, MIB - 1, 4 * MIB - 3, 8 * MIB, 9 * MIB, LARGE_BYTES - 10]) {
        expect(sameBytes(await again.read('large', at, 10), large.subarray(at, at + 10))).toBe(true);
      }
      const from = 3 * MIB + 17;
      expect(sameBytes(await again.read('large', from, 6 * MIB), large.subarray(from, from + 6 * MIB))).toBe(true);
      await again.delete('large');
      expect(await again.list('')).toEqual([]);
    });

    test('the bytes read are a buffer of their own, exactly as long', async ({ store }) => {
      await store.put('a', [bytes(1, 2, 3, 4)]);
      const read = await store.read('a', 1, 2);
      expect(read?.byteOffset).toBe(0);
      expect(read?.buffer.byteLength).toBe(2);
      read?.fill(0);
      expect(await store.read('a', 0, 4)).toEqual(bytes(1, 2, 3, 4));
    });

    test('a name that is no name is refused before anything is stored', async ({ store }) => {
      for (const bad of ['', '..', 'a/../b', '../etc/passwd', 'a b', 'é', 'a\\b', 'a\u0000', 'a%2e', 'x'.repeat(201)]) {
        await expect(store.put(bad, [bytes(1)])).rejects.toThrow();
      }
      await store.put('x'.repeat(200), [bytes(1)]);
      expect(await store.list('')).toEqual([{ name: 'x'.repeat(200), bytes: 1 }]);
    });
  });
}
