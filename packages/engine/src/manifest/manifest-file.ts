import { assert, type ByteReader, ByteWriter, type Timestamp } from '@terndb/core';
import { readBitmap, writeBitmap } from '../bitmap/bitmap-codec.ts';
import { type FileKind, openEnvelope, sealEnvelope } from '../bytes/envelope.ts';
import { MAX_SEGMENT_ROWS } from '../segment/format.ts';
import type { LmidEntry, Manifest, ManifestIndex, ManifestSegment, ManifestTombstones } from './types.ts';

/**
 * Manifest file, version 2: a channel's state at a position; immutable, one per version of the channel's state.
 *    0  envelope of 16 bytes (bytes/envelope.ts), magic "TMF1", version 2
 *   16  string log epoch, channel; varuint version, upTo, broker cursor, floor, max timestamp; u32 hash low, u32 hash high; varuint schema version
 *       varuint segments; each { string id, name; varuint rows, bytes; bitmap of dead rows (bitmap/bitmap-codec.ts);
 *         varuint indexes; each { string field, type, name; varuint bytes; u32 crc32c of the index file } }
 *       tombstones: u8 0 none | 1 varuint length, tombstone file | 2 string name, varuint bytes
 *       varuint clients, ascending by id; each { string id; varuint lmid, position, last timestamp; string author (version 1: none);
 *         varuint rejected, each varuint seq, string code }
 *   varuint and string (varuint length + utf-8) as in lib0, the rest little-endian. Equal manifests give equal bytes.
 * History: 1 first version; 2 whom a client id is bound to. Reads: 1, 2. Writes: 2. Unknown version -> FORMAT_VERSION_UNSUPPORTED.
 */
const MANIFEST_FILE: FileKind = { magic: 0x31464d54, version: 2 };
const MANIFEST_FILE_V1: FileKind = { ...MANIFEST_FILE, version: 1 };
/** In the envelope. */
const VERSION_AT = 4;
/** A shard must fit one query node; more is damage, and would cost more than 16 MiB of bitmaps. */
export const MAX_CHANNEL_ROWS: number = 2 ** 27;
const MIN_SEGMENT_BYTES = 6;
const MIN_INDEX_BYTES = 8;
const MIN_LMID_BYTES = 5;
const MIN_REJECTED_BYTES = 2;

export function writeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.string(manifest.logEpoch);
  writer.string(manifest.channel);
  for (const number of [manifest.version, manifest.upTo, manifest.brokerCursor, manifest.floor, manifest.maxHlc]) writer.varUint(number);
  writer.u32(manifest.hash.lo);
  writer.u32(manifest.hash.hi);
  writer.varUint(manifest.schemaVersion);
  writer.varUint(manifest.segments.length);
  for (const segment of manifest.segments) writeSegment(writer, segment);
  writeTombstoneRef(writer, manifest.tombstones);
  writer.varUint(manifest.lmids.length);
  manifest.lmids.forEach((entry, index) => {
    assert(index === 0 || manifest.lmids[index - 1]!.clientId < entry.clientId, () => `manifest: client ids are not ascending at ${index}`);
    writeLmid(writer, entry);
  });
  return sealEnvelope(MANIFEST_FILE, writer.toBytes());
}

/** @throws FORMAT_INVALID, CHECKSUM_MISMATCH, FORMAT_VERSION_UNSUPPORTED. `what` names the file in errors. Everything is copied. */
export function readManifest(file: Uint8Array, what: string): Manifest {
  const kind = file[VERSION_AT] === MANIFEST_FILE_V1.version ? MANIFEST_FILE_V1 : MANIFEST_FILE;
  const reader = openEnvelope(kind, file, what);
  const manifest: Manifest = {
    logEpoch: reader.string(),
    channel: reader.string(),
    version: reader.varUint(),
    upTo: reader.varUint(),
    brokerCursor: reader.varUint(),
    floor: reader.varUint() as Timestamp,
    maxHlc: reader.varUint() as Timestamp,
    hash: { lo: reader.u32(), hi: reader.u32() },
    schemaVersion: reader.varUint(),
    segments: readSegments(reader),
    tombstones: readTombstoneRef(reader),
    lmids: readLmids(reader, kind.version),
  };
  reader.end();
  return manifest;
}

function writeSegment(writer: ByteWriter, segment: ManifestSegment): void {
  writer.string(segment.id);
  writer.string(segment.name);
  writer.varUint(segment.rows);
  writer.varUint(segment.bytes);
  writeBitmap(writer, segment.dead, segment.rows);
  writer.varUint(segment.indexes.length);
  for (const index of segment.indexes) {
    for (const text of [index.field, index.type, index.name]) writer.string(text);
    writer.varUint(index.bytes);
    writer.u32(index.checksum);
  }
}

function readSegments(reader: ByteReader): ManifestSegment[] {
  const segments: ManifestSegment[] = [];
  const count = reader.count('segments', MIN_SEGMENT_BYTES);
  let total = 0;
  for (let index = 0; index < count; index++) {
    const id = reader.string();
    const name = reader.string();
    const rows = reader.varUint();
    total += rows;
    if (rows > MAX_SEGMENT_ROWS || total > MAX_CHANNEL_ROWS)
      throw reader.invalid(`segment ${id}: ${rows} rows are more than a channel can hold`);
    segments.push({ id, name, rows, bytes: reader.varUint(), dead: readBitmap(reader, rows), indexes: readIndexes(reader) });
  }
  return segments;
}

function readIndexes(reader: ByteReader): ManifestIndex[] {
  const indexes: ManifestIndex[] = [];
  const count = reader.count('index files', MIN_INDEX_BYTES);
  for (let index = 0; index < count; index++) {
    indexes.push({ field: reader.string(), type: reader.string(), name: reader.string(), bytes: reader.varUint(), checksum: reader.u32() });
  }
  return indexes;
}

const NONE = 0;
const INLINE = 1;
const OBJECT = 2;

function writeTombstoneRef(writer: ByteWriter, tombstones: ManifestTombstones): void {
  if (tombstones.type === 'none') writer.u8(NONE);
  else if (tombstones.type === 'inline') {
    writer.u8(INLINE);
    writer.varUint(tombstones.bytes.length);
    writer.bytes(tombstones.bytes);
  } else {
    writer.u8(OBJECT);
    writer.string(tombstones.name);
    writer.varUint(tombstones.bytes);
  }
}

function readTombstoneRef(reader: ByteReader): ManifestTombstones {
  const type = reader.u8();
  if (type === NONE) return { type: 'none' };
  if (type === INLINE) return { type: 'inline', bytes: reader.copyBytes(reader.varUint()) };
  if (type !== OBJECT) throw reader.invalid(`tombstones 0, 1 or 2 expected, got ${type}`);
  return { type: 'object', name: reader.string(), bytes: reader.varUint() };
}

function writeLmid(writer: ByteWriter, entry: LmidEntry): void {
  writer.string(entry.clientId);
  for (const number of [entry.lmid, entry.position, entry.lastHlc]) writer.varUint(number);
  writer.string(entry.author);
  writer.varUint(entry.rejected.length);
  for (const { seq, code } of entry.rejected) {
    writer.varUint(seq);
    writer.string(code);
  }
}

function readLmids(reader: ByteReader, version: number): LmidEntry[] {
  const entries: LmidEntry[] = [];
  const count = reader.count('clients', MIN_LMID_BYTES);
  for (let index = 0; index < count; index++) {
    const clientId = reader.string();
    if (index > 0 && entries[index - 1]!.clientId >= clientId) throw reader.invalid(`client ids do not ascend at ${index}`);
    const lmid = reader.varUint();
    const position = reader.varUint();
    const lastHlc = reader.varUint() as Timestamp;
    const author = version === 1 ? '' : reader.string();
    entries.push({ clientId, lmid, position, lastHlc, author, rejected: readRejected(reader) });
  }
  return entries;
}

function readRejected(reader: ByteReader): LmidEntry['rejected'] {
  const rejected: { seq: number; code: string }[] = [];
  const count = reader.count('rejected ops', MIN_REJECTED_BYTES);
  for (let index = 0; index < count; index++) rejected.push({ seq: reader.varUint(), code: reader.string() });
  return rejected;
}
