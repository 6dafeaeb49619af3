import type { Clock } from '@terndb/core';
import type { SyncReport } from './sync-report.ts';

/** Changes within this are one report. */
const REPORT_EVERY_MS = 30;

/** Tells who listens what is true now: soon after a change, and only if it is something else than before. */
export class ReportTeller {
  readonly #clock: Clock;
  readonly #report: () => SyncReport;
  readonly #listeners = new Set<(report: SyncReport) => void>();
  #cancel: (() => void) | undefined;
  #last = '';
  #isClosed = false;

  constructor(clock: Clock, report: () => SyncReport) {
    this.#clock = clock;
    this.#report = report;
  }

  /** Told at once, and whenever something changed. Returns the way to stop. */
  listen(listener: (report: SyncReport) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#report());
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    if (this.#isClosed || this.#cancel !== undefined) return;
    this.#cancel = this.#clock.after(REPORT_EVERY_MS, () => {
      this.#cancel = undefined;
      this.#tell();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#listeners.clear();
  }

  #tell(): void {
    const report = this.#report();
    // Values of conflicts may be what JSON has no word for.
    const text = JSON.stringify({ ...report, conflicts: report.conflicts.at(-1)?.id ?? 0 });
    if (text === this.#last) return;
    this.#last = text;
    for (const listener of [...this.#listeners]) listener(report);
  }
}
