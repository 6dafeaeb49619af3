import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hash64 } from '../ops/op.ts';
import { propertyOptions } from '../testing/property-options.ts';
import { addHash, hash64, hashEquals, hashFromHex, hashToHex, subHash, ZERO_HASH } from './hash64.ts';

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const hashes = fc.record<Hash64>({ lo: uint32, hi: uint32 });
const toBigInt = (hash: Hash64): bigint => (BigInt(hash.hi) << 32n) | BigInt(hash.lo);

describe('hash64', () => {
  it('is the first half of MurmurHash3 x86_128', () => {
    expect(hash64(ascii(''))).toEqual({ lo: 0, hi: 0 });
    expect(hash64(ascii('Hello, world!'), 123)).toEqual({ lo: 0x61c9129e, hi: 0x5a1aacd7 });
    expect(hash64(ascii('The quick brown fox jumps over the lazy dog'))).toEqual({ lo: 0x2f1583c3, hi: 0xecee2c67 });
  });

  it('differs for every prefix and for a trailing zero', () => {
    const seen = new Set<string>();
    for (let length = 1; length <= 64; length++) seen.add(hashToHex(hash64(new Uint8Array(length))));
    expect(seen.size).toBe(64);
  });

  it('adds and subtracts modulo 2^64', () => {
    fc.assert(
      fc.property(hashes, hashes, (a, b) => {
        expect(toBigInt(addHash(a, b))).toBe(BigInt.asUintN(64, toBigInt(a) + toBigInt(b)));
        expect(toBigInt(subHash(a, b))).toBe(BigInt.asUintN(64, toBigInt(a) - toBigInt(b)));
        expect(hashEquals(subHash(addHash(a, b), b), a)).toBe(true);
        expect(hashEquals(addHash(a, ZERO_HASH), a)).toBe(true);
      }),
      propertyOptions(200),
    );
  });

  it('survives the way to hex and back', () => {
    fc.assert(
      fc.property(hashes, (hash) => {
        expect(hashFromHex(hashToHex(hash))).toEqual(hash);
      }),
      propertyOptions(200),
    );
    expect(hashToHex({ lo: 1, hi: 0xab })).toBe('000000ab00000001');
  });
});
