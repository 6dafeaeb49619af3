import { type OpRecord, type Origin, originOf } from '@terndb/core';
import type { Ledger } from '../ledger.ts';
import { type ModelFold, singlesOf } from '../model-fold.ts';

/** A collab update is merged into the document it was made for, never into one that a later put began. `before`: the log's state before the op. */
export function checkBases(ledger: Ledger, before: ModelFold, record: OpRecord): void {
  const begun = new Map<unknown, Origin>();
  for (const op of singlesOf(record.op)) {
    if (op.type === 'put') begun.set(op.pk, originOf(record));
    if (op.type !== 'yjs') continue;
    ledger.count('collab updates in the log');
    const base = begun.get(op.pk) ?? before.entity(op.pk)?.base;
    if (base !== undefined && base.clientId === op.base.clientId && base.seq === op.base.seq) continue;
    ledger.fail('foreign-base', `${before.channel} ${op.pk}: ${JSON.stringify(op.base)} into ${JSON.stringify(base)}`);
  }
}
