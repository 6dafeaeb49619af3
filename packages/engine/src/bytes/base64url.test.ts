import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromBase64Url, toBase64Url } from './base64url.ts';

/** Every platform has it; this package's types know neither DOM nor Node. */
const { btoa } = globalThis as unknown as { btoa(binary: string): string };

it('writes what the platform writes, and reads it back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      const text = toBase64Url(bytes);
      expect(text).toBe(
        btoa(String.fromCharCode(...bytes))
          .replaceAll('+', '-')
          .replaceAll('/', '_')
          .replaceAll('=', ''),
      );
      expect(fromBase64Url(text)).toEqual(Uint8Array.from(bytes));
    }),
  );
});

it.each(['a', 'a+', 'ab=', 'AB', 'é'])('refuses %j', (text) => {
  expect(fromBase64Url(text)).toBeUndefined();
});
