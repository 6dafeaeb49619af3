import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ops } from '../testing/arbitraries.ts';
import { propertyOptions } from '../testing/property-options.ts';
import { opBytesBound } from './op-bytes.ts';
import { encodedOpBytes } from './record-codec.ts';

it('never says less than an op takes, and not much more than a large one does', () => {
  fc.assert(
    fc.property(ops, (op) => {
      expect(opBytesBound(op)).toBeGreaterThanOrEqual(encodedOpBytes(op));
    }),
    propertyOptions(1_000),
  );
  const large = { type: 'put', pk: 'a', create: true, fields: { title: 'é'.repeat(10_000), vector: new Float32Array(1_000) } } as const;
  expect(opBytesBound(large)).toBeLessThan(encodedOpBytes(large) * 1.01);
});
