import { compareStamps, hashEquals, type Stamp } from '@terndb/core';
import { graveOf, type Ledger, type WriteInfo } from '../ledger.ts';
import { fieldsOf, type ModelFold, singlesOf } from '../model-fold.ts';

/** What a device shows of one channel. */
export interface Shown {
  readonly device: string;
  readonly channel: string;
  readonly logEpoch: string | null;
  /**
   * The log epoch that its entities died in. A device that takes its log for one that lost its end gives what it shows another name (R14), and
   * goes on showing the same: what died there stays dead.
   */
  readonly buriedIn: string;
  readonly fold: ModelFold;
  /** Its newest write, and the stamp that has now. */
  readonly newest: { readonly info: WriteInfo; readonly stamp: Stamp } | undefined;
  /** Its newest write is still in the overlay. */
  readonly isPending: boolean;
}

/** No flicker: a device's newest write stays visible until something newer takes its place. */
export function checkFlicker(ledger: Ledger, shown: Shown): void {
  const { newest, isPending, fold } = shown;
  if (newest === undefined || !newest.info.isLocal || newest.info.rejected !== undefined || isPending) return;
  // Too old for R16 when a restore took it away: gone for good, and rightly.
  if (newest.info.wasPruned && newest.info.wasRestored) return;
  // It has expired, and what came late and is older may stand in its place.
  if (newest.stamp.hlc < fold.expiredBefore) return;
  for (const op of singlesOf(newest.info.op)) {
    const doc = fold.entity(op.pk);
    if (doc === undefined && newest.stamp.hlc < fold.floor) continue;
    const isNewer = (stamp: Stamp | undefined): boolean => compareStamps(stamp, newest.stamp) >= 0;
    if (isNewer(doc?.put) || isNewer(doc?.delete)) continue;
    if (op.type !== 'put' && op.type !== 'delete') {
      // Death takes field registers with it, whatever their stamps: a patch makes nothing live.
      const buriedAt = newest.info.buriedAt.get(graveOf(shown.buriedIn, op.pk)) ?? Number.POSITIVE_INFINITY;
      if (buriedAt <= fold.position || !fold.isLive(op.pk) || fieldsOf(op).every((field) => isNewer(doc?.fields.get(field)))) continue;
    }
    const registers = [doc?.put, doc?.delete, ...(doc?.fields.values() ?? [])].map((stamp) => stamp?.hlc ?? '-').join(' ');
    const what = `write ${newest.info.uid} (${op.type} ${op.pk} ${newest.stamp.hlc})`;
    ledger.fail('flicker', `${shown.device} ${shown.channel}: ${what} at position ${fold.position}, floor ${fold.floor}: ${registers}`);
  }
}

/** Monotonic reads: within one universe a device never shows less than it did. */
export function checkMonotonic(ledger: Ledger, before: Shown, after: Shown): void {
  if (before.logEpoch !== after.logEpoch || after.fold.position >= before.fold.position) return;
  ledger.fail('read-went-back', `${after.device} ${after.channel}: ${after.fold.position} after ${before.fold.position}`);
}

/** Sealed ∪ growing is exact: what a manifest holds is the fold of the log at its position. */
export function checkManifest(ledger: Ledger, manifest: ModelFold): void {
  const hash = ledger.channel(manifest.channel).hashAt.get(manifest.position);
  if (hash !== undefined && !hashEquals(hash, manifest.hash)) {
    ledger.fail('manifest-inexact', `${manifest.channel} up to ${manifest.position}`);
  }
}
