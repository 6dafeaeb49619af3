import {
  type CollectionDefinition,
  DbError,
  entityBytes,
  MAX_BATCH_ENTITIES,
  MAX_OP_BYTES,
  normalizePut,
  type PrimaryKey,
} from '@terndb/core';
import type { Engine } from '@terndb/engine';
import { type ImportedRow, ImportReader } from './import-reader.ts';

/** Imports hold their rows in memory: one at a time is what people do. */
const MAX_SESSIONS = 2;
/** A batch is one op of the log; what it takes beside its entities is small. */
const MAX_BATCH_BYTES: number = MAX_OP_BYTES - 16 * 1024;

interface Batch {
  readonly collection: string;
  readonly partition: string;
  readonly entities: Readonly<Record<string, unknown>>[];
  bytes: number;
}

/** Imports under way: bytes come in pieces, everything is written at the end or nothing is. */
export class ImportSessions {
  readonly #engine: Engine;
  readonly #sessions = new Map<string, ImportReader>();
  #next = 1;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  open(): { importId: string } {
    const importId = `${this.#next++}`;
    this.#sessions.set(importId, new ImportReader(this.#engine.schema));
    if (this.#sessions.size > MAX_SESSIONS) this.close(this.#sessions.keys().next().value!);
    return { importId };
  }

  push(importId: string, bytes: Uint8Array): void {
    this.#reader(importId).push(bytes);
  }

  /**
   * Checks every row before the first is written, then writes all of them without a pause, so that they become visible and durable together.
   * Rows that are here already, as new or newer, stay as they are.
   */
  async commit(importId: string): Promise<{ entities: number }> {
    const rows = this.#reader(importId).finish();
    this.close(importId);
    const batches = this.#batches(rows.filter((row) => this.#isNewer(row)));
    const tickets = batches.map(({ collection, partition, entities }) =>
      this.#engine.write({ type: 'put', collection, partition, entities }),
    );
    await Promise.all(tickets.map((ticket) => ticket.durable));
    return { entities: rows.length };
  }

  close(importId: string): void {
    this.#sessions.delete(importId);
  }

  #reader(importId: string): ImportReader {
    const reader = this.#sessions.get(importId);
    if (reader === undefined) throw new DbError('ABORTED', `import ${importId}: ended before it was complete; begin again`);
    return reader;
  }

  #batches(rows: readonly ImportedRow[]): readonly Batch[] {
    const batches: Batch[] = [];
    const open = new Map<string, Batch>();
    for (const { collection, partition, entity } of rows) {
      const bytes = measure(this.#engine.definition(collection), collection, entity);
      const place = `${collection}/${partition}`;
      let batch = open.get(place);
      if (batch === undefined || batch.bytes + bytes > MAX_BATCH_BYTES || batch.entities.length === MAX_BATCH_ENTITIES) {
        batch = { collection, partition, entities: [], bytes: 0 };
        open.set(place, batch);
        batches.push(batch);
      }
      batch.entities.push(entity);
      batch.bytes += bytes;
    }
    return batches;
  }

  #isNewer({ collection, partition, version, entity }: ImportedRow): boolean {
    const definition = this.#engine.definition(collection);
    const { name } = definition.fields.find((field) => field.type === 'primaryKey')!;
    for (const place of this.#engine.views(collection)) {
      try {
        const found = place.partition === partition ? place.view.find(entity[name] as PrimaryKey) : undefined;
        if (found !== undefined && found.block.versionAt(found.offset) >= version) return false;
      } finally {
        place.view.release();
      }
    }
    return true;
  }
}

/** @throws what the put would throw. */
function measure(definition: CollectionDefinition, collection: string, entity: Readonly<Record<string, unknown>>): number {
  const { pk, fields } = normalizePut(definition, collection, entity, { newKey: () => '' });
  return entityBytes(pk, fields);
}
