import { expect, it } from 'vitest';
import { KernelError } from './errors.ts';

it('an error of another copy of the kernel, which came in a file of its own, is a KernelError; others are not', () => {
  class OtherCopy extends Error {
    override readonly name = 'KernelError';
  }
  expect(new OtherCopy() instanceof KernelError).toBe(true);
  expect(new KernelError('INTERNAL', 'x') instanceof KernelError).toBe(true);
  for (const other of [new Error('x'), null, undefined, 'KernelError', {}]) expect(other instanceof KernelError).toBe(false);
});
