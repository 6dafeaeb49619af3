/**
 * A process that appends without end and says what was acknowledged, for the test that kills it: `node appending-process.ts FOLDER`.
 * Prints `STREAM LAST` after every acknowledged append, and `STREAM failed CODE` when one is refused, which ends that stream.
 */
import { writeSync } from 'node:fs';
import { DbError, type LogEntry } from '@terndb/core';
import { LmdbLogBroker } from './lmdb-log-broker.ts';

const STREAMS = ['a', 'b', 'c'];
const MAX_ENTRIES = 7;
const MAX_TEXT = 9_000;

/** Entry `sequence` says which one it is, as often as fits its length. */
function entryOf(stream: string, sequence: number): LogEntry {
  const length = 1 + ((sequence * 7_919) % MAX_TEXT);
  return { channel: `channel-${sequence % 5}`, bytes: Buffer.from(`${stream}${sequence};`.repeat(length).slice(0, length)) };
}

async function appendForEver(broker: LmdbLogBroker, stream: string): Promise<void> {
  let { last } = await broker.bounds(stream);
  for (;;) {
    const entries = Array.from({ length: 1 + (last % MAX_ENTRIES) }, (_, index) => entryOf(stream, last + 1 + index));
    last = await broker.append(stream, last, entries);
    // At once, not when the event loop has time: the process may be dead then.
    writeSync(1, `${stream} ${last}\n`);
  }
}

const broker = await LmdbLogBroker.open(process.argv[2]!);
await Promise.all(
  STREAMS.map((stream) =>
    appendForEver(broker, stream).catch((error: unknown) => {
      writeSync(1, `${stream} failed ${DbError.from(error).code}\n`);
    }),
  ),
);
// The disk refuses writes, not reads.
for (const stream of STREAMS) writeSync(1, `${stream} holds ${(await broker.bounds(stream)).last}\n`);
await broker.close();
