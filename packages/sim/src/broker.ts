import type { Frame } from '@terndb/core';
import type { LogEntryFrame } from '@terndb/sync';

/** The log of one slot: linearizable, fenced by the expected last sequence. */
export interface SlotLog {
  readonly entries: LogEntryFrame[];
}

/** All slots, and what is durable beside them: channel logs can be cut, manifests are swapped by compare-and-set. */
export class Broker {
  readonly slots: SlotLog[];
  /** First position still readable, per channel. */
  readonly firstPosition: Map<string, number> = new Map();
  readonly #frames = new Map<string, Frame[]>();

  constructor(slots: number) {
    this.slots = Array.from({ length: slots }, () => ({ entries: [] }));
  }

  /** `expected` below 0 expects nothing. */
  append(slot: number, expected: number, entries: readonly LogEntryFrame[]): 'ok' | 'conflict' {
    const log = this.slots[slot]!;
    if (expected >= 0 && expected !== log.entries.length) return 'conflict';
    for (const entry of entries) {
      log.entries.push(entry);
      if ('records' in entry) this.#channelFrames(entry.channel).push(entry);
    }
    return 'ok';
  }

  frames(channel: string): readonly Frame[] {
    return this.#channelFrames(channel);
  }

  /** Frames that hold positions from `from` on; undefined when they were cut. */
  read(channel: string, from: number): readonly Frame[] | undefined {
    if (from < (this.firstPosition.get(channel) ?? 1)) return undefined;
    const frames = this.#channelFrames(channel);
    let start = frames.length;
    while (start > 0 && lastOf(frames[start - 1]!) >= from) start -= 1;
    return frames.slice(start);
  }

  #channelFrames(channel: string): Frame[] {
    let frames = this.#frames.get(channel);
    if (frames === undefined) {
      frames = [];
      this.#frames.set(channel, frames);
    }
    return frames;
  }

  /** The slot's log ends earlier than it did: a disk that lied, or a replica that was elected and had not everything. */
  cut(slot: number, length: number): void {
    for (const entry of this.slots[slot]!.entries.splice(length)) if ('records' in entry) this.#channelFrames(entry.channel).pop();
  }

  backup(): Broker {
    const copy = new Broker(0);
    for (const { entries } of this.slots) copy.slots.push({ entries: [...entries] });
    for (const [channel, first] of this.firstPosition) copy.firstPosition.set(channel, first);
    for (const [channel, frames] of this.#frames) copy.#frames.set(channel, [...frames]);
    return copy;
  }
}

export function lastOf(frame: Frame): number {
  return frame.base + frame.records.length - 1;
}
