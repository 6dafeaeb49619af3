import type { Readable } from 'node:stream';
import { DbError } from '@terndb/core';

/** A body of which nothing arrives for so long is given up, and its request is made again. */
const IDLE_MS = 20_000;

/**
 * All bytes of a body into one buffer of exactly `length`.
 * @throws CHECKSUM_MISMATCH when there are more; an Error (to be tried again) when it breaks off or stands still.
 */
export async function readBody(body: Readable, length: number, what: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let done = 0;
  const idle = setTimeout(() => body.destroy(new Error(`${what}: nothing for ${IDLE_MS} ms`)), IDLE_MS);
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      idle.refresh();
      if (done + chunk.length > length) {
        throw new DbError('CHECKSUM_MISMATCH', `${what}: ${length} bytes expected, got more`, { details: { expected: length } });
      }
      bytes.set(chunk, done);
      done += chunk.length;
    }
  } finally {
    clearTimeout(idle);
  }
  if (done < length) throw new Error(`${what}: broke off after ${done} of ${length} bytes`);
  return bytes;
}
