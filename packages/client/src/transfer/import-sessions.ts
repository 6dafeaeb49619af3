import { DbError, type PrimaryKey } from '@terndb/core';
import type { Engine, PartitionView } from '@terndb/engine';
import { type ImportedRow, ImportReader } from './import-reader.ts';

/** Imports hold their rows in memory: one at a time is what people do. */
const MAX_SESSIONS = 2;
interface Put {
  readonly type: 'put';
  readonly collection: string;
  readonly partition: string;
  readonly entities: Readonly<Record<string, unknown>>[];
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
   * One write of the engine: every row is checked before the first is written, and all become visible and durable together, a crash or not.
   * Rows that are here already, as new or newer, stay as they are.
   */
  async commit(importId: string): Promise<{ entities: number }> {
    const rows = this.#reader(importId).finish();
    this.close(importId);
    const requests = this.#puts(this.#newer(rows));
    if (requests.length > 0) await this.#engine.writeAll(requests).durable;
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

  #puts(rows: readonly ImportedRow[]): readonly Put[] {
    const puts = new Map<string, Put>();
    for (const { collection, partition, entity } of rows) {
      const place = `${collection}/${partition}`;
      let put = puts.get(place);
      if (put === undefined) {
        put = { type: 'put', collection, partition, entities: [] };
        puts.set(place, put);
      }
      put.entities.push(entity);
    }
    return [...puts.values()];
  }

  /** Those that are not here, or older. */
  #newer(rows: readonly ImportedRow[]): readonly ImportedRow[] {
    const views = new Map<string, readonly PartitionView[]>();
    try {
      return rows.filter(({ collection, partition, version, entity }) => {
        let places = views.get(collection);
        if (places === undefined) {
          places = this.#engine.views(collection);
          views.set(collection, places);
        }
        const { name } = this.#engine.definition(collection).fields.find((field) => field.type === 'primaryKey')!;
        const found = places.find((place) => place.partition === partition)?.view.find(entity[name] as PrimaryKey);
        return found === undefined || found.block.versionAt(found.offset) < version;
      });
    } finally {
      for (const { view } of [...views.values()].flat()) view.release();
    }
  }
}
