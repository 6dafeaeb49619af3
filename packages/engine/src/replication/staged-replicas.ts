import { assert, DbError, type Frame } from '@terndb/core';
import type { Replica } from '../replica/replica.ts';

interface Staged {
  readonly channel: string;
  readonly replica: Promise<Replica>;
  /** Once it is open. */
  opened: Replica | undefined;
  isDropped: boolean;
}

/** Replicas that are built aside (R6), by the number of their fetch. */
export class StagedReplicas {
  readonly #staged = new Map<number, Staged>();

  /** ABORTED when it is dropped meanwhile; what `open` throws. */
  async stage(channel: string, fetch: number, open: () => Promise<Replica>): Promise<Replica> {
    assert(!this.#staged.has(fetch), () => `fetch ${fetch} of ${channel}: staged twice`);
    const staged: Staged = { channel, replica: open(), opened: undefined, isDropped: false };
    this.#staged.set(fetch, staged);
    try {
      const replica = await staged.replica;
      if (staged.isDropped) {
        replica.retire();
        throw new DbError('ABORTED', `fetch ${fetch} of ${channel}: dropped while it was opened`, { details: { channel, fetch } });
      }
      staged.opened = replica;
      return replica;
    } catch (error) {
      if (!staged.isDropped) this.#staged.delete(fetch);
      throw error;
    }
  }

  applyFrame(fetch: number, frame: Frame): void {
    const replica = this.#staged.get(fetch)?.opened;
    assert(replica !== undefined, () => `fetch ${fetch}: a staged replica expected for a frame of ${frame.channel}`);
    replica.entities.reserve(
      frame.records.flatMap((record) => (record.type !== 'op' ? [] : record.op.type === 'batch' ? record.op.ops : [record.op])),
    );
    replica.applyFrame(frame);
  }

  mustGet(channel: string, fetch: number): Replica {
    const staged = this.#staged.get(fetch);
    assert(staged?.opened !== undefined && staged.channel === channel, () => `fetch ${fetch}: a staged replica of ${channel} expected`);
    return staged.opened;
  }

  /** Hands it over. */
  take(channel: string, fetch: number): Replica {
    const replica = this.mustGet(channel, fetch);
    this.#staged.delete(fetch);
    return replica;
  }

  drop(fetch: number): void {
    const staged = this.#staged.get(fetch);
    if (staged === undefined) return;
    this.#staged.delete(fetch);
    staged.isDropped = true;
    staged.opened?.retire();
  }

  dropAll(): void {
    for (const fetch of [...this.#staged.keys()]) this.drop(fetch);
  }
}
