import {
  compareDefinitions,
  crc32c,
  DbError,
  type JsonValue,
  type SchemaDefinition,
  schemaConflict,
  schemaFromDefinition,
} from '@terndb/core';
import { decodeValue, EXPORT_VERSION, type ExportEnd, type ExportHeader, type ExportRow, formatInvalid, MAX_LINE_BYTES } from './format.ts';

export interface ImportedRow {
  readonly collection: string;
  readonly partition: string;
  /** The newest stamp of the exported row. */
  readonly version: number;
  readonly entity: Readonly<Record<string, unknown>>;
}

const LINE_FEED = 10;
/** `{"end":` as every last line begins and no other does. */
const END = /^\{"end":/;

/** Reads an export piece by piece. Holds the rows until the end: nothing counts before the checksum is seen to be right. */
export class ImportReader {
  readonly #schema: SchemaDefinition;
  readonly #rows: ImportedRow[] = [];
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** What came of a line that has not ended. */
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  #line = 0;
  #checksum = 0;
  #header: ExportHeader | undefined;
  #ended = false;

  constructor(schema: SchemaDefinition) {
    this.#schema = schema;
  }

  /** @throws FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED, CHECKSUM_MISMATCH, SCHEMA_CONFLICT */
  push(bytes: Uint8Array): void {
    let start = 0;
    for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, start)) {
      this.#take(this.#restBytes === 0 ? bytes.subarray(start, at + 1) : concat([...this.#rest, bytes.subarray(start, at + 1)]));
      this.#rest = [];
      this.#restBytes = 0;
      start = at + 1;
    }
    if (start < bytes.byteLength) this.#rest.push(bytes.slice(start));
    this.#restBytes += bytes.byteLength - start;
    if (this.#restBytes > MAX_LINE_BYTES) throw formatInvalid(this.#line + 1, `a line of at most ${MAX_LINE_BYTES} bytes`);
  }

  /** @throws CHECKSUM_MISMATCH when the end is missing. */
  finish(): readonly ImportedRow[] {
    if (!this.#ended || this.#restBytes > 0) {
      throw new DbError('CHECKSUM_MISMATCH', `import: the export ends after line ${this.#line} without its last line`, {
        details: { line: this.#line },
      });
    }
    return this.#rows;
  }

  #take(bytes: Uint8Array): void {
    this.#line++;
    if (this.#ended) throw formatInvalid(this.#line, 'nothing after the last line');
    const text = this.#decode(bytes);
    if (END.test(text)) {
      this.#takeEnd(this.#parse(text) as unknown as ExportEnd);
      return;
    }
    this.#checksum = crc32c(bytes, this.#checksum);
    const line = this.#parse(text);
    if (this.#header === undefined) this.#takeHeader(line as unknown as ExportHeader);
    else this.#takeRow(line as unknown as ExportRow);
  }

  #takeHeader(header: ExportHeader): void {
    if (header.terndb !== 'export') throw formatInvalid(1, 'the header of a Tern export');
    if (header.version !== EXPORT_VERSION) {
      throw new DbError('FORMAT_VERSION_UNSUPPORTED', `import: version ${EXPORT_VERSION} expected, got ${String(header.version)}`);
    }
    const named: unknown = header.collections;
    if (!Array.isArray(named) || !named.every((name) => typeof name === 'string'))
      throw formatInvalid(1, 'the names of the exported collections');
    const exported = schemaFromDefinition(header.schema).definition;
    const collections = Object.fromEntries(header.collections.map((name) => [name, this.#collection(name, exported)]));
    // What was exported must fit into what is here: the same, or additions since.
    const difference = compareDefinitions(
      { ...exported, collections },
      { ...this.#schema, collections: pick(this.#schema, header.collections) },
    );
    if (difference.type === 'older' || difference.type === 'conflict') throw schemaConflict(difference);
    this.#header = header;
  }

  #collection(name: string, exported: SchemaDefinition): SchemaDefinition['collections'][string] {
    const definition = Object.hasOwn(exported.collections, name) ? exported.collections[name] : undefined;
    if (definition === undefined) throw formatInvalid(1, `a schema with collection ${name}`);
    if (!Object.hasOwn(this.#schema.collections, name)) throw unknownCollection(name);
    return definition;
  }

  #takeRow({ c, p, v, e }: ExportRow): void {
    const whole = typeof c === 'string' && typeof p === 'string' && typeof v === 'number' && typeof e === 'object' && e !== null;
    if (!whole || !this.#header!.collections.includes(c)) throw formatInvalid(this.#line, 'an entity of an exported collection');
    const entity: Record<string, unknown> = {};
    for (const field of this.#schema.collections[c]!.fields) {
      if (Object.hasOwn(e, field.name)) entity[field.name] = decodeValue(field, e[field.name]!);
    }
    this.#rows.push({ collection: c, partition: p, version: v, entity });
  }

  #takeEnd({ entities, crc32c: expected }: ExportEnd): void {
    const got = this.#checksum.toString(16).padStart(8, '0');
    if (entities !== this.#rows.length || expected !== got) {
      const message = `import: ${entities} entities with checksum ${expected} expected, got ${this.#rows.length} with ${got}`;
      throw new DbError('CHECKSUM_MISMATCH', message, { details: { expected: String(expected), got } });
    }
    this.#ended = true;
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      throw formatInvalid(this.#line, 'UTF-8');
    }
  }

  #parse(text: string): Readonly<Record<string, JsonValue>> {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, JsonValue>>;
    } catch {
      // Said below.
    }
    throw formatInvalid(this.#line, 'a JSON object');
  }
}

function pick(schema: SchemaDefinition, names: readonly string[]): SchemaDefinition['collections'] {
  return Object.fromEntries(names.map((name) => [name, schema.collections[name]!]));
}

function unknownCollection(name: string): DbError {
  return new DbError('SCHEMA_CONFLICT', `import: collection ${name} is not in the schema`, { details: { collection: name } });
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.byteLength;
  }
  return all;
}
