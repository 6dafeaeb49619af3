/**
 * Codes of the kernel's errors, a subset of the database's registry, so that the layer above maps them one to one:
 * `QUERY_INVALID` and `OPTION_INVALID` and `DIMENSION_MISMATCH` fix the call; `MEMORY_LIMIT` free something and try again (everything
 * stays usable); `INDEX_CORRUPT` build the index anew; `INTERNAL` the wasm module is not the one this code was built for, or a freed block was used.
 * Of a pool of threads: `WORKER_LOST` ask again; `ABORTED` it was closed.
 */
export type KernelErrorCode =
  | 'QUERY_INVALID'
  | 'OPTION_INVALID'
  | 'DIMENSION_MISMATCH'
  | 'MEMORY_LIMIT'
  | 'INDEX_CORRUPT'
  | 'INTERNAL'
  | 'WORKER_LOST'
  | 'ABORTED';

/** `details` says the same as the message, as data. The package imports nothing of ours; the engine turns this into a `DbError`. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly code: KernelErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: KernelErrorCode, message: string, options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  /** Also of another copy of this class: a part of the kernel may come in a file of its own. */
  static override [Symbol.hasInstance](value: any): boolean {
    return value?.name === 'KernelError';
  }
}
