import type { LogBroker, LogEntry, StoredEntry } from '../../ports/log-broker.ts';
import { type ContractApi, type MakeSubject, patternBytes, sameBytes, withSubject } from './contract.ts';

const ALL = { maxBytes: 2 ** 30 };
const CONCURRENT = 8;

function entry(text: string, channel = 'c/p/0'): LogEntry {
  return { channel, bytes: Uint8Array.from(text, (character) => character.charCodeAt(0)) };
}

function texts(entries: readonly StoredEntry[]): string[] {
  return entries.map(({ bytes }) => String.fromCharCode(...bytes));
}

function sequences(entries: readonly StoredEntry[]): number[] {
  return entries.map(({ sequence }) => sequence);
}

/** What every log broker promises. Append, order, paging, truncation, fencing, ownership of buffers. */
export function logBrokerContract(name: string, make: MakeSubject<LogBroker>, api: ContractApi): void {
  const { describe, it, expect } = api;
  const test = (title: string, body: Parameters<typeof withSubject<LogBroker>>[1]): void => {
    it(title, withSubject(make, body));
  };

  describe(`log broker contract: ${name}`, () => {
    test('an unknown stream is empty and begins at 1', async ({ store }) => {
      expect(await store.bounds('s')).toEqual({ first: 1, last: 0 });
      expect(await store.read('s', 1, ALL)).toEqual([]);
      await store.truncate('s', 10);
      expect(await store.append('s', 0, [entry('a')])).toBe(1);
    });

    test('entries come back in order, with contiguous sequences, channels and bytes', async ({ store }) => {
      expect(await store.append('s', 0, [entry('a', 'x'), entry('', 'y')])).toBe(2);
      expect(await store.append('s', 2, [entry('c', 'x')])).toBe(3);
      expect(await store.bounds('s')).toEqual({ first: 1, last: 3 });
      const all = await store.read('s', 1, ALL);
      expect(all.map(({ sequence, channel }) => [sequence, channel])).toEqual([
        [1, 'x'],
        [2, 'y'],
        [3, 'x'],
      ]);
      expect(texts(all)).toEqual(['a', '', 'c']);
      expect(sequences(await store.read('s', 3, ALL))).toEqual([3]);
      expect(await store.read('s', 4, ALL)).toEqual([]);
    });

    test('an append that expects another end writes nothing and says where the stream ends', async ({ store }) => {
      await store.append('s', 0, [entry('a'), entry('b')]);
      for (const expected of [0, 1, 3]) {
        const appended = store.append('s', expected, [entry('x'), entry('y')]);
        await expect(appended).rejects.toMatchObject({ code: 'APPEND_CONFLICT', details: { last: 2 } });
      }
      expect(texts(await store.read('s', 1, ALL))).toEqual(['a', 'b']);
      expect(await store.bounds('s')).toEqual({ first: 1, last: 2 });
    });

    test('of concurrent appends with one expectation one wins, wholly', async ({ store }) => {
      await store.append('s', 0, [entry('start')]);
      const writers = Array.from({ length: CONCURRENT }, (_, writer) => store.append('s', 1, [entry(`${writer}a`), entry(`${writer}b`)]));
      const outcomes = await Promise.allSettled(writers);
      const won = outcomes.flatMap((outcome, writer) => (outcome.status === 'fulfilled' ? [writer] : []));
      expect(won).toHaveLength(1);
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'APPEND_CONFLICT' });
      expect(texts(await store.read('s', 1, ALL))).toEqual(['start', `${won[0]}a`, `${won[0]}b`]);
    });

    test('appends of one writer in flight one after the other all arrive', async ({ store }) => {
      let last = 0;
      for (let batch = 0; batch < 10; batch++) last = await store.append('s', last, [entry(`${batch}a`), entry(`${batch}b`)]);
      expect(last).toBe(20);
      expect(sequences(await store.read('s', 1, ALL))).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    });

    test('reads page by page: about maxBytes each, at least one entry, nothing left out', async ({ store }) => {
      const entries = Array.from({ length: 50 }, (_, index) => ({ channel: 'c', bytes: patternBytes(100 + index, index) }));
      await store.append('s', 0, entries);
      for (const maxBytes of [0, 1, 150, 1000, 1e9]) {
        const seen: StoredEntry[] = [];
        for (
          let page = await store.read('s', 1, { maxBytes });
          page.length > 0;
          page = await store.read('s', seen.length + 1, { maxBytes })
        ) {
          const bytes = page.reduce((sum, { bytes }) => sum + bytes.length, 0);
          expect(page.length === 1 || bytes <= maxBytes + 200).toBe(true);
          seen.push(...page);
        }
        expect(sequences(seen)).toEqual(entries.map((_, index) => index + 1));
        expect(seen.every(({ bytes }, index) => sameBytes(bytes, entries[index]!.bytes))).toBe(true);
      }
    });

    test('streams do not see each other', async ({ store }) => {
      const names = ['s', 's/1', 's/10', 't', 'S', 's-', ''];
      for (const [index, stream] of names.entries()) await store.append(stream, 0, [entry(`only ${index}`)]);
      await store.truncate('s/1', 1);
      for (const [index, stream] of names.entries()) {
        expect(texts(await store.read(stream, 1, ALL))).toEqual(stream === 's/1' ? [] : [`only ${index}`]);
      }
    });

    test('truncation forgets the entries and never the sequence', async ({ store }) => {
      await store.append('s', 0, [entry('a'), entry('b'), entry('c')]);
      await store.truncate('s', 2);
      await store.truncate('s', 1);
      expect(await store.bounds('s')).toEqual({ first: 3, last: 3 });
      expect(texts(await store.read('s', 1, ALL))).toEqual(['c']);
      await store.truncate('s', 99);
      expect(await store.bounds('s')).toEqual({ first: 4, last: 3 });
      expect(await store.read('s', 1, ALL)).toEqual([]);
      await expect(store.append('s', 0, [entry('x')])).rejects.toMatchObject({ code: 'APPEND_CONFLICT', details: { last: 3 } });
      expect(await store.append('s', 3, [entry('d')])).toBe(4);
      expect(sequences(await store.read('s', 4, ALL))).toEqual([4]);
    });

    test('everything survives a reopen, truncation and the sequence of an emptied stream too', async ({ store, reopen }) => {
      await store.append('s', 0, [entry('a'), entry('b'), entry('c')]);
      await store.truncate('s', 1);
      await store.append('gone', 0, [entry('x'), entry('y')]);
      await store.truncate('gone', 2);
      const again = await reopen();
      expect(await again.bounds('s')).toEqual({ first: 2, last: 3 });
      expect(texts(await again.read('s', 2, ALL))).toEqual(['b', 'c']);
      expect(await again.bounds('gone')).toEqual({ first: 3, last: 2 });
      expect(await again.append('gone', 2, [entry('z')])).toBe(3);
      expect(await again.append('s', 3, [entry('d')])).toBe(4);
    });

    test('the bytes read belong to the reader', async ({ store }) => {
      await store.append('s', 0, [entry('abc')]);
      (await store.read('s', 1, ALL))[0]!.bytes.fill(0);
      expect(texts(await store.read('s', 1, ALL))).toEqual(['abc']);
    });

    test('an entry may be part of a larger buffer, and large', async ({ store, reopen }) => {
      const buffer = patternBytes(2 * 1024 * 1024, 3);
      const part = buffer.subarray(5, 5 + 1_500_001);
      await store.append('s', 0, [{ channel: 'c', bytes: part }]);
      const [held] = await (await reopen()).read('s', 1, ALL);
      expect(sameBytes(held?.bytes, part)).toBe(true);
    });

    test('one append takes a thousand entries', async ({ store, reopen }) => {
      const entries = Array.from({ length: 1000 }, (_, index) => entry(String(index)));
      expect(await store.append('s', 0, entries)).toBe(1000);
      const held = await (await reopen()).read('s', 1, ALL);
      expect(texts(held)).toEqual(entries.map((_, index) => String(index)));
    });
  });
}
