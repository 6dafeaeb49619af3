import { DbError } from '../errors/db-error.ts';

/** The DbError that a call throws; fails the test when it throws nothing or something else. */
export function errorOf(call: () => unknown): DbError {
  try {
    call();
  } catch (error) {
    if (error instanceof DbError) return error;
    throw error;
  }
  throw new Error('a DbError was expected, nothing was thrown');
}
