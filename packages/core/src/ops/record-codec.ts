import type { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { assert, assertNever } from '../errors/assert.ts';
import { asTimestamp } from '../time/hlc.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { StoredFields, StoredValue } from '../value/value.ts';
import type { BatchOp, GcRecord, LogRecord, Op, OpRecord, SingleOp, VectorOp, YjsOp } from './op.ts';
import { StringTableReader, StringTableWriter } from './string-table.ts';
import { readKey, readValue, writeKey, writeValue } from './value-codec.ts';

/**
 * Records inside frames, version 2 (the version is the frame's). `name` is a text of the frame's string table, `key` and `value` as in
 * value-codec.ts, numbers are varints. One type byte, then:
 *   1 op      name clientId, seq, signed difference of hlc from the op before in the frame (from 0 for the first), name author, schemaVersion, op
 *   2 reject  name clientId, seq, name code, name author (version 1: no author)
 *   3 gc      floor, u8 1 if expiredBefore follows else 0, expiredBefore
 *   4 expire  name clientId
 *   5 op that was queued again: name origin.clientId, origin.seq, then as 1 (from version 2 on)
 * op, one type byte, then:
 *   1 put     key, u8 create (0 or 1), fields
 *   2 patch   key, fields
 *   3 delete  key
 *   4 yjs     key, name field, name base.clientId, base.seq, length and bytes of the update
 *   5 vector  key, name field, name model, 16 bytes sourceHash, dim, dim * f32
 *   6 batch   count, count * op other than a batch
 * fields: count, count * { name, value }, in the order of the writer, no name twice.
 */
const RECORD = { op: 1, reject: 2, gc: 3, expire: 4, opAgain: 5 } as const;
const OP = { put: 1, patch: 2, delete: 3, yjs: 4, vector: 5, batch: 6 } as const;
const SOURCE_HASH_BYTES = 16;
/** The only name a plain object cannot hold as data. Schemas refuse it; this is for damaged bytes. */
const UNUSABLE_NAME = '__proto__';

/** What the records of one frame share. */
export class RecordWriter {
  readonly writer: ByteWriter;
  readonly #names = new StringTableWriter();
  #hlc = 0;

  constructor(writer: ByteWriter) {
    this.writer = writer;
  }

  name(text: string): void {
    this.#names.write(this.writer, text);
  }

  hlc(hlc: Timestamp): void {
    this.writer.varInt(asTimestamp(hlc) - this.#hlc);
    this.#hlc = hlc;
  }
}

export class RecordReader {
  readonly reader: ByteReader;
  /** Of the frame. */
  readonly version: number;
  readonly #names = new StringTableReader();
  #hlc = 0;

  constructor(reader: ByteReader, version: number) {
    this.reader = reader;
    this.version = version;
  }

  name(): string {
    return this.#names.read(this.reader);
  }

  hlc(): Timestamp {
    this.#hlc = readTimestamp(this.reader, this.#hlc + this.reader.varInt());
    return this.#hlc as Timestamp;
  }
}

function readTimestamp(reader: ByteReader, value: number): Timestamp {
  if (!Number.isSafeInteger(value) || value < 0) throw reader.invalid(`${value} is no timestamp`);
  return value as Timestamp;
}

function writeSeq(out: RecordWriter, seq: number): void {
  assert(Number.isSafeInteger(seq) && seq >= 1, () => `seq: an integer from 1 expected, got ${seq}`);
  out.writer.varUint(seq);
}

function readSeq(reader: ByteReader): number {
  const seq = reader.varUint();
  if (seq === 0) throw reader.invalid('seq 0: they count from 1');
  return seq;
}

function readFlag(reader: ByteReader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw reader.invalid(`flag ${flag}: 0 or 1 expected`);
  return flag === 1;
}

export function writeRecord(out: RecordWriter, record: LogRecord): void {
  out.writer.u8(record.type === 'op' && record.origin !== undefined ? RECORD.opAgain : RECORD[record.type]);
  switch (record.type) {
    case 'op':
      writeOpRecord(out, record);
      break;
    case 'reject':
      out.name(record.clientId);
      writeSeq(out, record.seq);
      out.name(record.code);
      out.name(record.author);
      break;
    case 'gc':
      writeGc(out, record);
      break;
    case 'expire':
      out.name(record.clientId);
      break;
    default:
      assertNever(record, 'record');
  }
}

export function readRecord(input: RecordReader): LogRecord {
  const { reader } = input;
  const type = reader.u8();
  switch (type) {
    case RECORD.op:
      return readOpRecord(input);
    case RECORD.opAgain: {
      if (input.version < 2) break;
      const origin = { clientId: input.name(), seq: readSeq(reader) };
      return { ...readOpRecord(input), origin };
    }
    case RECORD.reject: {
      const refused = { type: 'reject', clientId: input.name(), seq: readSeq(reader), code: input.name() } as const;
      return { ...refused, author: input.version < 2 ? '' : input.name() };
    }
    case RECORD.gc:
      return readGc(reader);
    case RECORD.expire:
      return { type: 'expire', clientId: input.name() };
  }
  throw reader.invalid(`unknown record type ${type}`);
}

function writeOpRecord(out: RecordWriter, record: OpRecord): void {
  if (record.origin !== undefined) {
    out.name(record.origin.clientId);
    writeSeq(out, record.origin.seq);
  }
  out.name(record.clientId);
  writeSeq(out, record.seq);
  out.hlc(record.hlc);
  out.name(record.author);
  out.writer.varUint(record.schemaVersion);
  writeOp(out, record.op);
}

function readOpRecord(input: RecordReader): OpRecord {
  const clientId = input.name();
  const seq = readSeq(input.reader);
  const hlc = input.hlc();
  const author = input.name();
  const schemaVersion = input.reader.varUint();
  return { type: 'op', clientId, seq, hlc, author, schemaVersion, op: readOp(input) };
}

function writeGc({ writer }: RecordWriter, record: GcRecord): void {
  writer.varUint(asTimestamp(record.floor));
  writer.u8(record.expiredBefore === undefined ? 0 : 1);
  if (record.expiredBefore !== undefined) writer.varUint(asTimestamp(record.expiredBefore));
}

function readGc(reader: ByteReader): GcRecord {
  const floor = readTimestamp(reader, reader.varUint());
  if (!readFlag(reader)) return { type: 'gc', floor };
  return { type: 'gc', floor, expiredBefore: readTimestamp(reader, reader.varUint()) };
}

function writeOp(out: RecordWriter, op: Op): void {
  if (op.type !== 'batch') {
    writeSingleOp(out, op);
    return;
  }
  out.writer.u8(OP.batch);
  out.writer.varUint(op.ops.length);
  for (const single of op.ops) writeSingleOp(out, single);
}

function readOp(input: RecordReader): Op {
  const type = input.reader.u8();
  return type === OP.batch ? readBatch(input) : readSingleOp(input, type);
}

function readBatch(input: RecordReader): BatchOp {
  const count = input.reader.count('ops of a batch', 2);
  const ops: SingleOp[] = [];
  for (let index = 0; index < count; index++) ops.push(readSingleOp(input, input.reader.u8()));
  return { type: 'batch', ops };
}

function writeSingleOp(out: RecordWriter, op: SingleOp): void {
  const { writer } = out;
  writer.u8(OP[op.type]);
  writeKey(writer, op.pk);
  switch (op.type) {
    case 'put':
      writer.u8(op.create ? 1 : 0);
      writeFields(out, op.fields);
      break;
    case 'patch':
      writeFields(out, op.fields);
      break;
    case 'delete':
      break;
    case 'yjs':
      writeYjs(out, op);
      break;
    case 'vector':
      writeVectorOp(out, op);
      break;
    default:
      assertNever(op, 'op');
  }
}

function readSingleOp(input: RecordReader, type: number): SingleOp {
  const { reader } = input;
  switch (type) {
    case OP.put:
      return { type: 'put', pk: readKey(reader), create: readFlag(reader), fields: readFields(input) };
    case OP.patch:
      return { type: 'patch', pk: readKey(reader), fields: readFields(input) };
    case OP.delete:
      return { type: 'delete', pk: readKey(reader) };
    case OP.yjs:
      return readYjs(input);
    case OP.vector:
      return readVectorOp(input);
    default:
      throw reader.invalid(`unknown op type ${type}`);
  }
}

function writeYjs(out: RecordWriter, op: YjsOp): void {
  out.name(op.field);
  out.name(op.base.clientId);
  writeSeq(out, op.base.seq);
  out.writer.varUint(op.update.length);
  out.writer.bytes(op.update);
}

function readYjs(input: RecordReader): YjsOp {
  const { reader } = input;
  const pk = readKey(reader);
  const field = input.name();
  const base = { clientId: input.name(), seq: readSeq(reader) };
  return { type: 'yjs', pk, field, base, update: reader.copyBytes(reader.varUint()) };
}

function writeVectorOp(out: RecordWriter, op: VectorOp): void {
  assert(op.sourceHash.length === SOURCE_HASH_BYTES, () => `source hash: ${SOURCE_HASH_BYTES} bytes expected, got ${op.sourceHash.length}`);
  out.name(op.field);
  out.name(op.model);
  out.writer.bytes(op.sourceHash);
  out.writer.varUint(op.vector.length);
  out.writer.bytes(new Uint8Array(op.vector.buffer, op.vector.byteOffset, op.vector.byteLength));
}

function readVectorOp(input: RecordReader): VectorOp {
  const { reader } = input;
  const pk = readKey(reader);
  const field = input.name();
  const model = input.name();
  const sourceHash = reader.copyBytes(SOURCE_HASH_BYTES);
  return { type: 'vector', pk, field, model, sourceHash, vector: reader.float32Array(reader.varUint()) };
}

function writeFields(out: RecordWriter, fields: StoredFields): void {
  const names = Object.keys(fields);
  out.writer.varUint(names.length);
  for (const name of names) {
    out.name(name);
    writeValue(out.writer, fields[name]!);
  }
}

function readFields(input: RecordReader): StoredFields {
  const { reader } = input;
  const count = reader.count('fields', 2);
  const fields: Record<string, StoredValue> = {};
  for (let index = 0; index < count; index++) {
    const name = input.name();
    if (name === UNUSABLE_NAME || Object.hasOwn(fields, name)) throw reader.invalid(`field ${JSON.stringify(name)} cannot be here`);
    fields[name] = readValue(reader);
  }
  return fields;
}

/** Bytes that an op takes in a frame of its own, names included: what limits on ops are measured with. Cost: that of encoding it. */
export function encodedOpBytes(op: Op): number {
  const writer = new ByteWriter();
  writeOp(new RecordWriter(writer), op);
  return writer.length;
}
