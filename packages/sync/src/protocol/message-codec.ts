import {
  assert,
  ByteReader,
  ByteWriter,
  DbError,
  decodeFrame,
  encodeFrame,
  type Frame,
  type Hash64,
  type OpRecord,
  ZERO_HASH,
} from '@terndb/core';
import type { Message } from '../protocol.ts';
import { type Fields, type FieldType, MESSAGES, type MessageSchema } from './message-schema.ts';

/**
 * Message, version 1: one message of the sync socket. Integers little-endian, varints and texts as in lib0.
 *   u8 code     message-schema.ts
 *   u8 flags    bit 0: a reader that does not know the code skips the message; the other bits are zero
 *   fields      as message-schema.ts lists them
 * `ops` are a channel frame (core, frame-codec.ts) whose base is the first seq and whose epoch, leader epoch and hash are empty: they have no
 * position yet. All of a `frame` is as the broker keeps it.
 * History: 1 first version. The version is agreed on in `hello` and `welcome`, which never change their first two fields.
 */
const SKIPPABLE = 1;
/** A frame is at most 256 KiB unless one op is larger (512 KiB); with room for the rest. */
export const MAX_MESSAGE_BYTES: number = 1024 * 1024;

type Values = Record<string, unknown>;
const SCHEMA_BY_CODE: ReadonlyMap<number, readonly [type: Message['type'], schema: MessageSchema]> = new Map(
  (Object.entries(MESSAGES) as [Message['type'], MessageSchema][]).map(([type, schema]) => [schema.code, [type, schema]]),
);

/** @returns the bytes of a message, in a fresh buffer. */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const schema = MESSAGES[message.type];
  const writer = new ByteWriter();
  writer.u8(schema.code);
  writer.u8(schema.skippable === true ? SKIPPABLE : 0);
  writeFields(writer, schema.fields, message as unknown as Values);
  return writer.toBytes();
}

/**
 * The way back; shares nothing with `bytes`. Undefined: a message of a newer version that may be skipped.
 * @throws FORMAT_INVALID, CHECKSUM_MISMATCH, FORMAT_VERSION_UNSUPPORTED (a frame), PROTOCOL_INCOMPATIBLE (an unknown message that may not be
 * skipped).
 */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  const reader = new ByteReader(bytes, 'message');
  if (bytes.length > MAX_MESSAGE_BYTES) throw reader.invalid(`at most ${MAX_MESSAGE_BYTES} bytes expected, got ${bytes.length}`);
  const code = reader.u8();
  const flags = reader.u8();
  if (flags > SKIPPABLE) throw reader.invalid(`flags ${flags}: 0 or 1 expected`);
  const found = SCHEMA_BY_CODE.get(code);
  if (found === undefined) {
    if (flags === SKIPPABLE) return undefined;
    throw new DbError('PROTOCOL_INCOMPATIBLE', `message: a known code expected, got ${code}`, { details: { code } });
  }
  const [type, schema] = found;
  const values: Values = { type };
  readFields(reader, schema.fields, values);
  reader.end();
  return values as unknown as Message;
}

function writeFields(writer: ByteWriter, fields: Fields, values: Values): void {
  for (const [name, type] of fields) writeField(writer, type, values[name]);
}

function writeField(writer: ByteWriter, type: FieldType, value: unknown): void {
  if (typeof type === 'string') {
    writePlain(writer, type, value);
  } else if ('optional' in type) {
    writer.u8(value === undefined ? 0 : 1);
    if (value !== undefined) writeField(writer, type.optional, value);
  } else if ('choice' in type) {
    const index = type.choice.indexOf(value as string);
    assert(index >= 0, () => `message: one of ${type.choice.join(', ')} expected, got ${String(value)}`);
    writer.u8(index);
  } else if ('group' in type) {
    writeFields(writer, type.group, value as Values);
  } else {
    const items = value as readonly unknown[];
    writer.varUint(items.length);
    for (const item of items) {
      if ('texts' in type) writer.string(item as string);
      else writeFields(writer, type.list, item as Values);
    }
  }
}

function writePlain(writer: ByteWriter, type: 'u' | 's' | 'h' | 'b' | 'ops' | 'frame', value: unknown): void {
  switch (type) {
    case 'u':
      assert(Number.isSafeInteger(value) && (value as number) >= 0, () => `message: an integer from 0 expected, got ${String(value)}`);
      writer.varUint(value as number);
      break;
    case 's':
      writer.string(value as string);
      break;
    case 'h':
      writer.u32((value as Hash64).lo);
      writer.u32((value as Hash64).hi);
      break;
    case 'b':
      writeBytes(writer, value as Uint8Array);
      break;
    case 'ops':
      writeBytes(writer, encodeOps(value as readonly OpRecord[]));
      break;
    case 'frame':
      writeBytes(writer, encodeFrame(value as Frame));
      break;
  }
}

function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writer.varUint(bytes.length);
  writer.bytes(bytes);
}

function readFields(reader: ByteReader, fields: Fields, values: Values): void {
  for (const [name, type] of fields) {
    const value = readField(reader, type);
    if (value !== undefined) values[name] = value;
  }
}

function readField(reader: ByteReader, type: FieldType): unknown {
  if (typeof type === 'string') return readPlain(reader, type);
  if ('optional' in type) {
    const flag = reader.u8();
    if (flag > 1) throw reader.invalid(`flag ${flag}: 0 or 1 expected`);
    return flag === 0 ? undefined : readField(reader, type.optional);
  }
  if ('choice' in type) {
    const index = reader.u8();
    if (index >= type.choice.length) throw reader.invalid(`choice ${index} of ${type.choice.length}`);
    return type.choice[index];
  }
  if ('group' in type) return readGroup(reader, type.group);
  const count = reader.count('items', 1);
  const items: unknown[] = [];
  for (let index = 0; index < count; index++) items.push('texts' in type ? reader.string() : readGroup(reader, type.list));
  return items;
}

function readGroup(reader: ByteReader, fields: Fields): Values {
  const values: Values = {};
  readFields(reader, fields, values);
  return values;
}

function readPlain(reader: ByteReader, type: 'u' | 's' | 'h' | 'b' | 'ops' | 'frame'): unknown {
  switch (type) {
    case 'u':
      return reader.varUint();
    case 's':
      return reader.string();
    case 'h':
      return { lo: reader.u32(), hi: reader.u32() };
    case 'b':
      return reader.copyBytes(reader.varUint());
    case 'ops':
      return decodeOps(reader);
    case 'frame':
      return decodeFrame(reader.borrowBytes(reader.varUint()));
  }
}

const NO_FRAME = { logEpoch: '', leaderEpoch: 0, channel: '', hashBefore: ZERO_HASH };

function encodeOps(records: readonly OpRecord[]): Uint8Array {
  return encodeFrame({ ...NO_FRAME, base: records[0]!.seq, records });
}

function decodeOps(reader: ByteReader): readonly OpRecord[] {
  const { base, records } = decodeFrame(reader.borrowBytes(reader.varUint()));
  const clientId = (records[0] as OpRecord).clientId;
  for (const [index, record] of records.entries()) {
    if (record.type !== 'op') throw reader.invalid(`a ${record.type} record where ops are pushed`);
    if (record.clientId !== clientId || record.seq !== base + index) {
      throw reader.invalid(`op ${clientId} ${base + index} expected, got ${record.clientId} ${record.seq}`);
    }
  }
  return records as readonly OpRecord[];
}
