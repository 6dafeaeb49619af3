import { fieldOf, type SingleOp, toPublicEntity } from '@terndb/core';
import type { Engine } from '@terndb/engine';
import type { RejectedEntry, ResolvedChannel } from '@terndb/sync';
import type { SyncStore } from './store/sync-store.ts';
import type { RejectedItem, RejectedOp } from './sync-report.ts';
import { rejection } from './write-waiters.ts';

/** The durable list of writes that the log refused, oldest first, as the app sees it. */
export class RefusedWrites {
  readonly #store: SyncStore;
  readonly #engine: Engine;
  #entries: readonly RejectedEntry[] = [];
  /** Changes with the list. */
  version = 0;

  constructor(store: SyncStore, engine: Engine) {
    this.#store = store;
    this.#engine = engine;
  }

  get count(): number {
    return this.#entries.length;
  }

  async read(): Promise<void> {
    this.#entries = await this.#store.readRejected();
    this.version += 1;
  }

  codeOf(channel: string, id: number): string | undefined {
    return this.#entries.find((entry) => entry.channel === channel && entry.id === id)?.code;
  }

  /** One per op: a batch is one entry of several. */
  items(channels: readonly ResolvedChannel[]): readonly RejectedItem[] {
    return this.#entries.flatMap(({ channel, id, op, code }) => {
      const known = channels.find((one) => one.channel === channel);
      const { collection, partition } = known ?? { collection: '', partition: '' };
      const error = rejection(channel, code).toJSON();
      const ops = op.type === 'batch' ? op.ops : [op];
      return ops.map((single) => ({ channel, id, collection, partition, key: single.pk, error, op: this.#publicOp(collection, single) }));
    });
  }

  #publicOp(collection: string, op: SingleOp): RejectedOp {
    if (op.type === 'delete') return { type: 'delete' };
    if (op.type === 'yjs') return { type: 'collab', field: op.field, update: op.update };
    const fields = op.type === 'vector' ? { [op.field]: op.vector } : op.fields;
    if (this.#engine.schema.collections[collection] === undefined) return { type: 'patch', fields };
    const definition = this.#engine.definition(collection);
    // An opaque document as it was given: what it reads as is not what it could be put with again (and only the worker's own files can read it).
    const documents = Object.entries(fields).filter(([name]) => fieldOf(definition, name)?.type === 'collab');
    const others = Object.keys(fields).filter((name) => documents.every(([document]) => document !== name));
    const given = toPublicEntity(definition, others, op.pk, ({ name }) => fields[name] ?? null);
    const begun = documents.filter(([, value]) => value !== null);
    return { type: op.type === 'put' ? 'put' : 'patch', fields: { ...given, ...Object.fromEntries(begun) } };
  }
}
