import { compareStamps, type OpRecord, type SingleOp, type Stamp, stampOf } from '@terndb/core';
import type { ChannelLedger, Ledger, WriteInfo } from '../ledger.ts';
import { fieldsOf, singlesOf } from '../model-fold.ts';

export interface Touch {
  readonly info: WriteInfo;
  readonly position: number;
  readonly stamp: Stamp;
  readonly epoch: string;
  /** The highest stamp of this register among this touch and those before it in its epoch. */
  readonly highest: Stamp;
}

/** Touches of one register, in the order of the log; and what tells at once that a new one is in order. */
export interface Register {
  readonly touches: Touch[];
  /** Per device database: its highest write and stamp. */
  readonly newest: Map<string, { uid: number; hlc: number }>;
}

/** A write that saw another one wins over it; writes of one device keep their order. */
export function checkCausality(ledger: Ledger, channel: ChannelLedger, record: OpRecord, info: WriteInfo, position: number): void {
  const stamp = stampOf(record);
  for (const op of singlesOf(record.op)) {
    for (const name of registersOf(op)) {
      const key = `${typeof op.pk} ${op.pk} ${name}`;
      let register = channel.touches.get(key);
      if (register === undefined) {
        register = { touches: [], newest: new Map() };
        channel.touches.set(key, register);
      }
      const { touches } = register;
      const isInOrder = isAboveSeen(touches, info, stamp) && isAboveOwn(register, info, stamp);
      if (!isInOrder) compareWithAll(ledger, touches, { info, stamp, what: `${channel.truth.channel} ${key}` });
      const before = touches.at(-1);
      const isHighest = before?.epoch !== ledger.universe || compareStamps(stamp, before.highest) > 0;
      touches.push({ info, position, stamp, epoch: ledger.universe, highest: isHighest ? stamp : before.highest });
    }
  }
}

/** Above everything of its epoch that it can have seen. Positions grow within an epoch, and epochs do not come back. */
function isAboveSeen(touches: readonly Touch[], info: WriteInfo, stamp: Stamp): boolean {
  for (let index = touches.length - 1; index >= 0; index--) {
    const touch = touches[index]!;
    if (touch.epoch === info.sawEpoch && touch.position <= info.sawPosition) return compareStamps(stamp, touch.highest) > 0;
  }
  return true;
}

function isAboveOwn({ newest }: Register, info: WriteInfo, { hlc }: Stamp): boolean {
  const device = `${info.device} ${info.database}`;
  const before = newest.get(device);
  if (before === undefined) {
    newest.set(device, { uid: info.uid, hlc });
    return true;
  }
  const isAbove = info.uid > before.uid && hlc > before.hlc;
  before.uid = Math.max(before.uid, info.uid);
  before.hlc = Math.max(before.hlc, hlc);
  return isAbove;
}

/** Repetitions of a write are not in order either, and nothing is wrong with them. */
function compareWithAll(
  ledger: Ledger,
  touches: readonly Touch[],
  { info, stamp, what }: { readonly info: WriteInfo; readonly stamp: Stamp; readonly what: string },
): void {
  for (const other of touches) {
    if (other.info === info) continue;
    const pair = (): string => `${what}: write ${info.uid} (${stamp.hlc}) and write ${other.info.uid} (${other.stamp.hlc})`;
    if (info.sawEpoch === other.epoch && info.sawPosition >= other.position && compareStamps(stamp, other.stamp) <= 0)
      ledger.fail('causality', pair());
    if (other.info.device !== info.device || other.info.database !== info.database) continue;
    if ((other.info.uid - info.uid) * (other.stamp.hlc - stamp.hlc) <= 0) ledger.fail('own-order', pair());
  }
}

/** Put and delete compete for the entity, patches for their fields, and a put for every field. */
function registersOf(op: SingleOp): readonly string[] {
  if (op.type === 'delete') return ['#'];
  return op.type === 'put' ? ['#', ...fieldsOf(op)] : fieldsOf(op);
}
