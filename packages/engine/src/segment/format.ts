import {
  ByteReader,
  ByteWriter,
  type CollectionDefinition,
  crc32c,
  type FieldDefinition,
  type Kind,
  type Timestamp,
  type VectorElements,
  valueFieldsOf,
} from '@terndb/core';
import { checksumMismatch, formatInvalid, versionUnsupported } from '../bytes/damage.ts';
import { alignUp, SECTION_ALIGNMENT } from '../bytes/typed-views.ts';

/**
 * Segment file, version 3: the sealed rows of one channel, ascending by primary key (strings by UTF-16 code units), so that an offset is a rank.
 * All integers little-endian; varuint and string (varuint length + utf-8) as in lib0. Equal rows give equal bytes.
 *
 *   head
 *     0  u32  magic "TSG1"        4  u8  version       5  u8 zero, u16 zero
 *     8  u32  length of the head, a multiple of 64     12  u32  crc32c of the head with this field zero
 *    16  u32  sections            20  u32  length of the header record
 *    24  f64  length of the file  32  32 zero bytes
 *    64  sections * { u16 kind; u16 field; u32 crc32c of the section and its padding; f64 offset; f64 length }
 *        header record { string channel, schema hash; varuint schema version; u8 key type (0 int64, 1 varchar);
 *          varuint rows, min position, max position, upTo, max timestamp; string key field;
 *          varuint fields; fields * { string name; u8 type; varuint detail (vectors: dim; arrays: element type) } }
 *        zero bytes up to a multiple of 64
 *   sections, in the order of the table, each at a multiple of 64 and followed by zero bytes up to the next; nothing between them
 *     `field` is the index in the header's fields, or 0xffff. What each kind holds: SECTION. Bulk (dense vectors) comes last before the
 *     footer, so that everything else is one range.
 *   footer, the last section: u32 hash low, u32 hash high (R13: sum of the rows' hashes); the key's statistics, then each field's, as
 *     { varuint nulls; varuint distinct + 1, 0 for not counted; scalar min; scalar max }
 *     scalar: u8 0 none | 1 f64 | 2 i64 | 3 string | 4 u8 boolean
 *
 * Id: the first 16 bytes of sha256(head, footer) in hex. The head holds every section's checksum and length, the footer the sum of the rows'
 * 64-bit hashes over keys and stamps, and a row's stamps name the ops that made it: equal ids mean equal rows.
 * History: 1 first version. 2 adds ORIGIN_* (what derived vectors were made from), PUT_SEQS and the `$meta` field (dynamic fields as canonical JSON,
 * a json column of that name, which no declared field can have); a file without them differs in its version only. 3 adds COLLAB_* (documents of collab
 * text that was edited) and dense vectors of other elements than float32; a file without them is written as version 2. Reads: 1, 2, 3. Unknown version -> FORMAT_VERSION_UNSUPPORTED, damage -> CHECKSUM_MISMATCH or FORMAT_INVALID.
 */
export const SEGMENT_MAGIC = 0x31475354;
export const SEGMENT_VERSION = 3;
/** Of files without what came later: what older readers can read is written so that they do. */
const VERSION_WITHOUT_LATER = 2;
const OLDEST_VERSION = 1;
export const FIXED_HEAD_BYTES = 64;
const TABLE_ENTRY_BYTES = 24;
const CHECKSUM_AT = 12;
/** Field of sections that belong to no field. */
export const NO_FIELD = 0xffff;
/** Offsets are used as array indexes and in bitmaps; the design's segments have at most a million rows. */
export const MAX_SEGMENT_ROWS: number = 2 ** 24;

/** Section kinds. `n` rows; offsets have n + 1 entries, ascending from 0, the last one the length of what they cut. */
export const SECTION = {
  /** Varchar keys: u32 offsets into KEY_VALUES. */
  KEY_OFFSETS: 1,
  /** Int64 keys: n i64. Varchar keys: utf-8. */
  KEY_VALUES: 2,
  /** u32 words of the bloom filter over the keys (segment/bloom.ts). */
  KEY_BLOOM: 3,
  /** Client ids that the stamps name, ascending: u32 offsets, utf-8. */
  CLIENT_OFFSETS: 4,
  CLIENT_VALUES: 5,
  /** n f64 timestamps; n client indexes of 1, 2 or 4 bytes, whichever is the smallest that fits. */
  PUT_TIMESTAMPS: 6,
  PUT_CLIENTS: 7,
  /** Field stamps newer than the put, only when there are any: u32 offsets; per stamp u16 field, f64 timestamp, u32 client. By field within a row. */
  EXCEPTION_OFFSETS: 8,
  EXCEPTION_FIELDS: 9,
  EXCEPTION_TIMESTAMPS: 10,
  EXCEPTION_CLIENTS: 11,
  /** n f64: `seq` of the record that put the row, the base of its collab fields. Only where the collection has such fields. */
  PUT_SEQS: 12,
  /** u32 words, bit set: the row has a value. Only when a row has none. */
  VALIDITY: 16,
  /** Text, bytes, lists and sparse vectors: u32 offsets. */
  OFFSETS: 17,
  /** Text: utf-8. Bytes. Number, date: f64. Int64: i64. Boolean: u8 0 or 1. Sparse vectors: f32 weights. Lists: the items of all rows. Null rows: zero. */
  VALUES: 18,
  /** Keywords, and lists of them: indexes into the dictionary of 1, 2 or 4 bytes, whichever is the smallest that fits. */
  CODES: 19,
  /** The distinct strings, ascending by code units: u32 offsets, utf-8. */
  DICTIONARY_OFFSETS: 20,
  DICTIONARY_VALUES: 21,
  /** Sparse vectors: u32 dimensions, ascending within a row. */
  SPARSE_INDICES: 22,
  /** Derived vectors, only when there are any: model ids, ascending by code units: u32 offsets, utf-8. */
  ORIGIN_MODEL_OFFSETS: 23,
  ORIGIN_MODEL_VALUES: 24,
  /** Index of the model plus 1, 0 where the vector is not derived, of 1, 2 or 4 bytes; n * 16 bytes: hash of the source text, zero where there is none. */
  ORIGIN_CODES: 25,
  ORIGIN_HASHES: 26,
  /** Collab text, only when a row was edited since its put: u32 offsets; merged Yjs updates (v1), empty where there is none. */
  COLLAB_OFFSETS: 27,
  COLLAB_VALUES: 28,
  /** Dense vectors: n * dim elements (f32, or by the field's type code 2-byte halves or i8), row-major, null rows zero. Missing when no row has one. */
  VECTORS: 32,
  FOOTER: 48,
} as const;
export type SectionKind = (typeof SECTION)[keyof typeof SECTION];
const SECTION_KINDS: ReadonlySet<number> = new Set(Object.values(SECTION));

export interface SectionEntry {
  readonly kind: SectionKind;
  readonly field: number;
  readonly checksum: number;
  readonly offset: number;
  readonly length: number;
}

/** Numbers of the field types in the header. */
const TYPE_CODES: Readonly<Record<Kind, number>> = {
  primaryKey: 0,
  text: 1,
  collabText: 2,
  collab: 3,
  keyword: 4,
  int64: 5,
  number: 6,
  boolean: 7,
  date: 8,
  json: 9,
  array: 10,
  vector: 11,
  sparseVector: 12,
  binaryVector: 13,
};
const TYPES_BY_CODE: ReadonlyMap<number, Kind> = new Map(Object.entries(TYPE_CODES).map(([type, code]) => [code, type as Kind]));
/** Dense vectors of other elements have type codes of their own. */
type OtherElements = Exclude<VectorElements, 'float32'>;
const ELEMENT_CODES: Readonly<Record<OtherElements, number>> = { float16: 14, bfloat16: 15, int8: 16 };
const ELEMENTS_BY_CODE: ReadonlyMap<number, OtherElements> = new Map(
  Object.entries(ELEMENT_CODES).map(([elements, code]) => [code, elements as OtherElements]),
);

export interface HeaderField {
  readonly name: string;
  readonly type: Kind;
  /** Dense and binary vectors: dim. Arrays: the element's type code. Else 0. */
  readonly detail: number;
  /** Of dense vectors that are not float32. */
  readonly elements?: OtherElements;
}

export interface SegmentHeader {
  readonly channel: string;
  readonly schemaHash: string;
  readonly schemaVersion: number;
  readonly keyType: 'int64' | 'varchar';
  readonly keyField: string;
  readonly rows: number;
  readonly minPosition: number;
  readonly maxPosition: number;
  readonly upTo: number;
  readonly maxHlc: Timestamp;
  readonly fields: readonly HeaderField[];
}

/** The column of dynamic fields. */
export const META_FIELD: FieldDefinition = { name: '$meta', type: 'json', nullable: true, params: {} };

/** The columns of a collection's segments, by name: its fields, and `$meta` where it takes dynamic ones. */
export function segmentFieldsOf(definition: CollectionDefinition): readonly FieldDefinition[] {
  const fields = valueFieldsOf(definition);
  return (definition as { readonly dynamic?: boolean }).dynamic === true ? [META_FIELD, ...fields] : fields;
}

export function hasCollabFields(fields: readonly { readonly type: Kind }[]): boolean {
  return fields.some(({ type }) => type === 'collab' || type === 'collabText');
}

/** The detail a field must have; undefined when only its values say (a vector whose dim is the model's). */
export function detailOf(field: FieldDefinition): number | undefined {
  if (field.type === 'array') return TYPE_CODES[field.params.of.type];
  if (field.type === 'vector') return field.params.dim ?? undefined;
  return field.type === 'binaryVector' ? field.params.dim : 0;
}

function needsNewest(header: SegmentHeader, sections: readonly SectionEntry[]): boolean {
  return header.fields.some(({ elements }) => elements !== undefined) || sections.some(({ kind }) => kind === SECTION.COLLAB_OFFSETS);
}

/** The head of a file whose sections (offsets relative to the end of the head) are given. Its length does not depend on their values. */
export function writeHead(
  header: SegmentHeader,
  sections: readonly SectionEntry[],
): { readonly head: Uint8Array; readonly fileBytes: number } {
  const record = writeHeader(header);
  const headBytes = alignUp(FIXED_HEAD_BYTES + sections.length * TABLE_ENTRY_BYTES + record.length);
  const last = sections[sections.length - 1]!;
  const fileBytes = headBytes + last.offset + alignUp(last.length);
  const head = new Uint8Array(headBytes);
  const view = new DataView(head.buffer);
  view.setUint32(0, SEGMENT_MAGIC, true);
  view.setUint8(4, needsNewest(header, sections) ? SEGMENT_VERSION : VERSION_WITHOUT_LATER);
  view.setUint32(8, headBytes, true);
  view.setUint32(16, sections.length, true);
  view.setUint32(20, record.length, true);
  view.setFloat64(24, fileBytes, true);
  sections.forEach((section, index) => {
    const at = FIXED_HEAD_BYTES + index * TABLE_ENTRY_BYTES;
    view.setUint16(at, section.kind, true);
    view.setUint16(at + 2, section.field, true);
    view.setUint32(at + 4, section.checksum, true);
    view.setFloat64(at + 8, headBytes + section.offset, true);
    view.setFloat64(at + 16, section.length, true);
  });
  head.set(record, FIXED_HEAD_BYTES + sections.length * TABLE_ENTRY_BYTES);
  view.setUint32(CHECKSUM_AT, crc32c(head), true);
  return { head, fileBytes };
}

/** Length of the head, from the file's first 64 bytes. */
export function readHeadBytes(start: Uint8Array, fileBytes: number, what: string): number {
  if (start.length < FIXED_HEAD_BYTES) throw formatInvalid(what, `at least ${FIXED_HEAD_BYTES} bytes expected, got ${start.length}`);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const magic = view.getUint32(0, true);
  if (magic !== SEGMENT_MAGIC) throw formatInvalid(what, `magic ${SEGMENT_MAGIC.toString(16)} expected, got ${magic.toString(16)}`);
  const version = view.getUint8(4);
  if (version < OLDEST_VERSION || version > SEGMENT_VERSION) throw versionUnsupported(what, version, SEGMENT_VERSION);
  const headBytes = view.getUint32(8, true);
  if (headBytes % SECTION_ALIGNMENT !== 0 || headBytes < FIXED_HEAD_BYTES || headBytes > fileBytes) {
    throw formatInvalid(what, `a head of 64 to ${fileBytes} bytes expected, got ${headBytes}`);
  }
  return headBytes;
}

/** Checks and reads a whole head: every section lies where the layout says, inside the file. */
export function readHead(
  head: Uint8Array,
  fileBytes: number,
  what: string,
): { readonly header: SegmentHeader; readonly sections: readonly SectionEntry[] } {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const seed = crc32c(new Uint8Array(4), crc32c(head.subarray(0, CHECKSUM_AT)));
  if (crc32c(head.subarray(CHECKSUM_AT + 4), seed) !== view.getUint32(CHECKSUM_AT, true)) throw checksumMismatch(what, 'the head');
  const stated = view.getFloat64(24, true);
  if (stated !== fileBytes) throw formatInvalid(what, `a file of ${stated} bytes expected, got ${fileBytes}`);
  const count = view.getUint32(16, true);
  const recordBytes = view.getUint32(20, true);
  const recordAt = FIXED_HEAD_BYTES + count * TABLE_ENTRY_BYTES;
  if (alignUp(recordAt + recordBytes) !== head.length)
    throw formatInvalid(what, `a head of ${head.length} bytes does not hold ${count} sections and a header of ${recordBytes} bytes`);
  if (!isZero(head.subarray(5, 8)) || !isZero(head.subarray(32, 64)) || !isZero(head.subarray(recordAt + recordBytes))) {
    throw formatInvalid(what, 'reserved bytes of the head are not zero');
  }
  const header = readHeader(new ByteReader(head.subarray(recordAt, recordAt + recordBytes), what));
  return { header, sections: readTable(view, { count, headBytes: head.length, fileBytes, fields: header.fields.length, what }) };
}

interface TableBounds {
  readonly count: number;
  readonly headBytes: number;
  readonly fileBytes: number;
  readonly fields: number;
  readonly what: string;
}

function readTable(view: DataView, bounds: TableBounds): SectionEntry[] {
  const { what } = bounds;
  const sections: SectionEntry[] = [];
  const seen = new Set<number>();
  let end = bounds.headBytes;
  for (let index = 0; index < bounds.count; index++) {
    const at = FIXED_HEAD_BYTES + index * TABLE_ENTRY_BYTES;
    const kind = view.getUint16(at, true);
    const field = view.getUint16(at + 2, true);
    const checksum = view.getUint32(at + 4, true);
    const offset = view.getFloat64(at + 8, true);
    const length = view.getFloat64(at + 16, true);
    if (!SECTION_KINDS.has(kind) || seen.has(kind * 0x10000 + field))
      throw formatInvalid(what, `section ${index}: kind ${kind} of field ${field} is unknown or doubled`);
    if (field !== NO_FIELD && field >= bounds.fields)
      throw formatInvalid(what, `section ${index}: field ${field} of ${bounds.fields} does not exist`);
    if (offset !== end || !Number.isSafeInteger(length) || length < 0)
      throw formatInvalid(what, `section ${index}: offset ${end} expected, got ${offset} with length ${length}`);
    seen.add(kind * 0x10000 + field);
    sections.push({ kind: kind as SectionKind, field, checksum, offset, length });
    end = offset + alignUp(length);
  }
  if (end !== bounds.fileBytes) throw formatInvalid(what, `sections up to byte ${bounds.fileBytes} expected, they end at ${end}`);
  if (sections[sections.length - 1]?.kind !== SECTION.FOOTER) throw formatInvalid(what, 'the last section is not the footer');
  return sections;
}

function writeHeader(header: SegmentHeader): Uint8Array {
  const writer = new ByteWriter();
  writer.string(header.channel);
  writer.string(header.schemaHash);
  writer.varUint(header.schemaVersion);
  writer.u8(header.keyType === 'int64' ? 0 : 1);
  for (const number of [header.rows, header.minPosition, header.maxPosition, header.upTo, header.maxHlc]) writer.varUint(number);
  writer.string(header.keyField);
  writer.varUint(header.fields.length);
  for (const field of header.fields) {
    writer.string(field.name);
    writer.u8(field.elements === undefined ? TYPE_CODES[field.type] : ELEMENT_CODES[field.elements]);
    writer.varUint(field.detail);
  }
  return writer.toBytes();
}

function readHeader(reader: ByteReader): SegmentHeader {
  const channel = reader.string();
  const schemaHash = reader.string();
  const schemaVersion = reader.varUint();
  const keyType = reader.u8();
  if (keyType > 1) throw reader.invalid(`key type 0 or 1 expected, got ${keyType}`);
  const rows = reader.varUint();
  if (rows > MAX_SEGMENT_ROWS) throw reader.invalid(`at most ${MAX_SEGMENT_ROWS} rows expected, got ${rows}`);
  const minPosition = reader.varUint();
  const maxPosition = reader.varUint();
  const upTo = reader.varUint();
  const maxHlc = reader.varUint() as Timestamp;
  const keyField = reader.string();
  const count = reader.count('fields', 3);
  const fields: HeaderField[] = [];
  const names = new Set([keyField]);
  for (let index = 0; index < count; index++) {
    const field = readField(reader);
    if (names.has(field.name)) throw reader.invalid(`field ${field.name} is named twice`);
    names.add(field.name);
    fields.push(field);
  }
  reader.end();
  return {
    channel,
    schemaHash,
    schemaVersion,
    keyType: keyType === 0 ? 'int64' : 'varchar',
    keyField,
    rows,
    minPosition,
    maxPosition,
    upTo,
    maxHlc,
    fields,
  };
}

function readField(reader: ByteReader): HeaderField {
  const name = reader.string();
  const code = reader.u8();
  const elements = ELEMENTS_BY_CODE.get(code);
  if (elements !== undefined) return { name, type: 'vector', detail: reader.varUint(), elements };
  const type = TYPES_BY_CODE.get(code);
  if (type === undefined || type === 'primaryKey') throw reader.invalid(`field ${name}: unknown type`);
  return { name, type, detail: reader.varUint() };
}

/** The element type of an array field. */
export function elementTypeOf(field: HeaderField): Kind | undefined {
  return TYPES_BY_CODE.get(field.detail);
}

export function isZero(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}
