import type { Rng } from '@terndb/core';
import { RECONNECT_MAX_MS, RECONNECT_MIN_MS } from '../limits.ts';

/** Full jitter (Brooker 2015): a delay anywhere between the floor and the doubling bound, so that a thousand clients do not come back at once. */
export function reconnectDelay(rng: Rng, attempt: number, floorMs: number = RECONNECT_MIN_MS): number {
  const bound = Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(attempt, 20));
  const low = Math.max(RECONNECT_MIN_MS, floorMs);
  return low + Math.floor((rng.nextUint32() / 2 ** 32) * Math.max(bound, low));
}
