import type { Timestamp } from '@terndb/core';
import { TICKS_PER_MS } from '@terndb/core';
import type { Ledger } from '../ledger.ts';

/** Bounded: what is fresh as of a time holds everything that was acknowledged before it, by the servers' clock. */
export function checkFresh(ledger: Ledger, channel: string, time: Timestamp, position: number): void {
  ledger.count('fresh reads');
  const { appendedAt } = ledger.channel(channel);
  for (let index = appendedAt.length - 1; index >= 0; index--) {
    const appended = appendedAt[index]!;
    if (Math.ceil(appended.ms) * TICKS_PER_MS >= time) continue;
    if (appended.position > position)
      ledger.fail('stale-bounded-read', `${channel}: ${position} at ${time}, ${appended.position} was there`);
    return;
  }
}

/** Strong: at its tick a reader has everything that was in the log when it asked. */
export function checkStrong(ledger: Ledger, channel: string, asked: number, position: number): void {
  ledger.count('strong reads');
  if (position < asked) ledger.fail('stale-strong-read', `${channel}: ${position} of ${asked}`);
}
