import type { ErrorMessage } from '@terndb/core';
import type { IndexFile, IndexJob } from '@terndb/engine/parts';

/** Between a server and its index workers: both are of one release, so there are no versions. One job at a time per worker. */
export type ToWorker =
  | { readonly type: 'build'; readonly job: IndexJob }
  /** Answers to `head` and `read`, by their number. */
  | { readonly type: 'size'; readonly request: number; readonly bytes: number | undefined }
  | { readonly type: 'bytes'; readonly request: number; readonly bytes: Uint8Array<ArrayBuffer> | undefined }
  | { readonly type: 'refused'; readonly request: number; readonly error: ErrorMessage };

export type FromWorker =
  | { readonly type: 'head'; readonly request: number; readonly name: string }
  | { readonly type: 'read'; readonly request: number; readonly name: string; readonly offset: number; readonly length: number }
  | { readonly type: 'progress'; readonly done: number }
  /** Parts are transferred. */
  | { readonly type: 'built'; readonly file: IndexFile }
  | { readonly type: 'failed'; readonly error: ErrorMessage };

/** For a transfer, which takes whole buffers: what shares its buffer with others is copied. */
export function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength;
  return isWhole ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();
}
