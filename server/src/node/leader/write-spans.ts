import type { LogEntry, Span } from '@terndb/core';
import type { LogEntryFrame } from '@terndb/sync';

const NONE: readonly Span[] = [];

/** Spans of traced writes until the append that carries them. Writes of many callers share one append: each is told of it in its own trace. */
export class WriteSpans {
  readonly #waiting = new Map<number, { readonly span: Span; readonly channel: string }>();

  wait(request: number, channel: string, span: Span | undefined): void {
    if (span !== undefined) this.#waiting.set(request, { span, channel });
  }

  /** It was answered without an append. */
  forget(request: number): void {
    this.#waiting.delete(request);
  }

  clear(): void {
    this.#waiting.clear();
  }

  /** The broker's part begins; whoever waits for one of these channels is taken to be in it. */
  append(slot: number, frames: readonly LogEntryFrame[], entries: readonly LogEntry[]): readonly Span[] {
    if (this.#waiting.size === 0) return NONE;
    const channels = new Set(frames.flatMap((frame) => ('records' in frame ? [frame.channel] : [])));
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
    return [...this.#waiting].flatMap(([request, { span, channel }]) => {
      if (!channels.has(channel)) return [];
      this.#waiting.delete(request);
      return [span.child('log append', { slot, entries: entries.length, bytes })];
    });
  }
}
