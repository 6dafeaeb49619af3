import { assert, type Clock } from '@terndb/core';

/** Milliseconds are counted from 2024-01-01, so that 41 bits last until 2093. */
const EPOCH_MS = 1_704_067_200_000;
const SERVER_BITS = 10n;
const COUNTER_BITS = 12n;
const COUNTERS = 2 ** Number(COUNTER_BITS);
export const MAX_SERVER_NUMBER: number = 2 ** Number(SERVER_BITS) - 1;

/** Automatic int64 keys (design 4): 41 bits of milliseconds, 10 of the server's number, 12 of a counter; ascending, also when the clock jumps back. */
export function createInt64Keys(clock: Clock, serverNumber: number): () => bigint {
  assert(
    serverNumber >= 0 && serverNumber <= MAX_SERVER_NUMBER,
    () => `server number: 0 to ${MAX_SERVER_NUMBER} expected, got ${serverNumber}`,
  );
  let ms = 0;
  let counter = 0;
  return () => {
    const nowMs = Math.floor(clock.nowMs()) - EPOCH_MS;
    counter = nowMs > ms ? 0 : counter + 1;
    ms = Math.max(ms, nowMs);
    if (counter === COUNTERS) {
      counter = 0;
      ms += 1;
    }
    return (BigInt(ms) << (SERVER_BITS + COUNTER_BITS)) | (BigInt(serverNumber) << COUNTER_BITS) | BigInt(counter);
  };
}
