import { DbError, type MetaStore, type PrimaryKey, utf8Decode, utf8Encode } from '@terndb/core';
import { readStagedBatch, type StagedVector, writeStagedBatch } from './staged-batch.ts';

/**
 * Vectors of a model whose dimension is not that of the field's rows. They are kept here, on this device, while the old ones go on serving, and exchanged
 * for them when all are there. Bounded memory: the rows' keys, and one batch.
 *   embedding/staged/<collection>/<field>       JSON { model, dim }
 *   embedding/staged/<collection>/<field>/<n>   batches from 0 on without a gap: added at the end, taken from the end
 */
const PREFIX = 'embedding/staged/';

export interface StagedSpace {
  readonly collection: string;
  readonly field: string;
  readonly model: string;
  readonly dim: number;
}

export class StagedVectors {
  readonly #meta: MetaStore;
  readonly #space: StagedSpace;
  readonly #keys = new Set<string>();
  #batches = 0;

  private constructor(meta: MetaStore, space: StagedSpace) {
    this.#meta = meta;
    this.#space = space;
  }

  /** Those of an earlier session, if they are of this space; those of another are deleted. Undefined: there are none. */
  static async find(meta: MetaStore, space: StagedSpace): Promise<StagedVectors | undefined> {
    const head = await meta.get(headOf(space));
    if (head === undefined) return undefined;
    const staged = new StagedVectors(meta, space);
    if (utf8Decode(head.value) === describe(space)) {
      await staged.#open();
      return staged;
    }
    await staged.#drop();
    return undefined;
  }

  static async create(meta: MetaStore, space: StagedSpace): Promise<StagedVectors> {
    await meta.compareAndSet(headOf(space), 0, utf8Encode(describe(space)));
    return new StagedVectors(meta, space);
  }

  has(partition: string, key: PrimaryKey): boolean {
    return this.#keys.has(nameOf(partition, key));
  }

  /** Durable when it resolves. */
  async add(rows: readonly StagedVector[]): Promise<void> {
    if (rows.length === 0) return;
    const name = this.#batch(this.#batches);
    const revision = (await this.#meta.get(name))?.revision ?? 0;
    await this.#meta.compareAndSet(name, revision, writeStagedBatch(rows, this.#space.dim));
    this.#batches++;
    for (const { partition, key } of rows) this.#keys.add(nameOf(partition, key));
  }

  /** Hands over every batch and deletes it once `write` is durable; at last nothing is left. What is cut off goes on with what is left. */
  async exchange(write: (rows: readonly StagedVector[]) => Promise<unknown>): Promise<void> {
    while (this.#batches > 0) {
      const name = this.#batch(this.#batches - 1);
      const entry = await this.#meta.get(name);
      if (entry !== undefined) {
        await write(this.#read(entry.value));
        await this.#meta.delete(name, entry.revision);
      }
      this.#batches--;
    }
    await this.#drop();
  }

  async #open(): Promise<void> {
    for (;;) {
      const entry = await this.#meta.get(this.#batch(this.#batches));
      if (entry === undefined) return;
      this.#batches++;
      for (const { partition, key } of this.#read(entry.value)) this.#keys.add(nameOf(partition, key));
    }
  }

  /** A damaged batch is none: its rows wait again. */
  #read(bytes: Uint8Array): StagedVector[] {
    try {
      return readStagedBatch(bytes, this.#space.dim);
    } catch (thrown) {
      if (thrown instanceof DbError && thrown.code === 'FORMAT_INVALID') return [];
      throw thrown;
    }
  }

  async #drop(): Promise<void> {
    for (let i = 0; ; i++) {
      const entry = await this.#meta.get(this.#batch(i));
      if (entry === undefined) break;
      await this.#meta.delete(this.#batch(i), entry.revision);
    }
    const head = await this.#meta.get(headOf(this.#space));
    if (head !== undefined) await this.#meta.delete(headOf(this.#space), head.revision);
    this.#keys.clear();
  }

  #batch(index: number): string {
    return `${headOf(this.#space)}/${index}`;
  }
}

const headOf = ({ collection, field }: StagedSpace): string => `${PREFIX}${collection}/${field}`;
const describe = ({ model, dim }: StagedSpace): string => JSON.stringify({ model, dim });
const nameOf = (partition: string, key: PrimaryKey): string => `${partition}\n${typeof key} ${key}`;
