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

/** Forgotten places of one channel are dropped once they are this many. */
const COMPACT_AT = 256;

/**
 * The newest frames of all channels, oldest forgotten first: what subscribers that keep up are served from, without reading or decoding a
 * frame once for each of them.
 */
export class FrameCache {
  readonly #maxBytes: number;
  readonly #recent = new Map<string, Recent>();
  /** Channels in the order of their frames. */
  #order: string[] = [];
  #orderStart = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(sized: SizedFrame): void {
    const { channel } = sized.frame;
    const recent = this.#recent.get(channel);
    if (recent === undefined) this.#recent.set(channel, { frames: [sized], start: 0 });
    else recent.frames.push(sized);
    this.#order.push(channel);
    this.#bytes += sized.bytes;
    while (this.#bytes > this.#maxBytes && this.#orderStart < this.#order.length) this.#forgetOldest();
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
    this.#bytes -= recent.frames[recent.start]!.bytes;
    // At once, not when the places are dropped: by then as many again would be kept.
    recent.frames[recent.start] = undefined;
    recent.start += 1;
    if (recent.start === recent.frames.length) this.#recent.delete(channel);
    if (recent.start < COMPACT_AT || recent.start * 2 < recent.frames.length) return;
    recent.frames.splice(0, recent.start);
    recent.start = 0;
  }
}
