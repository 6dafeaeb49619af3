import { compareStamps, type Frame, stampOf } from '@terndb/core';
import type { ChannelLedger, Ledger } from '../ledger.ts';
import { singlesOf } from '../model-fold.ts';

/** What was deleted stays deleted, unless something newer puts it. */
export function checkDeleted(ledger: Ledger, channel: ChannelLedger, frame: Frame): void {
  for (const record of frame.records) {
    if (record.type !== 'op') continue;
    const stamp = stampOf(record);
    for (const op of singlesOf(record.op)) {
      if (op.type === 'delete' && compareStamps(stamp, channel.newestDelete.get(op.pk)) > 0) channel.newestDelete.set(op.pk, stamp);
    }
    for (const op of singlesOf(record.op)) {
      const deleted = channel.newestDelete.get(op.pk);
      const doc = channel.truth.entity(op.pk);
      if (deleted === undefined || doc?.put === undefined || doc.delete !== undefined) continue;
      // What has expired leaves no stamp behind, so something older may come after it: it has expired itself, and nobody sees it.
      if (doc.put.hlc < channel.truth.expiredBefore) continue;
      if (compareStamps(deleted, doc.put) > 0) ledger.fail('deleted-came-back', `${frame.channel} ${op.pk} at ${frame.base}`);
    }
  }
}
