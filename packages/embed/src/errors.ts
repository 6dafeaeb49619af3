import { DbError } from '@terndb/core';

/**
 * Why there is no embedder now, in `details.reason` of EMBEDDER_UNAVAILABLE:
 * `model-missing` the folder has no such file, `unreachable` it could not be read (try again), `runtime-missing` onnxruntime's files did not load,
 * `model-unsupported` the graph, tokenizer or pooling is one that we cannot run, `out-of-memory`, `worker-lost` (a new one is started on the next
 * call), `function-failed` the application's own embedder threw or gave what it should not, `closed`.
 */
export type UnavailableReason =
  | 'model-missing'
  | 'unreachable'
  | 'runtime-missing'
  | 'model-unsupported'
  | 'out-of-memory'
  | 'worker-lost'
  | 'function-failed'
  | 'closed';

export function unavailable(reason: UnavailableReason, message: string, cause?: unknown): DbError<'EMBEDDER_UNAVAILABLE'> {
  return new DbError('EMBEDDER_UNAVAILABLE', message, { details: { reason }, ...(cause === undefined ? {} : { cause }) });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new DbError('ABORTED', 'embedding was aborted', { cause: signal.reason });
}

export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
