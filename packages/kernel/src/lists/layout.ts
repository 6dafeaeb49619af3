/**
 * List index (IVF), version 1. All numbers little-endian; sections start at multiples of 64, bytes between them are zero.
 *
 *    0  u32  magic "TIV1"                      28  u32  metric: 0 COSINE, 1 IP, 2 L2
 *    4  u32  version (1)                       32  u32  codes: 0 none, 1 int8, 2 one bit
 *    8  u64  XXH64 (seed 0) of all bytes       36  u32  lists
 *            from 16 on                        40  u32  seed
 *   16  u32  length of the whole, bytes        44  u32  rows
 *   20  u32  zero                              48  zero up to 128
 *   24  u32  dim
 *
 * Sections, in this order:
 *   centroids   per list dim float32, padded with zeros to 32 bytes
 *   starts      u32 per list, and rows at the end: the list's first slot
 *   ids         u32 per slot: the row there; each row once, ascending within a list
 *   scales      f32 per slot       (not with codes none)
 *   biases      f32 per slot       (not with codes none)
 *   errors      f32 per slot       (one bit)
 *   codes       per slot dim int8 padded with zeros to 16 bytes, or dim bits padded with zeros to 8 bytes (not with codes none)
 *
 * With one-bit codes rows and centroids are rotated by the seed (`assembly/graph/rotate.ts`) before anything else; with COSINE rows have length 1
 * before that. What scales, biases and errors mean is at the head of `assembly/lists/encode.ts`. History: 1 first version. Reads: 1.
 */
import { codeBytesOf } from '../block/screening.ts';
import { KernelError } from '../errors.ts';
import { readWords } from '../index/header.ts';
import { alignUp } from '../memory/free-list.ts';
import type { ListCodes } from './types.ts';

const MAGIC = 0x31564954;
const VERSION = 1;
export const HEADER_BYTES = 128;
export const CHECKED_FROM = 16;
export const CHECKSUM_AT = 8;
const WORD = { magic: 0, version: 1, length: 4, dim: 6, metric: 7, codes: 8, lists: 9, seed: 10, rows: 11 } as const;
const ZERO_WORDS = [5, ...Array.from({ length: HEADER_BYTES / 4 - 12 }, (_, index) => 12 + index)];

export const CODES: readonly ListCodes[] = ['none', 'sq8', 'b1'];
/** As in Milvus. */
export const MAX_LISTS = 65_536;
export const MAX_ROWS: number = 2 ** 31 - 1;
const MAX_DIM = 32_768;

/** What an index is; `metric` and `codes` are the kernel's numbers. */
export interface ListShape {
  readonly dim: number;
  readonly metric: number;
  readonly codes: number;
  readonly lists: number;
  readonly seed: number;
  readonly rows: number;
}

const SECTIONS = ['centroids', 'starts', 'ids', 'scales', 'biases', 'errors', 'codes'] as const;
export type Section = (typeof SECTIONS)[number];

export interface ListLayout {
  /** From the start of the index. */
  readonly offsets: Readonly<Record<Section, number>>;
  readonly bytes: number;
}

export const floatBytesOf = (dim: number): number => Math.ceil(dim / 8) * 32;

/** Bytes of a row's codes. */
export function codeBytes({ codes, dim }: Pick<ListShape, 'codes' | 'dim'>): number {
  if (codes === 0) return 0;
  return codes === 1 ? codeBytesOf(dim) : Math.ceil(dim / 64) * 8;
}

export function layoutOf(shape: ListShape): ListLayout {
  const { lists, rows, codes } = shape;
  const numbers = codes === 0 ? 0 : rows * 4;
  const sizes: Record<Section, number> = {
    centroids: lists * floatBytesOf(shape.dim),
    starts: (lists + 1) * 4,
    ids: rows * 4,
    scales: numbers,
    biases: numbers,
    errors: codes === 2 ? numbers : 0,
    codes: rows * codeBytes(shape),
  };
  const offsets = {} as Record<Section, number>;
  let offset = HEADER_BYTES;
  for (const section of SECTIONS) {
    offsets[section] = offset;
    offset = alignUp(offset + sizes[section]);
  }
  return { offsets, bytes: offset };
}

export function writeHeader(words: Uint32Array, shape: ListShape): void {
  words.fill(0, 0, HEADER_BYTES / 4);
  words[WORD.magic] = MAGIC;
  words[WORD.version] = VERSION;
  words[WORD.length] = layoutOf(shape).bytes;
  for (const name of ['dim', 'metric', 'codes', 'lists', 'seed', 'rows'] as const) words[WORD[name]] = shape[name];
}

export function corrupt(what: string, details: Record<string, unknown>): KernelError {
  return new KernelError('INDEX_CORRUPT', `list index: ${what}`, { details });
}

/** What the header of saved bytes says, after every check that needs no other bytes. Throws INDEX_CORRUPT. */
export function readHeader(bytes: Uint8Array): ListShape {
  const { word, within, mustBeZero } = readWords(bytes, { headerBytes: HEADER_BYTES, words: WORD }, corrupt);
  within('magic', MAGIC, MAGIC);
  within('version', VERSION, VERSION);
  within('length', bytes.length, bytes.length);
  const rows = within('rows', 0, MAX_ROWS);
  const shape: ListShape = {
    dim: within('dim', 1, MAX_DIM),
    metric: within('metric', 0, 2),
    codes: within('codes', 0, 2),
    lists: within('lists', 1, Math.min(MAX_LISTS, Math.max(1, rows))),
    seed: word('seed'),
    rows,
  };
  const { bytes: length } = layoutOf(shape);
  if (length !== bytes.length) throw corrupt(`${length} bytes expected, got ${bytes.length}`, { expected: length, got: bytes.length });
  mustBeZero(ZERO_WORDS);
  return shape;
}

/** Whether lists and ids can be followed without reading anything else. Throws INDEX_CORRUPT. O(rows + lists). */
export function checkLists(starts: Uint32Array, ids: Uint32Array): void {
  const rows = ids.length;
  const seen = new Uint8Array(rows);
  if (starts[0] !== 0 || starts.at(-1) !== rows) throw corrupt('the lists do not hold all rows', { rows });
  for (let list = 0; list + 1 < starts.length; list++) {
    const [from, end] = [starts[list]!, starts[list + 1]!];
    if (from > end || end > rows) throw corrupt(`list ${list} ends before it begins`, { list });
    for (let slot = from; slot < end; slot++) {
      const id = ids[slot]!;
      if (id >= rows || seen[id] === 1 || (slot > from && id < ids[slot - 1]!))
        throw corrupt(`slot ${slot} holds a wrong row`, { slot, id });
      seen[id] = 1;
    }
  }
}
