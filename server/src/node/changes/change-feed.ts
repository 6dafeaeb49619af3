import { type Clock, type CollectionDefinition, DbError, fieldOf, keyFieldOf, type PrimaryKey } from '@terndb/core';
import { decodeToken, encodeToken, type View } from '@terndb/engine';
import { unknownPartition } from '../catalog/names.ts';
import type { StoredCatalog } from '../catalog/node-catalog.ts';
import type { ChannelTable } from '../channels/channel-table.ts';
import type { NodeChannel } from '../channels/node-channel.ts';
import type { SlotLeader } from '../leader/slot-leader.ts';
import type { PositionWaiters } from '../query/position-waiters.ts';
import type { NodeRequest } from '../types.ts';
import { Differences } from './difference.ts';
import { type Touch, Touched } from './touched.ts';
import type { Change, ChangesRequest, FeedEvent, ResetReason } from './types.ts';

/** A reader hears so often that there is nothing new. */
const BEAT_MS = 5_000;
/** Changes that are made before the reader has taken the ones before them. */
const PAGE = 512;
/** Bytes of the log looked at before others have their turn. */
const READ_BYTES = 1024 * 1024;
/** Between two folds for one reader: what comes within it is said once, and views are not made for every frame. */
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

  /**
   * Everything from `from` on, until the consumer returns or something ends it. Checked at the call: COLLECTION_UNKNOWN, PARTITION_UNKNOWN,
   * FIELD_UNKNOWN, TOKEN_INVALID, RATE_LIMITED. In the iteration: ABORTED, STORAGE_UNAVAILABLE (the collection has another definition now, or the
   * node closes: to be asked again with the last token), PARTITION_UNKNOWN (it was dropped).
   */
  open({ database, collection, partition, from, select, signal }: NodeRequest<ChangesRequest>): AsyncGenerator<FeedEvent, void, void> {
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
    return this.#run({ channel, differences: new Differences(definition, fields), signal }, start);
  }

  async *#run(reader: Reader, start: number | ResetReason): AsyncGenerator<FeedEvent, void, void> {
    this.#readers += 1;
    // Before the first look at the log, so that the range to read has an end.
    let view: View = this.#view(reader);
    try {
      let reason = typeof start === 'number' ? undefined : start;
      if (typeof start === 'number') {
        const touched = await this.#touched(reader, start, view.position);
        if (touched === undefined) reason = 'token-too-old';
        else yield* this.#said(touched, (key, touch) => reader.differences.since(key, touch, view.find(key)));
      }
      if (reason !== undefined) yield* this.#everything(reader, view, reason);
      yield this.#position(view);
      for (;;) {
        const isNews = await this.#news(reader, view.position);
        if (isNews) {
          const next = this.#view(reader);
          const before = view;
          view = next;
          try {
            const touched = await this.#touched(reader, before.position, next.position);
            if (touched === undefined) yield* this.#everything(reader, next, 'token-too-old');
            else yield* this.#said(touched, (key) => reader.differences.between(key, before.find(key), next.find(key)));
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

  async #news({ channel, signal }: Reader, position: number): Promise<boolean> {
    const { waiters, clock, catalog } = this.#options;
    const isNews = (): boolean => channel.position > position || !catalog.has(channel.name);
    const isThere = await waiters.wait(isNews, { timeoutMs: BEAT_MS, signal });
    if (isThere) await new Promise<void>((resolve) => void clock.after(GATHER_MS, resolve));
    return isThere || !catalog.has(channel.name);
  }

  /** Keys named behind `after` and up to `upTo`; undefined when the log does not say any more, or too many. */
  async #touched({ channel }: Reader, after: number, upTo: number): Promise<Touched | undefined> {
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

  *#said({ keys }: Touched, changeOf: (key: PrimaryKey, touch: Touch) => Change | undefined): Generator<FeedEvent, void, void> {
    let page: Change[] = [];
    for (const [key, touch] of keys) {
      const change = changeOf(key, touch);
      if (change === undefined) continue;
      page.push(change);
      if (page.length < PAGE) continue;
      yield { type: 'changes', changes: page };
      page = [];
    }
    if (page.length > 0) yield { type: 'changes', changes: page };
  }

  *#everything({ differences }: Reader, view: View, reason: ResetReason): Generator<FeedEvent, void, void> {
    yield { type: 'reset', reason };
    let page: Change[] = [];
    for (const block of view.blocks) {
      for (let offset = 0; offset < block.rows; offset++) {
        if ((block.live[offset >>> 5]! & (1 << (offset & 31))) === 0) continue;
        page.push(differences.insert(block.keyAt(offset), { block, offset }));
        if (page.length < PAGE) continue;
        yield { type: 'changes', changes: page };
        page = [];
      }
    }
    if (page.length > 0) yield { type: 'changes', changes: page };
  }

  #position({ channel, position }: View): FeedEvent {
    return { type: 'position', token: encodeToken({ logEpoch: this.#options.logEpoch, positions: new Map([[channel, position]]) }) };
  }
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
