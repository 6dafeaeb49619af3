import { MAX_AHEAD_MS, type OpRecord, TICKS_PER_MS } from '@terndb/core';
import type { Ledger, WriteInfo } from '../ledger.ts';

/** Servers' clocks are this good. */
const SERVER_CLOCK_ERROR_MS = 2_000;

/** R9: no stamp of the future wins for ever. And nobody's op is in the log under somebody else's name. */
export function checkStamp(ledger: Ledger, record: OpRecord, info: WriteInfo): void {
  const limit = (ledger.wallMs() + MAX_AHEAD_MS + SERVER_CLOCK_ERROR_MS) * TICKS_PER_MS;
  if (record.hlc > limit) ledger.fail('future-stamp', `write ${info.uid}: ${record.hlc} above ${limit}`);
  if (record.author !== info.subject) ledger.fail('wrong-author', `write ${info.uid}: ${info.subject} expected, got ${record.author}`);
}
