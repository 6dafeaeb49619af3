import type { DurableChannel } from '@terndb/sync';
import type { Ledger } from '../ledger.ts';

/** R2: what is stored of an outbox counts without a hole up to the next seq, whatever storage refused and whichever tabs wrote. */
export function checkOutbox(ledger: Ledger, device: string, { channel, clientId, nextSeq, outbox }: DurableChannel): void {
  const seqs = outbox.flatMap((entry) => (entry.clientId === clientId ? [entry.seq] : [])).sort((a, b) => a - b);
  const first = nextSeq - seqs.length;
  if (seqs.some((seq, index) => seq !== first + index)) {
    ledger.fail('outbox-hole', `${device} ${channel}: ${first} to ${nextSeq - 1} expected, got ${seqs.join(' ')}`);
  }
}
