import { DbError, type PrimaryKey, utf8Decode, utf8Encode } from '@terndb/core';

/**
 * Vectors of some rows, held back until all rows have theirs. Little-endian.
 *   0  u32 magic "TSV1"    4  u32 dim    8  u32 bytes of what follows it    12  JSON, padded with blanks to a multiple of 4:
 *      [[partition, key, source hash in hex, has a vector], …]; an int64 key is { int: "decimal" }
 *   then dim × f32 for each row that has a vector, in their order.
 * History: 1 first version. Damage -> FORMAT_INVALID; the rows wait again.
 */
const MAGIC = 0x31565354;
const HEADER_BYTES = 12;

export interface StagedVector {
  readonly partition: string;
  readonly key: PrimaryKey;
  readonly sourceHash: Uint8Array;
  /** Null takes the row's vector away. */
  readonly vector: Float32Array | null;
}

type RowJson = readonly [string, string | { readonly int: string }, string, boolean];

export function writeStagedBatch(rows: readonly StagedVector[], dim: number): Uint8Array {
  const json = JSON.stringify(
    rows.map(({ partition, key, sourceHash, vector }): RowJson => [partition, keyJson(key), toHex(sourceHash), vector !== null]),
  );
  const text = utf8Encode(json);
  const textBytes = Math.ceil(text.length / 4) * 4;
  const vectors = rows.flatMap(({ vector }) => (vector === null ? [] : [vector]));
  const out = new Uint8Array(HEADER_BYTES + textBytes + vectors.length * dim * 4);
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, dim, true);
  view.setUint32(8, textBytes, true);
  out.fill(0x20, HEADER_BYTES, HEADER_BYTES + textBytes);
  out.set(text, HEADER_BYTES);
  let at = HEADER_BYTES + textBytes;
  for (const vector of vectors) {
    for (const value of vector) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return out;
}

/** @throws FORMAT_INVALID */
export function readStagedBatch(bytes: Uint8Array, dim: number): StagedVector[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== dim) throw damaged('its head');
  const textEnd = HEADER_BYTES + view.getUint32(8, true);
  if (textEnd > bytes.length) throw damaged('its length');
  const rows = readRows(bytes.subarray(HEADER_BYTES, textEnd));
  const vectors = rows.filter(([, , , hasVector]) => hasVector).length;
  if (textEnd + vectors * dim * 4 !== bytes.length) throw damaged('its length');
  let at = textEnd;
  return rows.map(([partition, key, sourceHash, hasVector]) => {
    const from = at;
    if (hasVector) at += dim * 4;
    return {
      partition,
      key: typeof key === 'string' ? key : readInt(key.int),
      sourceHash: fromHex(sourceHash),
      vector: hasVector ? Float32Array.from({ length: dim }, (_, i) => view.getFloat32(from + i * 4, true)) : null,
    };
  });
}

function readRows(text: Uint8Array): RowJson[] {
  let rows: unknown;
  try {
    rows = JSON.parse(utf8Decode(text));
  } catch {
    throw damaged('its rows');
  }
  if (!Array.isArray(rows) || !rows.every(isRow)) throw damaged('its rows');
  return rows;
}

function isRow(row: unknown): row is RowJson {
  if (!Array.isArray(row)) return false;
  const [partition, key, hash, hasVector] = row as unknown[];
  const isInt = typeof key === 'object' && key !== null && /^-?\d{1,19}$/.test(String((key as { int?: unknown }).int));
  return (
    typeof partition === 'string' &&
    (typeof key === 'string' || isInt) &&
    typeof hash === 'string' &&
    /^(?:[0-9a-f]{2})*$/.test(hash) &&
    typeof hasVector === 'boolean'
  );
}

const keyJson = (key: PrimaryKey): RowJson[1] => (typeof key === 'string' ? key : { int: String(key) });

/** As the engine gives int64 keys: exact numbers where they are. */
function readInt(text: string): PrimaryKey {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

function damaged(what: string): DbError<'FORMAT_INVALID'> {
  return new DbError('FORMAT_INVALID', `staged vectors: a batch of version 1 expected, ${what} is another`, { details: { what } });
}
