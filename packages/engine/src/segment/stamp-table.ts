import type { Stamp, Timestamp } from '@terndb/core';
import { asUint16 } from '../bytes/typed-views.ts';
import { type Codes, decodeCodes } from './codes.ts';
import { type HeaderField, NO_FIELD, SECTION, type SegmentHeader } from './format.ts';
import type { Sections } from './sections.ts';
import { decodeStrings } from './strings.ts';
import type { FieldStamp } from './types.ts';

/** The put stamps of a segment's rows and the field stamps newer than them. */
export class StampTable {
  readonly #clients: readonly string[];
  readonly #timestamps: Float64Array;
  readonly #putClients: Codes;
  readonly #exceptions: Exceptions | undefined;
  #oldestPut: number | undefined;

  constructor(sections: Sections, header: SegmentHeader) {
    const offsets = sections.freeOffsets(SECTION.CLIENT_OFFSETS, NO_FIELD);
    const bytes = sections.bytes(SECTION.CLIENT_VALUES, NO_FIELD, offsets[offsets.length - 1]);
    this.#clients = decodeStrings(offsets, bytes, `${sections.what} client ids`);
    this.#timestamps = checkTimestamps(sections.float64(SECTION.PUT_TIMESTAMPS, NO_FIELD, header.rows), sections);
    this.#putClients = decodeCodes(
      sections.bytes(SECTION.PUT_CLIENTS, NO_FIELD),
      header.rows,
      this.#clients.length,
      `${sections.what} put stamps`,
    );
    this.#exceptions = sections.has(SECTION.EXCEPTION_OFFSETS, NO_FIELD)
      ? readExceptions(sections, header, this.#clients.length)
      : undefined;
  }

  putAt(offset: number): Stamp {
    return { hlc: this.#timestamps[offset] as Timestamp, clientId: this.#clients[this.#putClients[offset]!]! };
  }

  putTimeAt(offset: number): Timestamp {
    return this.#timestamps[offset] as Timestamp;
  }

  get oldestPut(): number {
    this.#oldestPut ??= this.#timestamps.reduce((oldest, put) => Math.min(oldest, put), Number.POSITIVE_INFINITY);
    return this.#oldestPut;
  }

  exceptionsAt(offset: number): readonly FieldStamp[] {
    const exceptions = this.#exceptions;
    if (exceptions === undefined) return NO_STAMPS;
    const from = exceptions.offsets[offset]!;
    const to = exceptions.offsets[offset + 1]!;
    if (from === to) return NO_STAMPS;
    const stamps: FieldStamp[] = [];
    for (let index = from; index < to; index++) {
      const stamp = { hlc: exceptions.timestamps[index] as Timestamp, clientId: this.#clients[exceptions.clients[index]!]! };
      stamps.push({ field: exceptions.names[exceptions.fields[index]!]!.name, stamp });
    }
    return stamps;
  }

  newestAt(offset: number): Timestamp {
    let newest = this.#timestamps[offset]!;
    const exceptions = this.#exceptions;
    if (exceptions !== undefined) {
      for (let index = exceptions.offsets[offset]!; index < exceptions.offsets[offset + 1]!; index++)
        newest = Math.max(newest, exceptions.timestamps[index]!);
    }
    return newest as Timestamp;
  }
}

const NO_STAMPS: readonly FieldStamp[] = Object.freeze([]);

interface Exceptions {
  readonly offsets: Uint32Array;
  readonly names: readonly HeaderField[];
  readonly fields: Uint16Array;
  readonly timestamps: Float64Array;
  readonly clients: Uint32Array;
}

function readExceptions(sections: Sections, header: SegmentHeader, clients: number): Exceptions {
  const offsets = sections.offsets(SECTION.EXCEPTION_OFFSETS, NO_FIELD, header.rows);
  const count = offsets[header.rows]!;
  const fields = asUint16(sections.bytes(SECTION.EXCEPTION_FIELDS, NO_FIELD, count * 2));
  const timestamps = checkTimestamps(sections.float64(SECTION.EXCEPTION_TIMESTAMPS, NO_FIELD, count), sections);
  const indexes = sections.uint32(SECTION.EXCEPTION_CLIENTS, NO_FIELD, count);
  for (let index = 0; index < count; index++) {
    if (fields[index]! >= header.fields.length || indexes[index]! >= clients)
      throw sections.invalid(`field stamp ${index} names no field or client`);
  }
  return { offsets, names: header.fields, fields, timestamps, clients: indexes };
}

function checkTimestamps(timestamps: Float64Array, sections: Sections): Float64Array {
  for (let index = 0; index < timestamps.length; index++) {
    if (!Number.isSafeInteger(timestamps[index]) || timestamps[index]! < 0)
      throw sections.invalid(`timestamp ${index}: a safe integer expected, got ${timestamps[index]}`);
  }
  return timestamps;
}
