import { describe, expect, it } from 'vitest';
import { digestOf } from './digest.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('the hash of a model file', () => {
  it.each(['sha256', 'sha384', 'sha512'] as const)(
    'is the same without crypto.subtle, as on a page over plain http: %s',
    async (algorithm) => {
      for (const length of [0, 1, 63, 64, 65, 127, 128, 100_000]) {
        const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) % 251);
        const subtle = await digestOf(algorithm, bytes);
        const plain = await digestOf(algorithm, bytes, null);
        expect(hex(plain), `${length} bytes`).toBe(hex(subtle));
      }
    },
  );
});
