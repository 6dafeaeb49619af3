import { DbError, decodeFrame, decodeSlotFrame, type Frame, frameKind, type LogBroker, type StoredEntry } from '@terndb/core';
import { entryDamage, LogTail } from '@terndb/engine/parts';
import type { SizedFrame } from '../channels/frame-cache.ts';
import type { NodeChannel } from '../channels/node-channel.ts';

/** Bytes of entries read at once: large enough to be few reads, small enough to be thrown away soon. */
const READ_BYTES = 4 * 1024 * 1024;
/** Entries looked up at once for one subscriber. */
const READ_ENTRIES = 256;
/** Channel of the entries that belong to the slot itself. */
export const SLOT_ENTRY = '#slot';

export interface SlotLogOptions {
  readonly log: LogBroker;
  readonly slot: number;
  readonly logEpoch: string;
  /** Undefined: it was dropped. */
  readonly find: (channel: string) => NodeChannel | undefined;
  readonly channels: () => Iterable<NodeChannel>;
  /** Entries behind all manifests that are looked at all the same, so that subscribers find them. */
  readonly retainEntries: number;
}

/** The stream of one slot: folding it, and reading frames of a channel by position. */
export class SlotLog {
  readonly stream: string;
  readonly #options: SlotLogOptions;
  /** What no manifest covers yet. */
  #tail: LogTail = new LogTail({ first: 1, last: 0 });
  /** Everything up to here is folded; undefined before the first replay. */
  #folded: number | undefined;
  #newestEpoch = 0;

  constructor(options: SlotLogOptions) {
    this.#options = options;
    this.stream = String(options.slot);
  }

  get tail(): LogTail {
    return this.#tail;
  }

  get lastSequence(): number {
    return this.#folded ?? 0;
  }

  /** Folds the log from where it was left (first: from where the manifests begin) to its end. STORAGE_UNAVAILABLE. */
  async replay(): Promise<{ readonly lastSequence: number; readonly newestEpoch: number }> {
    const { log } = this.#options;
    const bounds = await log.bounds(this.stream);
    let sequence = this.#folded === undefined ? this.#start(bounds) : this.#folded + 1;
    if (this.#folded === undefined) this.#tail = new LogTail(bounds);
    while (sequence <= bounds.last) {
      const entries = await log.read(this.stream, sequence, { maxBytes: READ_BYTES });
      if (entries.length === 0) break;
      for (const entry of entries) this.#fold(entry);
      sequence = entries.at(-1)!.sequence + 1;
    }
    this.#folded = Math.max(bounds.last, sequence - 1);
    for (const channel of this.#options.channels()) this.#tail.seal(channel.name, channel.sealedPosition);
    return { lastSequence: this.#folded, newestEpoch: this.#newestEpoch };
  }

  /** An entry that this leader has appended. The frame's fold is the machine's. */
  appended(sequence: number, frame: Frame, bytes: number): void {
    this.#folded = sequence;
    const channel = this.#options.find(frame.channel);
    if (channel !== undefined) this.#note(channel, { frame, bytes }, sequence);
  }

  appendedSlotFrame(sequence: number): void {
    this.#folded = sequence;
  }

  /** Frames of a channel from the one that holds `position` on, about `maxBytes` but at least one; undefined when they were truncated. */
  async read(channel: NodeChannel, position: number, maxBytes: number): Promise<readonly SizedFrame[] | undefined> {
    const sequences = channel.index.from(position, READ_ENTRIES);
    if (sequences.length === 0) return undefined;
    const frames: SizedFrame[] = [];
    let page: readonly StoredEntry[] = [];
    let bytes = 0;
    for (const sequence of sequences) {
      if (page.length === 0 || page.at(-1)!.sequence < sequence || page[0]!.sequence > sequence) {
        page = await this.#options.log.read(this.stream, sequence, { maxBytes });
      }
      const entry = page.find((candidate) => candidate.sequence === sequence);
      // Truncated meanwhile.
      if (entry === undefined) return frames.length === 0 ? undefined : frames;
      bytes += entry.bytes.length;
      if (frames.length > 0 && bytes > maxBytes) break;
      frames.push({ frame: this.#ofThisEpoch(decodeFrame(entry.bytes)), bytes: entry.bytes.length });
    }
    return frames;
  }

  /** Whether these bytes stand in the stream from `sequence` on. */
  async holds(sequence: number, entries: readonly { readonly bytes: Uint8Array }[]): Promise<boolean> {
    for (let index = 0; index < entries.length; ) {
      const stored = await this.#options.log.read(this.stream, sequence + index, { maxBytes: READ_BYTES });
      if (stored.length === 0) return false;
      for (const entry of stored.slice(0, entries.length - index)) {
        if (Buffer.compare(entry.bytes, entries[index]!.bytes) !== 0) return false;
        index += 1;
      }
    }
    return true;
  }

  async truncate(upTo: number): Promise<void> {
    await this.#options.log.truncate(this.stream, upTo);
    this.#tail.truncated(upTo);
    for (const channel of this.#options.channels()) channel.index.cut(upTo);
  }

  /** A manifest of this epoch says where its tail begins; of another, or with a cursor beyond the end, nothing is known. */
  #start({ first, last }: { readonly first: number; readonly last: number }): number {
    let start = Math.max(first, last - this.#options.retainEntries + 1);
    for (const { channel } of this.#options.channels()) {
      const manifest = channel.published?.manifest;
      const isKnown = manifest !== undefined && manifest.logEpoch === this.#options.logEpoch && manifest.brokerCursor <= last;
      start = Math.min(start, isKnown ? manifest.brokerCursor + 1 : first);
    }
    return Math.max(first, start);
  }

  #fold(entry: StoredEntry): void {
    if (entry.channel === SLOT_ENTRY) {
      const { record, leaderEpoch } = decodeSlotFrame(entry.bytes);
      if (record.type === 'lead') this.#newestEpoch = Math.max(this.#newestEpoch, leaderEpoch);
      return;
    }
    const channel = this.#options.find(entry.channel);
    if (channel === undefined || channel.channel.damage !== undefined) return;
    try {
      if (frameKind(entry.bytes) !== 'channel') throw new DbError('FORMAT_INVALID', 'a channel frame expected, got a slot frame');
      const frame = this.#ofThisEpoch(decodeFrame(entry.bytes));
      // Design 10: a leader that had been replaced wrote it.
      if (frame.leaderEpoch < this.#newestEpoch) return;
      channel.apply(frame);
      this.#note(channel, { frame, bytes: entry.bytes.length }, entry.sequence);
    } catch (error) {
      channel.channel.damage = entryDamage(entry.channel, entry.sequence, error);
    }
  }

  #note(channel: NodeChannel, { frame, bytes }: SizedFrame, sequence: number): void {
    if (channel.isDropped) return;
    const lastPosition = frame.base + frame.records.length - 1;
    channel.index.add(sequence, frame.base, frame.records.length);
    if (lastPosition > channel.sealedPosition) channel.tailBytes += bytes;
    this.#tail.add(channel.name, { sequence, lastPosition });
  }

  /** A restored log keeps frames of the universe before; positions and hashes go on, so readers take them as this one's. */
  #ofThisEpoch(frame: Frame): Frame {
    const { logEpoch } = this.#options;
    return frame.logEpoch === logEpoch ? frame : { ...frame, logEpoch };
  }
}
