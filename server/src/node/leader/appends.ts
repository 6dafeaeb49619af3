import { encodeFrame, encodeSlotFrame, type LogEntry, type SingleOp } from '@terndb/core';
import { fromKernel } from '@terndb/engine/parts';
import type { LeaderEffect, LogEntryFrame } from '@terndb/sync';
import type { ChannelTable } from '../channels/channel-table.ts';
import { SLOT_ENTRY, type SlotLog } from './slot-log.ts';

type AppendEffect = Extract<LeaderEffect, { type: 'append' }>;

export interface PendingAppend {
  readonly frames: readonly LogEntryFrame[];
  readonly entries: readonly LogEntry[];
  readonly expectedLast: number;
}

export interface AppendsOptions {
  readonly log: SlotLog;
  readonly channels: ChannelTable;
  readonly isGone: (channel: string) => boolean;
}

/** What a leader has on its way into the log: encoded once, however often it is sent, until it is known to be there. */
export class Appends {
  readonly #options: AppendsOptions;
  readonly #pending = new Map<number, PendingAppend>();

  constructor(options: AppendsOptions) {
    this.#options = options;
  }

  /** Of an append that is sent for the first time, or again. */
  take({ append, expectedLast, entries: frames }: AppendEffect): PendingAppend {
    let pending = this.#pending.get(append);
    if (pending === undefined) {
      pending = { frames, entries: frames.map(encode), expectedLast };
      this.#pending.set(append, pending);
    }
    return pending;
  }

  /** Room for what the frames bring: folding what is in the log must not fail for want of memory. False: there is none now, and nothing has changed. */
  reserve({ frames }: PendingAppend): boolean {
    try {
      for (const frame of frames) if ('records' in frame) this.#reserve(frame);
      return true;
    } catch (error) {
      if (fromKernel(error).code !== 'MEMORY_LIMIT') throw error;
      return false;
    }
  }

  /** It is in the log. Undefined: it was known already. */
  committed(append: number): PendingAppend | undefined {
    const pending = this.#pending.get(append);
    this.#pending.delete(append);
    return pending;
  }

  /** Whether its entries stand in the log from `sequence` on. STORAGE_UNAVAILABLE. */
  isInLog({ append, sequence }: Extract<LeaderEffect, { type: 'read-back' }>): Promise<boolean> {
    return this.#options.log.holds(sequence, this.#pending.get(append)!.entries);
  }

  #reserve({ channel: name, records }: Extract<LogEntryFrame, { records: unknown }>): void {
    const { channels, isGone } = this.#options;
    const channel = channels.find(name);
    if (channel === undefined || isGone(name)) return;
    const ops: SingleOp[] = [];
    for (const record of records) {
      if (record.type !== 'op') continue;
      if (record.op.type === 'batch') for (const op of record.op.ops) ops.push(op);
      else ops.push(record.op);
    }
    channel.channel.replica.entities.reserve(ops);
  }
}

function encode(frame: LogEntryFrame): LogEntry {
  return 'records' in frame
    ? { channel: frame.channel, bytes: encodeFrame(frame) }
    : { channel: SLOT_ENTRY, bytes: encodeSlotFrame(frame) };
}
