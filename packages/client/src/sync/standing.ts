import type { Clock } from '@terndb/core';
import type { Replication } from '@terndb/engine';

/** Where each followed channel stands: how much of it is here, how old that is, and what this device's own writes have reached. */
export class Standing {
  readonly #replication: Replication;
  readonly #clock: Clock;
  /** Of bootstraps that are under way. */
  readonly #progress = new Map<string, number>();
  readonly #freshAtMs = new Map<string, number>();
  readonly #ackedPositions = new Map<string, number>();

  constructor(replication: Replication, clock: Clock) {
    this.#replication = replication;
    this.#clock = clock;
  }

  /** What is to be here is, as of some time. */
  isBrought(channel: string): boolean {
    const state = this.#replication.state(channel);
    return state !== undefined && state.logEpoch !== null && state.quarantined.length === 0;
  }

  /** All rows are here, as of some time. */
  isComplete(channel: string): boolean {
    return this.isBrought(channel) && this.#replication.state(channel)!.leftOut.length === 0;
  }

  /** Of what is to be here, 0 to 1. */
  progressOf(channel: string): number {
    return this.isBrought(channel) ? 1 : (this.#progress.get(channel) ?? 0);
  }

  /** Of all rows, about, 0 to 1. */
  coverageOf(channel: string): number {
    if (!this.isBrought(channel)) return this.#progress.get(channel) ?? 0;
    const { liveRows, missingRows } = this.#replication.state(channel)!;
    return missingRows === 0 ? 1 : liveRows / (liveRows + missingRows);
  }

  positionOf(channel: string): number {
    return this.#replication.state(channel)?.position ?? 0;
  }

  /** What this device's writes have reached in a channel's log, and what it shows of it. */
  seenOf(channel: string): number {
    return Math.max(this.#ackedPositions.get(channel) ?? 0, this.positionOf(channel));
  }

  /** Age of what is shown of a channel. `currentAtMs`: when the device last knew itself up to date before it was started; null: never heard of. */
  stalenessOf(channel: string, currentAtMs: number | null): number | null {
    const at = this.#freshAtMs.get(channel);
    if (at !== undefined) return Math.max(0, this.#clock.monotonicMs() - at);
    return currentAtMs === null ? null : Math.max(0, this.#clock.nowMs() - currentAtMs);
  }

  /** Everything acknowledged before now is shown. */
  fresh(channel: string): void {
    this.#freshAtMs.set(channel, this.#clock.monotonicMs());
    this.#progress.delete(channel);
  }

  progressed(channel: string, doneBytes: number, totalBytes: number): void {
    this.#progress.set(channel, totalBytes === 0 ? 0 : doneBytes / totalBytes);
  }

  acked(channel: string, position: number): void {
    this.#ackedPositions.set(channel, Math.max(position, this.#ackedPositions.get(channel) ?? 0));
  }

  /** Positions of another universe. */
  forgetAcks(): void {
    this.#ackedPositions.clear();
  }

  /** What is here was removed. */
  forgetAges(): void {
    this.#freshAtMs.clear();
  }
}
