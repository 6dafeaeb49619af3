import {
  assert,
  type ByteReader,
  ByteWriter,
  comparePrimaryKeys,
  normalizeInt64,
  type PrimaryKey,
  type Stamp,
  type Timestamp,
} from '@terndb/core';
import { type FileKind, openEnvelope, sealEnvelope } from '../bytes/envelope.ts';
import type { TombstoneEntry } from './tombstone-set.ts';

/**
 * Tombstone file, version 1: the deletes since the floor of one manifest version; an object of its own, or inside the manifest when small.
 *    0  envelope of 16 bytes (bytes/envelope.ts), magic "TMB1"
 *   16  u8 key type (0 int64, 1 varchar); varuint clients, string each, ascending; varuint count, then the tombstones ascending by key:
 *       key: i64, or string; varuint put client + 1, 0 for no put, then varuint put timestamp; varuint delete client; varuint delete timestamp
 *   varuint and string (varuint length + utf-8) as in lib0, the rest little-endian. Equal tombstones give equal bytes.
 * History: 1 first version. Reads: 1. Unknown version -> FORMAT_VERSION_UNSUPPORTED.
 */
const TOMBSTONE_FILE: FileKind = { magic: 0x31424d54, version: 1 };
const INT64_KEYS = 0;
const VARCHAR_KEYS = 1;
/** An int64 key is 8 bytes, a string at least its length; then three varuints. */
const MIN_ENTRY_BYTES = 4;

/** `entries` ascending and distinct by key, as `TombstoneSet.sorted` gives them. */
export function writeTombstones(entries: readonly TombstoneEntry[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  const isVarchar = typeof entries[0]?.pk === 'string';
  const clients = clientsOf(entries);
  const indexOf = new Map(clients.map((clientId, index) => [clientId, index]));
  writer.u8(isVarchar ? VARCHAR_KEYS : INT64_KEYS);
  writer.varUint(clients.length);
  for (const clientId of clients) writer.string(clientId);
  writer.varUint(entries.length);
  entries.forEach((entry, index) => {
    assert(index === 0 || comparePrimaryKeys(entries[index - 1]!.pk, entry.pk) < 0, () => `tombstones: keys are not ascending at ${index}`);
    assert((typeof entry.pk === 'string') === isVarchar, () => `tombstones: key ${index} is of another type than the first`);
    if (typeof entry.pk === 'string') writer.string(entry.pk);
    else writer.i64(BigInt(entry.pk));
    writer.varUint(entry.put === undefined ? 0 : indexOf.get(entry.put.clientId)! + 1);
    if (entry.put !== undefined) writer.varUint(entry.put.hlc);
    writer.varUint(indexOf.get(entry.delete.clientId)!);
    writer.varUint(entry.delete.hlc);
  });
  return sealEnvelope(TOMBSTONE_FILE, writer.toBytes());
}

/** @throws FORMAT_INVALID, CHECKSUM_MISMATCH, FORMAT_VERSION_UNSUPPORTED. `what` names the file in errors. */
export function readTombstones(file: Uint8Array, what: string): TombstoneEntry[] {
  const reader = openEnvelope(TOMBSTONE_FILE, file, what);
  const keyType = reader.u8();
  if (keyType !== INT64_KEYS && keyType !== VARCHAR_KEYS) throw reader.invalid(`key type 0 or 1 expected, got ${keyType}`);
  const clients = readClients(reader);
  const count = reader.count('tombstones', MIN_ENTRY_BYTES);
  const entries: TombstoneEntry[] = [];
  for (let index = 0; index < count; index++) {
    const pk: PrimaryKey = keyType === VARCHAR_KEYS ? reader.string() : normalizeInt64(reader.i64())!;
    const previous = entries[index - 1];
    if (previous !== undefined && comparePrimaryKeys(previous.pk, pk) >= 0)
      throw reader.invalid(`keys do not ascend at tombstone ${index}`);
    const putClient = reader.varUint();
    const put = putClient === 0 ? undefined : readStamp(reader, clients, putClient - 1);
    entries.push({ pk, put, delete: readStamp(reader, clients, reader.varUint()) });
  }
  reader.end();
  return entries;
}

function clientsOf(entries: readonly TombstoneEntry[]): string[] {
  const clients = new Set<string>();
  for (const entry of entries) {
    if (entry.put !== undefined) clients.add(entry.put.clientId);
    clients.add(entry.delete.clientId);
  }
  return [...clients].sort();
}

function readClients(reader: ByteReader): string[] {
  const clients: string[] = [];
  const count = reader.count('clients', 1);
  for (let index = 0; index < count; index++) {
    clients.push(reader.string());
    if (index > 0 && clients[index - 1]! >= clients[index]!) throw reader.invalid(`client ids do not ascend at ${index}`);
  }
  return clients;
}

function readStamp(reader: ByteReader, clients: readonly string[], client: number): Stamp {
  const clientId = clients[client];
  if (clientId === undefined) throw reader.invalid(`a client below ${clients.length} expected, got ${client}`);
  return { hlc: readTimestamp(reader), clientId };
}

function readTimestamp(reader: ByteReader): Timestamp {
  return reader.varUint() as Timestamp;
}
