import type { Frame, Hash64, PrimaryKey, Timestamp } from '@terndb/core';
import type { Channel } from '@terndb/engine/parts';
import type { ChannelFold, Lmid } from '@terndb/sync';
import { PositionIndex } from './position-index.ts';

/** One channel of this node: the one replica that the leader folds into and that queries read, and where its frames are. */
export class NodeChannel implements ChannelFold {
  readonly name: string;
  readonly slot: number;
  readonly index: PositionIndex = new PositionIndex();
  /** Dimensions that pushed vectors have had in fields whose schema leaves it to the model, also before they are folded. */
  readonly dims: Map<string, number> = new Map();
  /** Bytes of the log after the newest manifest, about. */
  tailBytes = 0;
  /** Replaced as a whole when the collection's definition changes. */
  channel: Channel;
  #dropped: { readonly position: number; readonly hash: Hash64; readonly maxHlc: Timestamp } | undefined;

  constructor(channel: Channel, slot: number) {
    this.name = channel.name;
    this.channel = channel;
    this.slot = slot;
  }

  get isDropped(): boolean {
    return this.#dropped !== undefined;
  }

  get position(): number {
    return this.#dropped?.position ?? this.channel.replica.position;
  }

  get hash(): Hash64 {
    return this.#dropped?.hash ?? this.channel.replica.hash;
  }

  get floor(): Timestamp {
    return this.channel.replica.floor;
  }

  get maxHlc(): Timestamp {
    return this.#dropped?.maxHlc ?? this.channel.replica.maxHlc;
  }

  get sealedPosition(): number {
    return this.channel.published?.manifest.upTo ?? 0;
  }

  lmid(clientId: string): Lmid | undefined {
    const entry = this.channel.replica.lmids.get(clientId);
    return entry && { seq: entry.lmid, position: entry.position, author: entry.author, rejected: entry.rejected };
  }

  entity(pk: PrimaryKey): ReturnType<ChannelFold['entity']> {
    if (this.#dropped !== undefined) return undefined;
    const { entities } = this.channel.replica;
    const place = entities.find(pk);
    if (place !== undefined) {
      const { put } = place.block.source.stampsAt(place.offset);
      const seq = place.block.source.putSeqAt(place.offset);
      // Not stored where the collection has no collab fields, nor asked for there.
      return seq === 0 ? { put } : { put, base: { clientId: put.clientId, seq } };
    }
    return entities.tombstones.get(pk);
  }

  apply(frame: Frame): void {
    if (this.#dropped === undefined) this.channel.replica.applyFrame(frame);
    else this.#dropped = { ...this.#dropped, position: frame.base + frame.records.length - 1 };
  }

  /** What was in flight for it may still be appended; it is folded into nothing. */
  drop(): void {
    if (this.#dropped !== undefined) return;
    const { position, hash, maxHlc } = this;
    this.#dropped = { position, hash, maxHlc };
    this.channel.replica.retire();
  }
}
