import type { Frame } from '@terndb/core';

export interface SizedFrame {
  readonly frame: Frame;
  /** Of its encoded form. */
  readonly bytes: number;
}

interface Recent {
  readonly frames: (SizedFrame | undefined)[];
  /** Frames before it were forgotten: their places are empty. */
  start: number;
}

/**
 * What objects take beside the bytes of the log, measured on frames of one op, of twenty records and of one batch of twenty rows: with it the sum is
 * 0.9 to 1.4 of what they hold on to. Without it a frame of one letter, 140 bytes in the log, counted a seventh of its memory.
 */
const FRAME_OVERHEAD_BYTES = 300;
const RECORD_OVERHEAD_BYTES = 150;
const OP_OVERHEAD_BYTES = 350;

/** Memory that a decoded frame takes, about. Cost: a look at each record. */
export function frameMemoryBytes({ frame, bytes }: SizedFrame): number {
  let sum = bytes + FRAME_OVERHEAD_BYTES + frame.records.length * RECORD_OVERHEAD_BYTES;
  for (const record of frame.records) {
    if (record.type === 'op') sum += (record.op.type === 'batch' ? record.op.ops.length : 1) * OP_OVERHEAD_BYTES;
  }
  return sum;
}

/** Forgotten places of one channel are dropped once they are this many. */
const COMPACT_AT = 256;

/**
 * The newest frames of all channels, oldest forgotten first: what subscribers that keep up are served from, without reading or decoding a
 * frame once for each of them.
 */
export class FrameCache {
  readonly #maxMemoryBytes: number;
  readonly #recent = new Map<string, Recent>();
  /** Channels in the order of their frames. */
  #order: string[] = [];
  #orderStart = 0;
  #memoryBytes = 0;

  /** @param maxMemoryBytes Of the frames as they are in memory, which for small ones is several times their encoded form. */
  constructor(maxMemoryBytes: number) {
    this.#maxMemoryBytes = maxMemoryBytes;
  }

  add(sized: SizedFrame): void {
    const { channel } = sized.frame;
    const recent = this.#recent.get(channel);
    if (recent === undefined) this.#recent.set(channel, { frames: [sized], start: 0 });
    else recent.frames.push(sized);
    this.#order.push(channel);
    this.#memoryBytes += frameMemoryBytes(sized);
    while (this.#memoryBytes > this.#maxMemoryBytes && this.#orderStart < this.#order.length) this.#forgetOldest();
  }

  /** Frames from the one that holds `position` on, about `maxBytes` but at least one; undefined when that one is not here. */
  read(channel: string, position: number, maxBytes: number): readonly SizedFrame[] | undefined {
    const recent = this.#recent.get(channel);
    if (recent === undefined) return undefined;
    const { frames, start } = recent;
    let low = start;
    let high = frames.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (frames[middle]!.frame.base <= position) low = middle + 1;
      else high = middle;
    }
    if (low === start) return undefined;
    const last = frames[low - 1]!.frame;
    let index = last.base + last.records.length > position ? low - 1 : low;
    const found: SizedFrame[] = [];
    for (let bytes = 0; index < frames.length; index++) {
      bytes += frames[index]!.bytes;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(frames[index]!);
    }
    return found.length === 0 ? undefined : found;
  }

  #forgetOldest(): void {
    const channel = this.#order[this.#orderStart]!;
    const recent = this.#recent.get(channel)!;
    this.#orderStart += 1;
    if (this.#orderStart >= COMPACT_AT && this.#orderStart * 2 >= this.#order.length) {
      this.#order = this.#order.slice(this.#orderStart);
      this.#orderStart = 0;
    }
    this.#memoryBytes -= frameMemoryBytes(recent.frames[recent.start]!);
    // At once, not when the places are dropped: by then as many again would be kept.
    recent.frames[recent.start] = undefined;
    recent.start += 1;
    if (recent.start === recent.frames.length) this.#recent.delete(channel);
    if (recent.start < COMPACT_AT || recent.start * 2 < recent.frames.length) return;
    recent.frames.splice(0, recent.start);
    recent.start = 0;
  }
}
