import { assert, type Timestamp } from '@terndb/core';
import { type Unexpired, UnexpiredRows } from '../expiry/unexpired.ts';
import { LiveBitmap } from '../growing/live-bitmap.ts';
import type { RowSource } from './row-source.ts';

/**
 * One block of a replica: rows that never change and the bitmap of those that are live. Views pin it; it is freed at the last unpin
 * after the replica retired it.
 */
export class BlockState<S extends RowSource = RowSource> {
  readonly source: S;
  readonly live: LiveBitmap;
  readonly #unexpired = new UnexpiredRows();
  #onFreed: () => void = () => {};
  #pins = 0;
  #retired = false;

  constructor(source: S, live: LiveBitmap = new LiveBitmap()) {
    this.source = source;
    this.live = live;
  }

  /** Without the rows put before `cutoff`. 0: as they are, and nothing is known of their age. */
  shownAt(cutoff: Timestamp): Unexpired {
    return cutoff === 0 ? { live: this.live.share(), count: this.live.count, oldest: 0 } : this.#unexpired.at(this, cutoff);
  }

  get isRetired(): boolean {
    return this.#retired;
  }

  /** Once nobody reads it any more, after it was retired. */
  whenFreed(callback: () => void): void {
    this.#onFreed = callback;
  }

  pin(): void {
    assert(!this.#retired || this.#pins > 0, () => `block ${this.source.id}: pinned after it was freed`);
    this.#pins += 1;
  }

  unpin(): void {
    assert(this.#pins > 0, () => `block ${this.source.id}: unpinned more often than pinned`);
    this.#pins -= 1;
    if (!this.#retired) this.letGo();
    this.#freeIfUnused();
  }

  /** Rows that have a newer one may give up what is large, if nobody looks. */
  letGo(): void {
    if (this.#pins === 0) this.source.letGo?.();
  }

  /** The replica no longer shows it. */
  retire(): void {
    assert(!this.#retired, () => `block ${this.source.id}: retired twice`);
    this.#retired = true;
    this.#freeIfUnused();
  }

  #freeIfUnused(): void {
    if (!this.#retired || this.#pins > 0) return;
    this.source.free();
    this.#onFreed();
  }
}
