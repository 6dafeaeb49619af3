import type { Clock } from '@terndb/core';
import { HINTS_PER_SECOND, type Hint, type Hinted, MAX_HINT_BYTES, MAX_HINT_TOPICS, MAX_PRESENCE_TOPIC_BYTES } from '@terndb/sync';
import { TokenBucket } from './token-bucket.ts';

/** Where more are, the log alone tells: it sends many updates as one frame, a hint goes to each by itself. */
const MAX_LISTENERS = 16;

/** One connection, as the room sees it. */
export interface HintListener {
  /** Drops what cannot be sent now, or is not granted any more. */
  tell(message: Hinted): void;
}

interface Known {
  readonly bucket: TokenBucket;
  readonly topics: Set<string>;
}

/**
 * Updates of documents on their way to the log, told at once to those of this process who have the document open. Nothing depends on it: what is
 * more often or larger than agreed is dropped, and the log tells it.
 */
export class HintRoom {
  readonly #clock: Clock;
  readonly #topics = new Map<string, Set<HintListener>>();
  readonly #known = new Map<HintListener, Known>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Connections in topics, for tests. */
  get listeners(): number {
    let count = 0;
    for (const listeners of this.#topics.values()) count += listeners.size;
    return count;
  }

  say(listener: HintListener, hint: Hint): void {
    const { channel, topic, what } = hint;
    if (topic.length > MAX_PRESENCE_TOPIC_BYTES) return;
    const known = this.#known.get(listener) ?? { bucket: new TokenBucket(HINTS_PER_SECOND, this.#clock.monotonicMs()), topics: new Set() };
    this.#known.set(listener, known);
    const name = nameOf(channel, topic);
    if (what === 'leave') this.#leave(listener, known, name);
    if (what === 'join') this.#join(listener, known, name);
    if (what === 'update') this.#tellOthers(listener, known, hint);
  }

  /** The connection is over. */
  end(listener: HintListener): void {
    const known = this.#known.get(listener);
    if (known === undefined) return;
    for (const name of [...known.topics]) this.#leave(listener, known, name);
    this.#known.delete(listener);
  }

  #tellOthers(listener: HintListener, { bucket }: Known, { channel, topic, update }: Hint): void {
    const listeners = this.#topics.get(nameOf(channel, topic));
    if (listeners === undefined || listeners.size > MAX_LISTENERS || update.length === 0 || update.length > MAX_HINT_BYTES) return;
    const nowMs = this.#clock.monotonicMs();
    if (bucket.waitMs(nowMs) > 0) return;
    bucket.take(nowMs);
    const message: Hinted = { type: 'hinted', channel, topic, update };
    for (const other of listeners) if (other !== listener) other.tell(message);
  }

  #join(listener: HintListener, known: Known, name: string): void {
    if (known.topics.size >= MAX_HINT_TOPICS) return;
    known.topics.add(name);
    const listeners = this.#topics.get(name) ?? new Set();
    this.#topics.set(name, listeners.add(listener));
  }

  #leave(listener: HintListener, known: Known, name: string): void {
    if (!known.topics.delete(name)) return;
    const listeners = this.#topics.get(name)!;
    listeners.delete(listener);
    if (listeners.size === 0) this.#topics.delete(name);
  }
}

function nameOf(channel: string, topic: string): string {
  return `${channel}\n${topic}`;
}
