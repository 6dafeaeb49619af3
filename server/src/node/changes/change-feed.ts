import {
  type Clock,
  type CollectionDefinition,
  DbError,
  fieldOf,
  keyFieldOf,
  type PrimaryKey,
  type Span,
  type Timestamp,
} from '@terndb/core';
import { decodeToken, encodeToken, type RowBlock, type View } from '@terndb/engine';
import { expiryCutoff } from '@terndb/engine/parts';
import { unknownPartition } from '../catalog/names.ts';
import type { StoredCatalog } from '../catalog/node-catalog.ts';
import type { ChannelTable } from '../channels/channel-table.ts';
import type { NodeChannel } from '../channels/node-channel.ts';
import type { SlotLeader } from '../leader/slot-leader.ts';
import type { PositionWaiters } from '../query/position-waiters.ts';
import { traced } from '../traced.ts';
import type { NodeRequest } from '../types.ts';
import { Differences } from './difference.ts';
import { inSpan } from './fold-span.ts';
import { type Touch, Touched } from './touched.ts';
import type { ChangesRequest, FeedEvent, ResetReason } from './types.ts';

/** A reader hears so often that there is nothing new. */
const BEAT_MS = 5_000;
/** Text that is made before the reader has taken the text before it: about this, and one change. */
const PAGE_LENGTH: number = 64 * 1024;
/** Bytes of the log looked at before others have their turn. */
const READ_BYTES = 1024 * 1024;
/** Between two folds for one reader: what comes within it is said once, and views are not made for every frame. After a pause nothing is waited for. */
const GATHER_MS = 5;
/** Each pins what it has not heard of yet. */
const MAX_READERS = 256;

export interface ChangeFeedOptions {
  readonly clock: Clock;
  readonly catalog: StoredCatalog;
  readonly channels: ChannelTable;
  readonly leaders: readonly SlotLeader[];
  readonly waiters: PositionWaiters;
  readonly logEpoch: string;
  /** Keys of one fold. */
  readonly maxRangeKeys: number;
}

interface Reader {
  readonly channel: NodeChannel;
  readonly differences: Differences;
  readonly signal: AbortSignal | undefined;
  readonly beginFold: (() => Span | undefined) | undefined;
  foldedAtMs: number;
}

/** Of positions. */
interface Range {
  readonly after: number;
  readonly upTo: number;
}

/**
 * Folded changes of one partition. A reader is a position and, while it is connected, the view at that position: what has changed since is the
 * difference of two views at the keys that the log names between them. A reader that is slow gets more in one fold; nothing queues up for it.
 */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  #readers = 0;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  get readers(): number {
    return this.#readers;
  }

  get maxReaders(): number {
    return MAX_READERS;
  }

  /**
   * Everything from `from` on, until the consumer returns or something ends it. Checked at the call: COLLECTION_UNKNOWN, PARTITION_UNKNOWN,
   * FIELD_UNKNOWN, TOKEN_INVALID, RATE_LIMITED. In the iteration: ABORTED, STORAGE_UNAVAILABLE (the collection has another definition now, or the
   * node closes: to be asked again with the last token), PARTITION_UNKNOWN (it was dropped).
   */
  open(request: NodeRequest<ChangesRequest>): AsyncGenerator<FeedEvent, void, void> {
    const { database, collection, partition, from, select, signal, span, beginFold } = request;
    const { catalog, channels } = this.#options;
    const info = catalog.mustFind(database, collection);
    const name = info.partitions.get(partition)?.[0];
    if (name === undefined) throw unknownPartition(info.name, partition);
    const channel = channels.get(name);
    const { definition } = channel.channel.replica;
    const fields = fieldsOf(definition, info.name, select);
    const start = this.#start(channel, from);
    if (this.#readers >= MAX_READERS) {
      throw new DbError('RATE_LIMITED', `change feed: at most ${MAX_READERS} readers expected`, {
        details: { limit: MAX_READERS, retryAfterMs: 5_000 },
      });
    }
    const first = span?.child('fold', { type: 'changes', database, collection: info.name, partition });
    return this.#run({ channel, differences: new Differences(definition, fields), signal, beginFold, foldedAtMs: 0 }, start, first);
  }

  async *#run(reader: Reader, start: number | ResetReason, first: Span | undefined): AsyncGenerator<FeedEvent, void, void> {
    this.#readers += 1;
    // Before the first look at the log, so that the range to read has an end.
    let view: View = this.#view(reader);
    try {
      yield* inSpan(first, (span) => this.#since(reader, view, start, span));
      yield this.#position(view);
      for (;;) {
        const isNews = await this.#news(reader, view.position);
        if (isNews) {
          const next = this.#view(reader);
          const before = view;
          view = next;
          try {
            yield* inSpan(reader.beginFold?.(), (span) => this.#between(reader, before, next, span));
          } finally {
            before.release();
          }
        }
        yield this.#position(view);
      }
    } finally {
      view.release();
      this.#readers -= 1;
    }
  }

  /** What was said before `start` is the reader's. */
  async *#since(reader: Reader, view: View, start: number | ResetReason, span: Span | undefined): AsyncGenerator<FeedEvent, void, void> {
    let reason = typeof start === 'number' ? undefined : start;
    if (typeof start === 'number') {
      const touched = await this.#touched(reader, { after: start, upTo: view.position }, span);
      // What has expired meanwhile is named nowhere.
      if (touched === undefined || touched.expiredBefore > 0) reason = 'token-too-old';
      else yield* this.#said(touched, (key, touch) => reader.differences.since(key, touch, this.#shown(view, key)));
    }
    if (reason !== undefined) yield* this.#everything(reader, view, reason);
  }

  async *#between(reader: Reader, before: View, next: View, span: Span | undefined): AsyncGenerator<FeedEvent, void, void> {
    const touched = await this.#touched(reader, { after: before.position, upTo: next.position }, span);
    if (touched === undefined || !this.#addExpired(touched, before)) yield* this.#everything(reader, next, 'token-too-old');
    else yield* this.#said(touched, (key) => reader.differences.between(key, before.find(key), this.#shown(next, key)));
  }

  /** Position behind which the reader goes on, or why it has to begin anew. TOKEN_INVALID. */
  #start(channel: NodeChannel, from: string | undefined): number | ResetReason {
    if (from === undefined || from === '') return 'start';
    const universe = decodeToken(from).find(({ logEpoch }) => logEpoch === this.#options.logEpoch);
    const position = universe?.positions.get(channel.name);
    if (position === undefined || position > channel.position) return 'other-universe';
    const isKnown = position === channel.position || channel.index.from(position + 1, 1).length > 0;
    return isKnown ? position : 'token-too-old';
  }

  /** ABORTED, PARTITION_UNKNOWN, STORAGE_UNAVAILABLE: it cannot go on. */
  #view({ channel, differences }: Reader): View {
    const { catalog } = this.#options;
    if (!catalog.has(channel.name)) throw unknownPartition(channel.channel.collection.name, channel.channel.partition);
    const { replica, damage } = channel.channel;
    if (damage !== undefined) throw damage;
    if (!differences.isOf(replica.definition)) {
      throw new DbError(
        'STORAGE_UNAVAILABLE',
        'change feed: the collection has another definition now; to be asked again with the last token',
      );
    }
    return replica.view();
  }

  async #news(reader: Reader, position: number): Promise<boolean> {
    const { waiters, clock, catalog } = this.#options;
    const { channel, signal } = reader;
    const isNews = (): boolean => channel.position > position || !catalog.has(channel.name);
    const isThere = await waiters.wait(isNews, { timeoutMs: BEAT_MS, signal });
    const waitMs = reader.foldedAtMs + GATHER_MS - clock.monotonicMs();
    if (isThere && waitMs > 0) await new Promise<void>((resolve) => void clock.after(waitMs, resolve));
    reader.foldedAtMs = clock.monotonicMs();
    return isThere || !catalog.has(channel.name);
  }

  /** Keys named behind `after` and up to `upTo`; undefined when the log does not say any more, or too many. */
  async #touched(reader: Reader, range: Range, span: Span | undefined): Promise<Touched | undefined> {
    return traced(span, 'log read', { from: range.after + 1, upTo: range.upTo }, async (part) => {
      const touched = await this.#read(reader, range);
      if (touched !== undefined) part?.set({ keys: touched.size });
      return touched;
    });
  }

  async #read({ channel }: Reader, { after, upTo }: Range): Promise<Touched | undefined> {
    const touched = new Touched();
    const { leaders, maxRangeKeys } = this.#options;
    for (let position = after; position < upTo; ) {
      const frames = await leaders[channel.slot]!.frames(channel, position + 1, READ_BYTES);
      if (frames === undefined || frames.length === 0) return undefined;
      for (const { frame } of frames) touched.add(frame, { after, upTo });
      const { base, records } = frames.at(-1)!.frame;
      position = base + records.length - 1;
      if (touched.size > maxRangeKeys) return undefined;
    }
    return touched;
  }

  /** The rows that a reader has and that are gone by their age. False: too many. */
  #addExpired(touched: Touched, { blocks }: View): boolean {
    const { expiredBefore } = touched;
    for (const block of blocks) {
      if (expiredBefore === 0 || block.oldestPut === undefined || block.oldestPut >= expiredBefore) continue;
      for (let offset = 0; offset < block.rows; offset++) {
        if (!isLive(block, offset) || block.putTimeAt!(offset) >= expiredBefore) continue;
        touched.addKey(block.keyAt(offset));
        if (touched.size > this.#options.maxRangeKeys) return false;
      }
    }
    return true;
  }

  /** The row, unless its time to live is over: then it is said to be gone, perhaps before it is. */
  #shown(view: View, key: PrimaryKey): ReturnType<View['find']> {
    const row = view.find(key);
    return row && isExpired(row, this.#cutoff(view)) ? undefined : row;
  }

  #cutoff({ definition }: View): Timestamp {
    return expiryCutoff(definition, this.#options.clock.nowMs());
  }

  *#said({ keys }: Touched, changeOf: (key: PrimaryKey, touch: Touch) => string | undefined): Generator<FeedEvent, void, void> {
    const page = new Page();
    for (const [key, touch] of keys) {
      const line = changeOf(key, touch);
      if (line !== undefined && page.add(line)) yield page.take();
    }
    if (page.count > 0) yield page.take();
  }

  *#everything({ differences }: Reader, view: View, reason: ResetReason): Generator<FeedEvent, void, void> {
    yield { type: 'reset', reason };
    const cutoff = this.#cutoff(view);
    const page = new Page();
    for (const block of view.blocks) {
      for (let offset = 0; offset < block.rows; offset++) {
        if (!isLive(block, offset) || isExpired({ block, offset }, cutoff)) continue;
        if (page.add(differences.insert(block.keyAt(offset), { block, offset }))) yield page.take();
      }
    }
    if (page.count > 0) yield page.take();
  }

  #position({ channel, position }: View): FeedEvent {
    return { type: 'position', token: encodeToken({ logEpoch: this.#options.logEpoch, positions: new Map([[channel, position]]) }) };
  }
}

class Page {
  count = 0;
  #lines = '';

  /** @returns whether it is full. */
  add(line: string): boolean {
    this.count += 1;
    this.#lines += line;
    return this.#lines.length >= PAGE_LENGTH;
  }

  take(): FeedEvent {
    const event = { type: 'changes', count: this.count, lines: this.#lines } as const;
    this.count = 0;
    this.#lines = '';
    return event;
  }
}

function isLive({ live }: RowBlock, offset: number): boolean {
  return (live[offset >>> 5]! & (1 << (offset & 31))) !== 0;
}

/** 0: nothing is. */
function isExpired({ block, offset }: { readonly block: RowBlock; readonly offset: number }, cutoff: Timestamp): boolean {
  return cutoff > 0 && block.putTimeAt!(offset) < cutoff;
}

/** FIELD_UNKNOWN. */
function fieldsOf(definition: CollectionDefinition, collection: string, select: readonly string[] | undefined): readonly string[] {
  const keyField = keyFieldOf(definition).name;
  const unknown = select?.find((name) => fieldOf(definition, name) === undefined);
  if (unknown !== undefined) {
    throw new DbError('FIELD_UNKNOWN', `${collection}: select: a field of the collection expected, got ${unknown.slice(0, 100)}`, {
      details: { collection, field: unknown.slice(0, 100) },
    });
  }
  return (select ?? definition.fields.map(({ name }) => name)).filter((name) => name !== keyField);
}
