import { crc32c, DbError, type FieldDefinition, type JsonValue, type SchemaDefinition } from '@terndb/core';
import type { Engine, PartitionView, RowBlock } from '@terndb/engine';
import { EXPORT_VERSION, type ExportEnd, type ExportHeader, type ExportRow, encodeValue } from './format.ts';

export interface ExportPage {
  /** Whole lines. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly done: boolean;
}

/** About so many bytes per page: a few milliseconds of work between two turns of the worker's loop. */
const PAGE_BYTES = 256 * 1024;
/** Exports pin views. One that nobody finishes must not do so for ever: the oldest goes. */
const MAX_SESSIONS = 4;

interface Session {
  readonly views: readonly PartitionView[];
  readonly lines: Iterator<string>;
  checksum: number;
  entities: number;
  done: boolean;
}

/** Exports under way. Each pins the views of all its collections when it begins, so that it shows one state. */
export class ExportSessions {
  readonly #engine: Engine;
  readonly #sessions = new Map<string, Session>();
  #next = 1;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws COLLECTION_UNKNOWN */
  open({ collections }: { readonly collections?: readonly string[] | undefined }): { exportId: string; entities: number } {
    const names = collections ?? Object.keys(this.#engine.schema.collections);
    for (const name of names) this.#engine.definition(name);
    const pinned = names.map((name) => ({ name, views: this.#engine.views(name) }));
    const views = pinned.flatMap(({ views }) => views);
    const session: Session = { views, lines: linesOf(this.#engine.schema, pinned), checksum: 0, entities: 0, done: false };
    const exportId = `${this.#next++}`;
    this.#sessions.set(exportId, session);
    if (this.#sessions.size > MAX_SESSIONS) this.close(this.#sessions.keys().next().value!);
    return { exportId, entities: views.reduce((sum, { view }) => sum + view.liveRows, 0) };
  }

  /** @throws ABORTED when the export ended meanwhile (too many at once, or another tab runs the engine now). */
  page(exportId: string): ExportPage {
    const session = this.#sessions.get(exportId);
    if (session === undefined) throw new DbError('ABORTED', `export ${exportId}: ended before it was complete; begin again`);
    let text = '';
    while (text.length < PAGE_BYTES && !session.done) {
      const { value, done } = session.lines.next();
      if (done) session.done = true;
      else text += value;
    }
    const body = new TextEncoder().encode(text);
    session.checksum = crc32c(body, session.checksum);
    session.entities += text.split('\n').length - 1;
    if (!session.done) return { bytes: body, done: false };
    // The first line is the header.
    const end: ExportEnd = { end: true, entities: session.entities - 1, crc32c: session.checksum.toString(16).padStart(8, '0') };
    const last = new TextEncoder().encode(`${JSON.stringify(end)}\n`);
    const bytes = new Uint8Array(body.byteLength + last.byteLength);
    bytes.set(body);
    bytes.set(last, body.byteLength);
    return { bytes, done: true };
  }

  close(exportId: string): void {
    for (const { view } of this.#sessions.get(exportId)?.views ?? []) view.release();
    this.#sessions.delete(exportId);
  }

  closeAll(): void {
    for (const exportId of [...this.#sessions.keys()]) this.close(exportId);
  }
}

function* linesOf(
  schema: SchemaDefinition,
  pinned: readonly { readonly name: string; readonly views: readonly PartitionView[] }[],
): Generator<string> {
  const header: ExportHeader = { terndb: 'export', version: EXPORT_VERSION, schema, collections: pinned.map(({ name }) => name) };
  yield `${JSON.stringify(header)}\n`;
  for (const { name, views } of pinned) {
    for (const { partition, view } of views) {
      for (const block of view.blocks) {
        for (let offset = 0; offset < block.rows; offset++) {
          if (((block.live[offset >>> 5]! >>> (offset & 31)) & 1) === 0) continue;
          const row: ExportRow = { c: name, p: partition, v: block.versionAt(offset), e: entityAt(view.definition.fields, block, offset) };
          yield `${JSON.stringify(row)}\n`;
        }
      }
    }
  }
}

function entityAt(fields: readonly FieldDefinition[], block: RowBlock, offset: number): Record<string, JsonValue> {
  const entity: Record<string, JsonValue> = {};
  for (const field of fields) {
    // Without what it was made from a derived vector would count as given by the application: it is derived again where it arrives.
    if (field.type === 'vector' && (block.origins?.(field.name)?.originAt(offset) ?? null) !== null) continue;
    const stored = field.type === 'primaryKey' ? block.keyAt(offset) : block.valueAt(field.name, offset);
    const value = encodeValue(field, stored);
    if (value !== undefined) entity[field.name] = value;
  }
  return entity;
}
