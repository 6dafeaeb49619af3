import { compareStamps, type OpRecord, type SingleOp, type Stamp, stampOf } from '@terndb/core';
import type { ChannelLedger, Ledger, WriteInfo } from '../ledger.ts';
import { fieldsOf, singlesOf } from '../model-fold.ts';

export interface Touch {
  readonly info: WriteInfo;
  readonly position: number;
  readonly stamp: Stamp;
  readonly epoch: string;
}

/** A write that saw another one wins over it; writes of one device keep their order. */
export function checkCausality(ledger: Ledger, channel: ChannelLedger, record: OpRecord, info: WriteInfo, position: number): void {
  const stamp = stampOf(record);
  for (const op of singlesOf(record.op)) {
    for (const register of registersOf(op)) {
      const key = `${typeof op.pk} ${op.pk} ${register}`;
      const touches = channel.touches.get(key) ?? [];
      for (const other of touches) {
        if (other.info === info) continue;
        const pair = `${channel.truth.channel} write ${info.uid} (${stamp.hlc}) and write ${other.info.uid} (${other.stamp.hlc}) on ${key}`;
        if (info.sawEpoch === other.epoch && info.sawPosition >= other.position && compareStamps(stamp, other.stamp) <= 0)
          ledger.fail('causality', pair);
        if (other.info.device !== info.device || other.info.database !== info.database) continue;
        if ((other.info.uid - info.uid) * (other.stamp.hlc - stamp.hlc) <= 0) ledger.fail('own-order', pair);
      }
      touches.push({ info, position, stamp, epoch: ledger.logEpoch });
      channel.touches.set(key, touches);
    }
  }
}

/** Put and delete compete for the entity, patches for their fields, and a put for every field. */
function registersOf(op: SingleOp): readonly string[] {
  if (op.type === 'delete') return ['#'];
  return op.type === 'put' ? ['#', ...fieldsOf(op)] : fieldsOf(op);
}
