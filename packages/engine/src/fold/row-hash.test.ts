import { hashToHex, type PrimaryKey, type Timestamp } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import type { EntityStamps } from './registers.ts';
import { rowHash } from './row-hash.ts';

const stamp = (hlc: number, clientId = 'ada') => ({ hlc: hlc as Timestamp, clientId });
const live = (put = stamp(1), exceptions: [string, ReturnType<typeof stamp>][] = []): EntityStamps => ({
  live: true,
  put,
  exceptions: exceptions.length === 0 ? null : new Map(exceptions),
});
const hex = (pk: PrimaryKey, stamps: EntityStamps): string => hashToHex(rowHash(pk, stamps));

describe('[R13] the hash of a row', () => {
  it('is the same on every device and in every version', () => {
    expect(hex('tern', live())).toMatchInlineSnapshot(`"da585c572b269a01"`);
    expect(hex(-(2n ** 63n), live(stamp(2 ** 52, 'bé'), [['body', stamp(2 ** 52 + 1)]]))).toMatchInlineSnapshot(`"c4e4f5f803e0b7c2"`);
    expect(hex(7, { live: false, put: undefined, delete: stamp(3) })).toMatchInlineSnapshot(`"f88c371f0aec00b3"`);
  });

  it('does not depend on the order in which fields were patched', () => {
    const patches: [string, ReturnType<typeof stamp>][] = [
      ['a', stamp(2)],
      ['b', stamp(3)],
    ];
    expect(hex('k', live(stamp(1), patches))).toBe(hex('k', live(stamp(1), [...patches].reverse())));
  });

  it('differs for every other key, stamp, client, field or state', () => {
    const different = [
      hex('1', live()),
      hex(1, live()),
      hex(1n, live(stamp(2))),
      hex('1', live(stamp(2))),
      hex('1', live(stamp(1, 'bob'))),
      hex('1', live(stamp(1), [['a', stamp(2)]])),
      hex('1', live(stamp(1), [['b', stamp(2)]])),
      hex('1', live(stamp(1), [['a', stamp(3)]])),
      hex('1', { live: false, put: stamp(1), delete: stamp(1) }),
      hex('1', { live: false, put: undefined, delete: stamp(1) }),
      hex('', live()),
    ];
    expect(new Set(different).size).toBe(different.length);
  });

  it('survives keys longer than its scratch memory', () => {
    const long = 'ä'.repeat(70_000);
    const first = hex(long, live());
    expect(hex('tern', live())).not.toBe(first);
    expect(hex(long, live())).toBe(first);
  });
});
