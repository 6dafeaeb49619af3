import { assert } from '@terndb/core';

interface TailEntry {
  readonly sequence: number;
  readonly lastPosition: number;
}

/**
 * Which entries of the stream still carry records that no manifest covers. One stream carries all channels, so it may be truncated only
 * as far as every channel's newest manifest allows (design 6). Cost: one small object per unsealed entry.
 */
export class LogTail {
  readonly #unsealed = new Map<string, TailEntry[]>();
  #last: number;
  #first: number;

  /** The stream's bounds. */
  constructor(bounds: { readonly first: number; readonly last: number }) {
    this.#first = bounds.first;
    this.#last = bounds.last;
  }

  /** Sequence of the first entry that the stream still has. */
  get first(): number {
    return this.#first;
  }

  /** Sequence of the last durable entry. */
  get last(): number {
    return this.#last;
  }

  /** An entry that is durable in the stream, with the channel position it reaches. */
  add(channel: string, entry: TailEntry): void {
    const entries = this.#unsealed.get(channel);
    if (entries === undefined) this.#unsealed.set(channel, [entry]);
    else entries.push(entry);
    this.#last = Math.max(this.#last, entry.sequence);
  }

  /** A manifest covers the channel up to this position. */
  seal(channel: string, upTo: number): void {
    const entries = this.#unsealed.get(channel)?.filter((entry) => entry.lastPosition > upTo) ?? [];
    if (entries.length === 0) this.#unsealed.delete(channel);
    else this.#unsealed.set(channel, entries);
  }

  /** Sequence of the last entry that reaches no further than `position` of the channel: what a manifest at `position` has folded. */
  cursorAt(channel: string, position: number): number {
    const beyond = this.#unsealed.get(channel)?.find((entry) => entry.lastPosition > position);
    return beyond === undefined ? this.#last : beyond.sequence - 1;
  }

  /** Up to where the stream may be truncated; undefined when there is nothing to cut. */
  truncatable(): number | undefined {
    let upTo = this.#last;
    for (const [entry] of this.#unsealed.values()) upTo = Math.min(upTo, entry!.sequence - 1);
    return upTo >= this.#first ? upTo : undefined;
  }

  truncated(upTo: number): void {
    assert(upTo <= this.#last, () => `log tail: truncated to ${upTo} beyond the last entry ${this.#last}`);
    this.#first = upTo + 1;
  }
}
