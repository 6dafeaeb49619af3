import { compareStamps, type Frame, originOf, type PrimaryKey, stampOf, type Timestamp, ZERO_HASH } from '@terndb/core';
import type { ChannelFold, Lmid, SlotFolds } from '../leader/types.ts';

type Entity = NonNullable<ReturnType<ChannelFold['entity']>>;

/** The least a leader needs of a channel: stamps of entities and LMIDs, without hashes. */
export class PlainFold implements ChannelFold {
  position = 0;
  readonly hash: typeof ZERO_HASH = ZERO_HASH;
  floor: Timestamp = 0 as Timestamp;
  maxHlc: Timestamp = 0 as Timestamp;
  readonly #lmids = new Map<string, Lmid>();
  readonly #entities = new Map<PrimaryKey, Entity>();

  lmid(clientId: string): Lmid | undefined {
    return this.#lmids.get(clientId);
  }

  entity(pk: PrimaryKey): Entity | undefined {
    return this.#entities.get(pk);
  }

  apply(frame: Frame): void {
    for (const record of frame.records) {
      this.position += 1;
      if (record.type === 'expire') this.#lmids.delete(record.clientId);
      if (record.type === 'gc') this.floor = record.floor;
      if (record.type !== 'op' && record.type !== 'reject') continue;
      const { clientId, seq, author } = record;
      const before = this.#lmids.get(clientId)?.rejected ?? [];
      const rejected = record.type === 'reject' ? [...before, { seq, code: record.code }] : before;
      this.#lmids.set(clientId, { seq, position: this.position, author, rejected });
      if (record.type !== 'op') continue;
      if (record.hlc > this.maxHlc) this.maxHlc = record.hlc;
      const stamp = stampOf(record);
      for (const op of record.op.type === 'batch' ? record.op.ops : [record.op]) {
        const entity = this.#entities.get(op.pk) ?? {};
        if (op.type === 'put' && compareStamps(stamp, entity.put) > 0) {
          this.#entities.set(op.pk, { ...entity, put: stamp, base: originOf(record) });
        } else if (op.type === 'delete' && compareStamps(stamp, entity.delete) > 0) {
          this.#entities.set(op.pk, { ...entity, delete: stamp });
        }
      }
    }
  }
}

export class PlainFolds implements SlotFolds {
  readonly #byChannel = new Map<string, PlainFold>();

  get(channel: string): PlainFold {
    let fold = this.#byChannel.get(channel);
    if (fold === undefined) {
      fold = new PlainFold();
      this.#byChannel.set(channel, fold);
    }
    return fold;
  }

  apply(frame: Frame): void {
    this.get(frame.channel).apply(frame);
  }
}
