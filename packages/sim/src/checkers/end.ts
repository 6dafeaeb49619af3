import { hashEquals } from '@terndb/core';
import { KEEP_ACKED_MS } from '@terndb/sync';
import type { Ledger, WriteInfo } from '../ledger.ts';
import type { ModelFold } from '../model-fold.ts';

/** A device may have had nothing but its own clock, which is a day wrong at most, when it kept an op; it prunes by the server's. */
const CLOCK_ERROR_MS = 24 * 3600_000 + 60_000;

export interface DeviceEnd {
  readonly device: string;
  readonly database: number;
  /** Writes that its pages wait for. */
  readonly unanswered: number;
  readonly channels: readonly { readonly fold: ModelFold; readonly outbox: number; readonly isGone: boolean }[];
}

/** Acknowledged is never lost; nothing durable vanishes without a word. */
export function checkWrites(ledger: Ledger, devices: readonly DeviceEnd[]): void {
  const databases = new Map(devices.map(({ device, database }) => [device, database]));
  for (const info of ledger.writes) {
    if (info.device.startsWith('rest-') && info.rejected !== undefined && ledger.channel(info.channel).accepted.has(info)) {
      ledger.fail('refused-but-in-log', `write ${info.uid}: ${info.rejected}`);
    }
    if (!info.isLocal || info.rejected !== undefined || ledger.gone.has(info.channel)) continue;
    if (ledger.channel(info.channel).accepted.has(info)) continue;
    if (isExcused(info, databases.get(info.device)!)) ledger.count('excused writes');
    else ledger.fail(info.wasRestored ? 'restore-lost' : info.isAcked ? 'acked-lost' : 'lost-op', `write ${info.uid} of ${info.device}`);
  }
}

/** The device lost it before the log had it; or a restore took it and the device was not asked in time (R16). */
function isExcused(info: WriteInfo, database: number): boolean {
  if (info.database !== database) return !info.isAcked || info.wasRestored;
  return info.wasRestored && info.wasPruned;
}

export function wasPrunedInTime(info: WriteInfo, wallMs: number): boolean {
  return info.keptAtMs !== undefined && wallMs - info.keptAtMs > KEEP_ACKED_MS - CLOCK_ERROR_MS;
}

/** Replicas converge, and nothing is stuck: after healing every device shows the log's state and holds nothing. */
export function notConverged(ledger: Ledger, devices: readonly DeviceEnd[]): readonly string[] {
  const problems: string[] = [];
  for (const { device, channels, unanswered } of devices) {
    if (unanswered > 0) problems.push(`unanswered: ${device}: ${unanswered} writes of its pages`);
    for (const { fold, outbox, isGone } of channels) {
      if (ledger.gone.has(fold.channel) !== isGone) problems.push(`gone: ${device} ${fold.channel}: ${!isGone} expected, got ${isGone}`);
      if (ledger.gone.has(fold.channel)) continue;
      const { truth } = ledger.channel(fold.channel);
      if (outbox > 0) problems.push(`stuck-outbox: ${device} ${fold.channel}: ${outbox} entries`);
      if (fold.position !== truth.position) problems.push(`behind: ${device} ${fold.channel}: ${fold.position} of ${truth.position}`);
      else if (!hashEquals(fold.hash, truth.hash)) problems.push(`diverged: ${device} ${fold.channel} at ${fold.position}`);
    }
  }
  return problems;
}
