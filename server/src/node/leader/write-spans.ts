import type { LogEntry, Span } from '@terndb/core';
import type { LogEntryFrame } from '@terndb/sync';
import type { TracedPush } from '../types.ts';

const NONE: readonly Span[] = [];

/** Spans of traced writes until the append that carries them. Writes of many callers share one append: each is told of it in its own trace. */
export class WriteSpans {
  readonly #waiting = new Map<number, { readonly span: Span; readonly channel: string }>();
  /** Pushes → their channels. What is answered without an append is left out when the next one comes. */
  readonly #pushes = new Map<TracedPush, string>();

  wait(request: number, channel: string, span: Span | undefined): void {
    if (span !== undefined) this.#waiting.set(request, { span, channel });
  }

  waitForPush(push: TracedPush, { slot, channel, ops }: { readonly slot: number; readonly channel: string; readonly ops: number }): void {
    this.#forgetAnswered();
    push.leaderAppend = push.span.child('leader append', { slot, ops });
    this.#pushes.set(push, channel);
  }

  /** It was answered without an append. */
  forget(request: number): void {
    this.#waiting.delete(request);
  }

  clear(): void {
    this.#waiting.clear();
    this.#pushes.clear();
  }

  /** The broker's part begins; whoever waits for one of these channels is taken to be in it. */
  append(slot: number, frames: readonly LogEntryFrame[], entries: readonly LogEntry[]): readonly Span[] {
    if (this.#waiting.size === 0 && this.#pushes.size === 0) return NONE;
    this.#forgetAnswered();
    const channels = new Set(frames.flatMap((frame) => ('records' in frame ? [frame.channel] : [])));
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
    const begun: Span[] = [];
    const begin = (span: Span): unknown => begun.push(span.child('log append', { slot, entries: entries.length, bytes }));
    for (const [request, { span, channel }] of this.#waiting) {
      if (!channels.has(channel)) continue;
      this.#waiting.delete(request);
      begin(span);
    }
    for (const [push, channel] of this.#pushes) {
      if (!channels.has(channel)) continue;
      this.#pushes.delete(push);
      if (push.leaderAppend !== undefined) begin(push.leaderAppend);
    }
    return begun;
  }

  #forgetAnswered(): void {
    for (const push of this.#pushes.keys()) if (push.isAnswered) this.#pushes.delete(push);
  }
}
