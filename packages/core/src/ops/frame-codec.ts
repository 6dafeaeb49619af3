import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { crc32c } from '../bytes/crc32c.ts';
import { assert } from '../errors/assert.ts';
import { DbError } from '../errors/db-error.ts';
import { asTimestamp } from '../time/hlc.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { Frame, LogRecord, SlotFrame, SlotRecord } from './op.ts';
import { RecordReader, RecordWriter, readRecord, writeRecord } from './record-codec.ts';

/**
 * Frame, version 2: one message of the log broker. All integers little-endian, `varint` and `text` (varint length in bytes, UTF-8) as in lib0.
 *   u8 version (2)
 *   u8 kind: 1 channel frame, 2 slot frame
 *   text logEpoch, varint leaderEpoch
 *   channel frame:  text channel, varint base (from 1), u32 hashBefore.lo, u32 hashBefore.hi, varint count (from 1), count * record
 *   slot frame:     u8 type: 1 lead, 2 tick; tick: varint time
 *   u32 crc32c of all bytes before it
 * Records: record-codec.ts. Texts that repeat among them are in one string table per frame: string-table.ts. Values: value-codec.ts.
 * History: 1 first version; 2 an op may name its origin, a reject names its author. Reads: 1, 2. Writes: 2. Unknown version -> FORMAT_VERSION_UNSUPPORTED, checked before the checksum, whose place a version could move.
 */
export const FRAME_VERSION = 2;
const OLDEST_FRAME_VERSION = 1;
const KIND = { channel: 1, slot: 2 } as const;
const SLOT_RECORD = { lead: 1, tick: 2 } as const;
const CRC_BYTES = 4;
const MIN_FRAME_BYTES = 2 + CRC_BYTES;
/** Type byte, name index, and the least that follows. */
const MIN_RECORD_BYTES = 2;

/** A group commit closes its frame when its ops have this much (`encodedOpBytes`, design 5); one larger op has a frame of its own. */
export const FRAME_BYTES_TARGET: number = 256 * 1024;

/** @returns the bytes of a channel frame, in a fresh buffer. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  assert(Number.isSafeInteger(frame.base) && frame.base >= 1, () => `frame base: a position from 1 expected, got ${frame.base}`);
  assert(frame.records.length > 0, () => `frame of ${frame.channel} at ${frame.base}: records expected, got none`);
  const writer = startFrame(KIND.channel, frame);
  writer.string(frame.channel);
  writer.varUint(frame.base);
  writer.u32(frame.hashBefore.lo);
  writer.u32(frame.hashBefore.hi);
  writer.varUint(frame.records.length);
  const out = new RecordWriter(writer);
  for (const record of frame.records) writeRecord(out, record);
  return seal(writer);
}

/**
 * The way back; shares nothing with `bytes`. Bounded by the length of the bytes in time and memory.
 * @throws FORMAT_INVALID, CHECKSUM_MISMATCH, FORMAT_VERSION_UNSUPPORTED.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  const { reader, version, kind, logEpoch, leaderEpoch } = openFrame(bytes);
  if (kind !== 'channel') throw reader.invalid('a slot frame where a channel frame is expected');
  const channel = reader.string();
  const base = reader.varUint();
  if (base === 0) throw reader.invalid('base 0: positions count from 1');
  const hashBefore = { lo: reader.u32(), hi: reader.u32() };
  const count = reader.count('records', MIN_RECORD_BYTES);
  if (count === 0 || !Number.isSafeInteger(base + count)) throw reader.invalid(`${count} records at ${base}`);
  const input = new RecordReader(reader, version);
  const records: LogRecord[] = [];
  for (let index = 0; index < count; index++) records.push(readRecord(input));
  reader.end();
  return { logEpoch, leaderEpoch, channel, base, hashBefore, records };
}

/** @returns the bytes of a slot frame, in a fresh buffer. */
export function encodeSlotFrame(frame: SlotFrame): Uint8Array<ArrayBuffer> {
  const { record } = frame;
  const writer = startFrame(KIND.slot, frame);
  writer.u8(SLOT_RECORD[record.type]);
  if (record.type === 'tick') writer.varUint(asTimestamp(record.time));
  else assert(record.leaderEpoch === frame.leaderEpoch, () => `lead ${record.leaderEpoch} in a frame of leader epoch ${frame.leaderEpoch}`);
  return seal(writer);
}

/** @throws FORMAT_INVALID, CHECKSUM_MISMATCH, FORMAT_VERSION_UNSUPPORTED. */
export function decodeSlotFrame(bytes: Uint8Array): SlotFrame {
  const { reader, kind, logEpoch, leaderEpoch } = openFrame(bytes);
  if (kind !== 'slot') throw reader.invalid('a channel frame where a slot frame is expected');
  const record = readSlotRecord(reader, leaderEpoch);
  reader.end();
  return { logEpoch, leaderEpoch, record };
}

function readSlotRecord(reader: ByteReader, leaderEpoch: number): SlotRecord {
  const type = reader.u8();
  if (type === SLOT_RECORD.lead) return { type: 'lead', leaderEpoch };
  if (type === SLOT_RECORD.tick) return { type: 'tick', time: reader.varUint() as Timestamp };
  throw reader.invalid(`unknown slot record type ${type}`);
}

/** Which decoder the bytes are for; looks at the first two bytes only. @throws FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED. */
export function frameKind(bytes: Uint8Array): 'channel' | 'slot' {
  const reader = new ByteReader(bytes, 'frame');
  const version = reader.u8();
  if (!isSupported(version)) throw unsupported(version);
  return readKind(reader);
}

function readKind(reader: ByteReader): 'channel' | 'slot' {
  const kind = reader.u8();
  if (kind === KIND.channel) return 'channel';
  if (kind === KIND.slot) return 'slot';
  throw reader.invalid(`unknown kind ${kind}`);
}

function startFrame(kind: number, header: { readonly logEpoch: string; readonly leaderEpoch: number }): ByteWriter {
  assert(
    Number.isSafeInteger(header.leaderEpoch) && header.leaderEpoch >= 0,
    () => `leader epoch: an integer from 0 expected, got ${header.leaderEpoch}`,
  );
  const writer = new ByteWriter();
  writer.u8(FRAME_VERSION);
  writer.u8(kind);
  writer.string(header.logEpoch);
  writer.varUint(header.leaderEpoch);
  return writer;
}

function seal(writer: ByteWriter): Uint8Array<ArrayBuffer> {
  writer.u32(0);
  const bytes = writer.toBytes();
  const end = bytes.length - CRC_BYTES;
  new DataView(bytes.buffer).setUint32(end, crc32c(bytes.subarray(0, end)), true);
  return bytes;
}

interface OpenedFrame {
  readonly reader: ByteReader;
  readonly version: number;
  readonly kind: 'channel' | 'slot';
  readonly logEpoch: string;
  readonly leaderEpoch: number;
}

/** Version, then checksum, then the header that both kinds share. */
function openFrame(bytes: Uint8Array): OpenedFrame {
  if (bytes.length < MIN_FRAME_BYTES) {
    const details = { expectedBytes: MIN_FRAME_BYTES, gotBytes: bytes.length };
    throw new DbError('FORMAT_INVALID', `frame: at least ${MIN_FRAME_BYTES} bytes expected, got ${bytes.length}`, { details });
  }
  const version = bytes[0]!;
  if (!isSupported(version)) throw unsupported(version);
  const body = bytes.subarray(0, bytes.length - CRC_BYTES);
  const expected = new DataView(bytes.buffer, bytes.byteOffset + body.length, CRC_BYTES).getUint32(0, true);
  const got = crc32c(body);
  if (got !== expected) {
    throw new DbError('CHECKSUM_MISMATCH', `frame of ${bytes.length} bytes: checksum ${expected} expected, got ${got}`, {
      details: { expected, got },
    });
  }
  const reader = new ByteReader(body, 'frame');
  reader.u8();
  return { reader, version, kind: readKind(reader), logEpoch: reader.string(), leaderEpoch: reader.varUint() };
}

function isSupported(version: number): boolean {
  return version >= OLDEST_FRAME_VERSION && version <= FRAME_VERSION;
}

function unsupported(version: number): DbError {
  const details = { supported: [OLDEST_FRAME_VERSION, FRAME_VERSION], got: version };
  const expected = `${OLDEST_FRAME_VERSION} to ${FRAME_VERSION}`;
  return new DbError('FORMAT_VERSION_UNSUPPORTED', `frame: version ${expected} expected, got ${version}`, { details });
}
