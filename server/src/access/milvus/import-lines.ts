import { createReadStream } from 'node:fs';
import { DbError } from '@terndb/core';

/** A row of the longest vector as decimal text, beside as much again: more than any row that would be taken. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Lines of a UTF-8 file, without their ends; at most one is in memory. ENTITY_TOO_LARGE that names the line. */
export async function* linesOf(path: string, maxBytes: number = MAX_LINE_BYTES): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  let number = 1;
  const add = (part: Buffer): void => {
    bytes += part.length;
    if (bytes > maxBytes) {
      const message = `line ${number}: at most ${maxBytes} bytes expected, got more`;
      throw new DbError('ENTITY_TOO_LARGE', message, { details: { line: number, limit: maxBytes } });
    }
    parts.push(part);
  };
  const take = (): string => {
    const line = Buffer.concat(parts).toString('utf8');
    parts = [];
    bytes = 0;
    number += 1;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  };
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (bytes > 0) yield take();
}
