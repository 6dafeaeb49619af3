import type { MetaStore } from '@terndb/core';
import { decodeRecord, encodeRecord } from '@terndb/engine/parts';

/** Manifests cover the slot's log up to `sequence` since `atMs`. */
interface Cut {
  readonly sequence: number;
  readonly atMs: number;
}
/** Cuts kept for one retention time: so much later than promised the log is cut, at most. */
const CUTS = 24;

/** Up to where a slot's log was covered by manifests, and since when: what decides how much of it is still kept for those behind (design 6). */
export class Cuts {
  readonly #meta: MetaStore;
  readonly #key: string;
  readonly #retainMs: number;
  #cuts: readonly Cut[];
  #revision: number;

  private constructor(options: { meta: MetaStore; key: string; retainMs: number; cuts: readonly Cut[]; revision: number }) {
    this.#meta = options.meta;
    this.#key = options.key;
    this.#retainMs = options.retainMs;
    this.#cuts = options.cuts;
    this.#revision = options.revision;
  }

  static async open(meta: MetaStore, slot: number, retainMs: number): Promise<Cuts> {
    const key = `cuts/${slot}`;
    const entry = await meta.get(key);
    const stored = entry === undefined ? [] : (decodeRecord(entry)['cuts'] as readonly (readonly [number, number])[]);
    const cuts = Array.isArray(stored) ? stored.map(([sequence, atMs]): Cut => ({ sequence, atMs })) : [];
    return new Cuts({ meta, key, retainMs, cuts, revision: entry?.revision ?? 0 });
  }

  /** The log is covered up to there now. A store that refuses leaves the cuts as they were: they come again with the next seal. */
  async note(sequence: number, nowMs: number): Promise<void> {
    const last = this.#cuts.at(-1);
    if (last !== undefined && last.sequence >= sequence) return;
    const before = this.#cuts.at(-2);
    const isClose = last !== undefined && before !== undefined && last.atMs - before.atMs < this.#retainMs / CUTS;
    await this.#store([...(isClose ? this.#cuts.slice(0, -1) : this.#cuts), { sequence, atMs: nowMs }]);
  }

  /** Up to where the log may be truncated; 0: nowhere yet. */
  dueAt(nowMs: number): number {
    return this.#cuts.findLast(({ atMs }) => atMs <= nowMs - this.#retainMs)?.sequence ?? 0;
  }

  /** The log was truncated up to there. */
  async truncated(upTo: number): Promise<void> {
    const kept = this.#cuts.filter(({ sequence }) => sequence > upTo);
    if (kept.length < this.#cuts.length) await this.#store(kept);
  }

  async #store(cuts: readonly Cut[]): Promise<void> {
    const value = encodeRecord({ cuts: cuts.map(({ sequence, atMs }) => [sequence, atMs]) });
    const revision = await this.#meta.compareAndSet(this.#key, this.#revision, value);
    if (revision === undefined) return;
    this.#revision = revision;
    this.#cuts = cuts;
  }
}
