/**
 * Graph index, versions 1 and 2. All numbers little-endian; sections start at multiples of 64, bytes between them are zero.
 *
 *    0  u32  magic "THN1"                      48  u32  seed
 *    4  u32  version (2 with one-bit codes)    52  u32  zero
 *    8  u64  XXH64 (seed 0) of all bytes       56  u32  rows
 *            from 16 on                        60  u32  linked: rows below it are in the graph
 *   16  u32  length of the whole, bytes        64  u32  entry row; 0xffffffff while nothing is linked
 *   20  u32  zero                              68  i32  highest level; −1 while nothing is linked
 *   24  u32  dim                               72  u32  lists: sum of all rows' levels
 *   28  u32  metric: 0 COSINE, 1 IP, 2 L2      76  zero up to 128
 *   32  u32  codes: 0 float32, 1 int8, 2 bit
 *   36  u32  1 residual codes | 2 rotated
 *   40  u32  m
 *   44  u32  efConstruction
 *
 * Sections, in this order, each without its rows in parentheses when it has none:
 *   upperStart    u32 per row: lists of the rows before it
 *   scales        f32 per row (int8, or float32 with COSINE): the code's scale, divided by the norm for COSINE; or the norm
 *   squares       f32 per row (int8 with L2): squared norm of the coded row
 *   fineSquares   f32 per row (residual codes with L2)
 *   links         2m u32 per row: neighbours on level 0, then 0xffffffff
 *   upper         m u32 per list: the row's neighbours on levels 1, 2, …
 *   vectors       per row dim int8 codes padded with zeros to 16 bytes, or dim float32 padded to 16 bytes
 *                 or one bit per dimension padded with zeros to 8 bytes, f32 scale, f32 bias, padded with zeros to 16 bytes
 *   residuals     as the codes
 *   centroid      dim float32 padded with zeros to 32 bytes, rotated; once (one bit)
 *
 * A row's level is a function of seed, m and its number (`assembly/graph/index.ts`), so `upperStart` is known and checked.
 * The bytes in kernel memory are these bytes, with room between the sections while rows are added. History: 1 first version; 2 one-bit codes
 * (`assembly/graph/bits.ts`), written with those only. Reads: 1, 2.
 */
import { codeBytesOf } from '../block/screening.ts';
import { KernelError } from '../errors.ts';
import { alignUp } from '../memory/free-list.ts';
import { readWords } from './header.ts';

const MAGIC = 0x314e4854;
const VERSION = 1;
const ONE_BIT_VERSION = 2;
export const HEADER_BYTES = 128;
export const CHECKED_FROM = 16;
export const CHECKSUM_AT = 8;
export const NONE = 0xffffffff;

/** Words of the header. */
export const WORD = {
  magic: 0,
  version: 1,
  length: 4,
  dim: 6,
  metric: 7,
  codes: 8,
  flags: 9,
  m: 10,
  efConstruction: 11,
  seed: 12,
  rows: 14,
  linked: 15,
  entry: 16,
  maxLevel: 17,
  lists: 18,
} as const;
/** Words that are zero. */
const ZERO_WORDS = [5, 13, ...Array.from({ length: HEADER_BYTES / 4 - 19 }, (_, index) => 19 + index)];

export const MAX_M = 64;
export const MAX_EF_CONSTRUCTION = 4_096;
/** A pool entry has 31 bits for the row. */
export const MAX_ROWS: number = 2 ** 31 - 1;
const MAX_DIM = 32_768;
const RESIDUAL = 1;
const ROTATED = 2;

/** The number of each kind of codes. */
export const CODES = ['f32', 'sq8', 'b1'] as const;
const FLOATS = 0;
const INT8 = 1;
const ONE_BIT = 2;

/** What of an index never changes. `metric` and `codes` are the kernel's numbers. */
export interface Shape {
  readonly dim: number;
  readonly metric: number;
  readonly codes: number;
  readonly residual: boolean;
  readonly rotated: boolean;
  readonly m: number;
  readonly efConstruction: number;
  readonly seed: number;
}

export const SECTIONS = ['upperStart', 'scales', 'squares', 'fineSquares', 'links', 'upper', 'vectors', 'residuals', 'centroid'] as const;
export type Section = (typeof SECTIONS)[number];

export interface Place {
  /** From the start of the index. */
  readonly offset: number;
  readonly bytes: number;
}
export interface Layout {
  readonly places: Readonly<Record<Section, Place>>;
  readonly bytes: number;
}

export const isOneBit = (shape: Shape): boolean => shape.codes === ONE_BIT;

/** Bytes of a row's bits, with one-bit codes. */
export const bitBytesOf = (shape: Shape): number => Math.ceil(shape.dim / 64) * 8;

export function rowBytesOf(shape: Shape): number {
  if (shape.codes === ONE_BIT) return Math.ceil((bitBytesOf(shape) + 8) / 16) * 16;
  return shape.codes === INT8 ? codeBytesOf(shape.dim) : Math.ceil(shape.dim / 4) * 16;
}

/** Bytes of one row (of one list for `upper`, of all for `centroid`) in each section; 0 for a section that is not there. */
export function unitBytes(shape: Shape): Record<Section, number> {
  const { codes, residual, m } = shape;
  const [cosine, l2] = [shape.metric === 0, shape.metric === 2];
  return {
    upperStart: 4,
    scales: codes === INT8 || (codes === FLOATS && cosine) ? 4 : 0,
    squares: codes === INT8 && l2 ? 4 : 0,
    fineSquares: residual && l2 ? 4 : 0,
    links: m * 8,
    upper: m * 4,
    vectors: rowBytesOf(shape),
    residuals: residual ? rowBytesOf(shape) : 0,
    centroid: codes === ONE_BIT ? Math.ceil(shape.dim / 8) * 32 : 0,
  };
}

/** How many units a section has. */
export function unitCount(section: Section, rows: number, lists: number): number {
  if (section === 'centroid') return 1;
  return section === 'upper' ? lists : rows;
}

export function layoutOf(shape: Shape, rows: number, lists: number): Layout {
  const units = unitBytes(shape);
  const places = {} as Record<Section, Place>;
  let offset = HEADER_BYTES;
  for (const section of SECTIONS) {
    const bytes = units[section] * unitCount(section, rows, lists);
    places[section] = { offset, bytes };
    offset = alignUp(offset + bytes);
  }
  return { places, bytes: offset };
}

export function writeHeader(words: Uint32Array, shape: Shape): void {
  words.fill(0, 0, HEADER_BYTES / 4);
  words[WORD.magic] = MAGIC;
  words[WORD.version] = isOneBit(shape) ? ONE_BIT_VERSION : VERSION;
  words[WORD.dim] = shape.dim;
  words[WORD.metric] = shape.metric;
  words[WORD.codes] = shape.codes;
  words[WORD.flags] = (shape.residual ? RESIDUAL : 0) | (shape.rotated ? ROTATED : 0);
  words[WORD.m] = shape.m;
  words[WORD.efConstruction] = shape.efConstruction;
  words[WORD.seed] = shape.seed;
  words[WORD.entry] = NONE;
  words[WORD.maxLevel] = NONE;
}

export function corrupt(what: string, details: Record<string, unknown>): KernelError {
  return new KernelError('INDEX_CORRUPT', `graph index: ${what}`, { details });
}

/** What the header of saved bytes says, after every check that needs no other bytes. Throws INDEX_CORRUPT. */
export function readHeader(bytes: Uint8Array): { shape: Shape; rows: number; lists: number; layout: Layout } {
  const { word, within, mustBeZero } = readWords(bytes, { headerBytes: HEADER_BYTES, words: WORD }, corrupt);
  within('magic', MAGIC, MAGIC);
  const oneBit = within('version', VERSION, ONE_BIT_VERSION) === ONE_BIT_VERSION;
  within('length', bytes.length, bytes.length);
  const codes = oneBit ? within('codes', ONE_BIT, ONE_BIT) : within('codes', FLOATS, INT8);
  const flags = oneBit ? within('flags', ROTATED, ROTATED) : within('flags', 0, codes === INT8 ? RESIDUAL | ROTATED : 0);
  const shape: Shape = {
    dim: within('dim', 1, MAX_DIM),
    metric: within('metric', 0, 2),
    codes,
    residual: (flags & RESIDUAL) !== 0,
    rotated: (flags & ROTATED) !== 0,
    m: within('m', 2, MAX_M),
    efConstruction: within('efConstruction', 1, MAX_EF_CONSTRUCTION),
    seed: word('seed'),
  };
  const rows = within('rows', 0, MAX_ROWS);
  const lists = word('lists');
  const layout = layoutOf(shape, rows, lists);
  if (layout.bytes !== bytes.length)
    throw corrupt(`${layout.bytes} bytes expected, got ${bytes.length}`, { expected: layout.bytes, got: bytes.length });
  mustBeZero(ZERO_WORDS);
  return { shape, rows, lists, layout };
}
