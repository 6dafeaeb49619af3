import type { Kind } from '@terndb/core';
import { bitmapWords, countBits, isWithinRows } from '../bitmap/bitmap.ts';
import type { Column, ListColumn, Validity } from '../columns/column.ts';
import { decodeCodes } from './codes.ts';
import { elementTypeOf, type HeaderField, SECTION } from './format.ts';
import type { Sections } from './sections.ts';
import { decodeStrings } from './strings.ts';

/** A field's column over its sections, whose bytes it keeps. Every length and offset is checked, so that reading a row cannot go wrong. */
export function readColumn(sections: Sections, field: HeaderField, index: number, rows: number): Column {
  const validity = readValidity(sections, index, rows);
  switch (field.type) {
    case 'text':
    case 'collabText':
    case 'json':
      return { kind: 'string', ...readBytes(sections, index, rows), validity };
    case 'collab':
    case 'binaryVector':
      return { kind: 'bytes', ...readBytes(sections, index, rows), validity };
    case 'array':
      return readList(sections, field, index, { rows, validity });
    case 'sparseVector':
      return readSparse(sections, index, rows, validity);
    case 'vector':
      return { kind: 'vector', dim: field.detail, elements: field.elements ?? 'float32', validity };
    default:
      return { ...readScalars(sections, field.type, index, rows), validity };
  }
}

function readValidity(sections: Sections, index: number, rows: number): Validity {
  if (!sections.has(SECTION.VALIDITY, index)) return null;
  const words = sections.uint32(SECTION.VALIDITY, index, bitmapWords(rows));
  if (!isWithinRows(words, rows) || countBits(words) === rows)
    throw sections.invalid(`field ${index}: the validity bitmap does not fit ${rows} rows`);
  return words;
}

function readBytes(sections: Sections, index: number, rows: number): { offsets: Uint32Array; bytes: Uint8Array } {
  const offsets = sections.offsets(SECTION.OFFSETS, index, rows);
  return { offsets, bytes: sections.bytes(SECTION.VALUES, index, offsets[rows]) };
}

function readList(sections: Sections, field: HeaderField, index: number, column: { rows: number; validity: Validity }): ListColumn {
  const type = elementTypeOf(field);
  const offsets = sections.offsets(SECTION.OFFSETS, index, column.rows);
  if (type === undefined) throw sections.invalid(`field ${field.name}: unknown element type ${field.detail}`);
  return { kind: 'list', offsets, items: readScalars(sections, type, index, offsets[column.rows]!), validity: column.validity };
}

function readSparse(sections: Sections, index: number, rows: number, validity: Validity): Column {
  const offsets = sections.offsets(SECTION.OFFSETS, index, rows);
  const items = offsets[rows]!;
  const indices = sections.uint32(SECTION.SPARSE_INDICES, index, items);
  return { kind: 'sparse', offsets, indices, values: sections.float32(SECTION.VALUES, index, items), validity };
}

function readScalars(sections: Sections, type: Kind, index: number, count: number): ListColumn['items'] {
  if (type === 'number' || type === 'date')
    return { kind: 'number', values: sections.float64(SECTION.VALUES, index, count), validity: null };
  if (type === 'int64') return { kind: 'int64', values: sections.bigInt64(SECTION.VALUES, index, count), validity: null };
  if (type === 'boolean') return { kind: 'boolean', values: sections.bytes(SECTION.VALUES, index, count), validity: null };
  if (type === 'keyword') return readKeywords(sections, index, count);
  throw sections.invalid(`field ${index}: ${type} is not a scalar`);
}

function readKeywords(sections: Sections, index: number, count: number): ListColumn['items'] {
  const offsets = sections.freeOffsets(SECTION.DICTIONARY_OFFSETS, index);
  const size = offsets.length - 1;
  const dictionary = decodeStrings(
    offsets,
    sections.bytes(SECTION.DICTIONARY_VALUES, index, offsets[size]),
    `${sections.what} dictionary of field ${index}`,
  );
  const codes = decodeCodes(sections.bytes(SECTION.CODES, index), count, size, `${sections.what} field ${index}`);
  return { kind: 'keyword', codes: codes instanceof Uint32Array ? codes : Uint32Array.from(codes), dictionary, validity: null };
}
