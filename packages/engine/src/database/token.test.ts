import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeToken, encodeToken } from './token.ts';

const anyPositions = fc
  .dictionary(fc.stringMatching(/^[a-z0-9/]{1,40}$/), fc.nat({ max: Number.MAX_SAFE_INTEGER }), { maxKeys: 20 })
  .map((positions) => new Map(Object.entries(positions)));

describe('a token', () => {
  it('gives back what it was made of, and equal positions give equal tokens', () => {
    fc.assert(
      fc.property(fc.uuid(), anyPositions, (logEpoch, positions) => {
        const token = encodeToken({ logEpoch, positions });
        expect(decodeToken(token)).toEqual([{ logEpoch, positions }]);
        expect(encodeToken({ logEpoch, positions: new Map([...positions].reverse()) })).toBe(token);
        expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
      }),
      propertyOptions(100),
    );
  });

  it('of one channel is the same text for ever in version 1', () => {
    expect(encodeToken({ logEpoch: 'epoch', positions: new Map([['c/p/0', 300]]) })).toBe('AQVlcG9jaAEFYy9wLzCsAg');
  });

  it('of several universes gives them back by log epoch, in any order, and of none', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.uuid(), anyPositions), { selector: ([epoch]) => epoch }), (parts) => {
        const universes = parts.map(([logEpoch, positions]) => ({ logEpoch, positions }));
        const token = encodeToken(universes);
        expect(decodeToken(token)).toEqual(universes.toSorted((a, b) => (a.logEpoch < b.logEpoch ? -1 : 1)));
        expect(encodeToken(universes.toReversed())).toBe(token);
      }),
      propertyOptions(100),
    );
  });

  it('of two universes is the same text for ever in version 2', () => {
    const local = { logEpoch: 'here', positions: new Map([['c/p/0', 3]]) };
    const followed = { logEpoch: 'away', positions: new Map([['d/q/0', 300]]) };
    expect(encodeToken([local, followed])).toBe('AgIEYXdheQEFZC9xLzCsAgRoZXJlAQVjL3AvMAM');
  });

  it('that is cut, changed or invented is a token or TOKEN_INVALID, never anything else', () => {
    const token = encodeToken({ logEpoch: 'e', positions: new Map([['c/p/0', 7]]) });
    const any = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.nat({ max: token.length }).map((length) => token.slice(0, length)),
      fc
        .tuple(fc.nat({ max: token.length - 1 }), fc.constantFrom('A', 'z', '_', '!'))
        .map(([at, letter]) => token.slice(0, at) + letter + token.slice(at + 1)),
    );
    fc.assert(
      fc.property(any, (text) => {
        try {
          decodeToken(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'TOKEN_INVALID' });
        }
      }),
      propertyOptions(300),
    );
    expect(() => decodeToken('A'.repeat(300_000))).toThrow(expect.objectContaining({ code: 'TOKEN_INVALID' }));
  });
});
