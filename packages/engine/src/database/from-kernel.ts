import { DbError, type ErrorCode } from '@terndb/core';
import { KernelError } from '@terndb/kernel';

/** The kernel knows no DbError; its codes are a part of ours. Everything else becomes what `DbError.from` makes of it. */
export function fromKernel(error: unknown): DbError {
  if (!(error instanceof KernelError)) return DbError.from(error);
  return new DbError(error.code satisfies ErrorCode, error.message, { cause: error });
}
