import type { Stamp } from '../time/timestamp.ts';
import type { OpRecord, Origin } from './op.ts';

/**
 * What an op's registers compare. An op that is queued again under another client id (a lost identity, a restored log) keeps its stamp whole,
 * tie-break included: every fold must take stamps from here, never from `hlc` and `clientId` of the record.
 */
export function stampOf(record: Pick<OpRecord, 'hlc' | 'clientId' | 'origin'>): Stamp {
  return { hlc: record.hlc, clientId: record.origin?.clientId ?? record.clientId };
}

/** What `base` of a collab update names; the same in every universe that the op is queued again in. */
export function originOf(record: Pick<OpRecord, 'clientId' | 'seq' | 'origin'>): Origin {
  return record.origin ?? { clientId: record.clientId, seq: record.seq };
}
