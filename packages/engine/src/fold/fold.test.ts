import { asTimestamp, type Stamp } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import { foldDelete, foldPatch, foldPut, isForgotten, newestTimestamp } from './fold.ts';
import type { LiveStamps, Tombstone } from './registers.ts';
import { rowHash } from './row-hash.ts';

const at = (hlc: number, clientId = 'm'): Stamp => ({ hlc: asTimestamp(hlc), clientId });
const live = (put: Stamp, exceptions?: Record<string, Stamp>): LiveStamps => ({
  live: true,
  put,
  exceptions: exceptions ? new Map(Object.entries(exceptions)) : null,
});
const dead = (put: Stamp | undefined, deleted: Stamp): Tombstone => ({ live: false, put, delete: deleted });

describe('a put', () => {
  it('makes an entity live, and replaces one whose put is older', () => {
    expect(foldPut(undefined, at(5))).toEqual(live(at(5)));
    expect(foldPut(live(at(4)), at(5))).toEqual(live(at(5)));
  });
  it('has no effect on a newer put; equal timestamps are decided by the client id', () => {
    expect(foldPut(live(at(6)), at(5))).toBeUndefined();
    expect(foldPut(live(at(5, 'z')), at(5, 'a'))).toBeUndefined();
    expect(foldPut(live(at(5, 'a')), at(5, 'z'))).toEqual(live(at(5, 'z')));
  });
  it('replaces every field but those with a newer register', () => {
    expect(foldPut(live(at(4), { old: at(5), same: at(6), new: at(7) }), at(6))).toEqual(live(at(6), { new: at(7) }));
    expect(foldPut(live(at(4), { old: at(5) }), at(6))).toEqual(live(at(6)));
  });
  it('revives only if it is newer than the delete; otherwise only the put register moves', () => {
    expect(foldPut(dead(at(1), at(5)), at(6))).toEqual(live(at(6)));
    expect(foldPut(dead(at(1), at(5)), at(5))).toEqual(dead(at(5), at(5)));
    expect(foldPut(dead(undefined, at(5)), at(3))).toEqual(dead(at(3), at(5)));
    expect(foldPut(dead(at(4), at(5)), at(3))).toBeUndefined();
  });
});

describe('a delete', () => {
  it('wins a tie with the put, and drops all registers but put and delete', () => {
    expect(foldDelete(live(at(5), { a: at(9) }), at(5))).toEqual(dead(at(5), at(5)));
  });
  it('older than the put has no effect, now or later', () => {
    expect(foldDelete(live(at(5)), at(4))).toBeUndefined();
    expect(foldDelete(live(at(5, 'z')), at(5, 'a'))).toBeUndefined();
  });
  it('of an absent key is remembered; of a dead one the newest counts', () => {
    expect(foldDelete(undefined, at(5))).toEqual(dead(undefined, at(5)));
    expect(foldDelete(dead(at(1), at(5)), at(7))).toEqual(dead(at(1), at(7)));
    expect(foldDelete(dead(at(1), at(5)), at(4))).toBeUndefined();
  });
  it('is forgotten below the floor and not at it', () => {
    expect(isForgotten(dead(at(1), at(5)), asTimestamp(5))).toBe(false);
    expect(isForgotten(dead(at(1), at(5)), asTimestamp(6))).toBe(true);
  });
});

describe('a patch', () => {
  it('has no effect on an entity that is not live', () => {
    expect(foldPatch(undefined, at(5), ['a'])).toBeUndefined();
    expect(foldPatch(dead(at(1), at(2)), at(5), ['a'])).toBeUndefined();
  });
  it('older than the put has no effect; at its stamp it applies and leaves no exception', () => {
    expect(foldPatch(live(at(5)), at(4), ['a'])).toBeUndefined();
    expect(foldPatch(live(at(5)), at(5), ['a'])).toEqual({ stamps: live(at(5)), applied: ['a'] });
  });
  it('takes the fields whose register is not newer', () => {
    const effect = foldPatch(live(at(2), { a: at(5), b: at(9) }), at(7), ['a', 'b', 'c']);
    expect(effect).toEqual({ stamps: live(at(2), { a: at(7), b: at(9), c: at(7) }), applied: ['a', 'c'] });
    expect(foldPatch(live(at(2), { a: at(9) }), at(7), ['a'])).toBeUndefined();
    expect(foldPatch(live(at(2)), at(7), [])).toBeUndefined();
  });
  it('raises the version of the row', () => {
    expect(newestTimestamp(live(at(2)))).toBe(2);
    expect(newestTimestamp(live(at(2), { a: at(9), b: at(4) }))).toBe(9);
  });
});

describe('[R13] the hash of a row', () => {
  it('is the one that frames and manifests of version 1 carry', () => {
    expect(rowHash('key', live(at(5)))).toEqual({ lo: 3672588071, hi: 4015757149 });
    expect(rowHash(7, dead(at(1), at(2)))).toEqual({ lo: 1300362081, hi: 1464192697 });
    expect(rowHash(-(2n ** 63n), live(at(5), { b: at(7), a: at(6, 'é') }))).toEqual({ lo: 3511136909, hi: 289214267 });
  });
  it('depends on the key and its type, every stamp and client, and not on the order of the exceptions', () => {
    const hashes = [
      rowHash('7', live(at(5))),
      rowHash(7, live(at(5))),
      rowHash('7', live(at(6))),
      rowHash('7', live(at(5, 'n'))),
      rowHash('7', dead(at(5), at(5))),
      rowHash('7', dead(undefined, at(5))),
      rowHash('7', live(at(5), { a: at(6) })),
      rowHash('7', live(at(5), { a: at(6), b: at(7) })),
    ].map((hash) => `${hash.hi} ${hash.lo}`);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(rowHash('7', live(at(5), { b: at(7), a: at(6) }))).toEqual(rowHash('7', live(at(5), { a: at(6), b: at(7) })));
    expect(rowHash(7n, live(at(5)))).toEqual(rowHash(7, live(at(5))));
  });
});
