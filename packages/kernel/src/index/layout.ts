/**
 * Graph index, version 1. All numbers little-endian; sections start at multiples of 64, bytes between them are zero.
 *
 *    0  u32  magic "THN1"                      48  u32  seed
 *    4  u32  version (1)                       52  u32  zero
 *    8  u64  XXH64 (seed 0) of all bytes       56  u32  rows
 *            from 16 on                        60  u32  linked: rows below it are in the graph
 *   16  u32  length of the whole, bytes        64  u32  entry row; 0xffffffff while nothing is linked
 *   20  u32  zero                              68  i32  highest level; −1 while nothing is linked
 *   24  u32  dim                               72  u32  lists: sum of all rows' levels
 *   28  u32  metric: 0 COSINE, 1 IP, 2 L2      76  zero up to 128
 *   32  u32  codes: 0 float32, 1 int8
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
 *   residuals     as the codes
 *
 * A row's level is a function of seed, m and its number (`assembly/graph/index.ts`), so `upperStart` is known and checked.
 * The bytes in kernel memory are these bytes, with room between the sections while rows are added. History: 1 first version. Reads: 1.
 */
import { codeBytesOf } from '../block/screening.ts';
import { KernelError } from '../errors.ts';
import { alignUp } from '../memory/free-list.ts';

export const MAGIC = 0x314e4854;
export const VERSION = 1;
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
  coded: 8,
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

/** What of an index never changes. `metric` is the kernel's number. */
export interface Shape {
  readonly dim: number;
  readonly metric: number;
  readonly coded: boolean;
  readonly residual: boolean;
  readonly rotated: boolean;
  readonly m: number;
  readonly efConstruction: number;
  readonly seed: number;
}

export const SECTIONS = ['upperStart', 'scales', 'squares', 'fineSquares', 'links', 'upper', 'vectors', 'residuals'] as const;
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

export const rowBytesOf = (shape: Shape): number => (shape.coded ? codeBytesOf(shape.dim) : Math.ceil(shape.dim / 4) * 16);

/** Bytes of one row (of one list for `upper`) in each section; 0 for a section that is not there. */
export function unitBytes(shape: Shape): Record<Section, number> {
  const { coded, residual, m } = shape;
  const [cosine, l2] = [shape.metric === 0, shape.metric === 2];
  return {
    upperStart: 4,
    scales: coded || cosine ? 4 : 0,
    squares: coded && l2 ? 4 : 0,
    fineSquares: residual && l2 ? 4 : 0,
    links: m * 8,
    upper: m * 4,
    vectors: rowBytesOf(shape),
    residuals: residual ? rowBytesOf(shape) : 0,
  };
}

export function layoutOf(shape: Shape, rows: number, lists: number): Layout {
  const units = unitBytes(shape);
  const places = {} as Record<Section, Place>;
  let offset = HEADER_BYTES;
  for (const section of SECTIONS) {
    const bytes = units[section] * (section === 'upper' ? lists : rows);
    places[section] = { offset, bytes };
    offset = alignUp(offset + bytes);
  }
  return { places, bytes: offset };
}

export function writeHeader(words: Uint32Array, shape: Shape): void {
  words.fill(0, 0, HEADER_BYTES / 4);
  words[WORD.magic] = MAGIC;
  words[WORD.version] = VERSION;
  words[WORD.dim] = shape.dim;
  words[WORD.metric] = shape.metric;
  words[WORD.coded] = Number(shape.coded);
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
  if (bytes.length < HEADER_BYTES)
    throw corrupt(`at least ${HEADER_BYTES} bytes expected, got ${bytes.length}`, { expected: HEADER_BYTES, got: bytes.length });
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const word = (index: number): number => view.getUint32(index * 4, true);
  const within = (name: keyof typeof WORD, low: number, high: number): number => {
    const value = word(WORD[name]);
    if (value >= low && value <= high) return value;
    throw corrupt(`${name} from ${low} to ${high} expected, got ${value}`, { field: name, low, high, got: value });
  };
  within('magic', MAGIC, MAGIC);
  within('version', VERSION, VERSION);
  within('length', bytes.length, bytes.length);
  const coded = within('coded', 0, 1) === 1;
  const flags = within('flags', 0, coded ? RESIDUAL | ROTATED : 0);
  const shape: Shape = {
    dim: within('dim', 1, MAX_DIM),
    metric: within('metric', 0, 2),
    coded,
    residual: (flags & RESIDUAL) !== 0,
    rotated: (flags & ROTATED) !== 0,
    m: within('m', 2, MAX_M),
    efConstruction: within('efConstruction', 1, MAX_EF_CONSTRUCTION),
    seed: word(WORD.seed),
  };
  const rows = within('rows', 0, MAX_ROWS);
  const lists = word(WORD.lists);
  const layout = layoutOf(shape, rows, lists);
  if (layout.bytes !== bytes.length)
    throw corrupt(`${layout.bytes} bytes expected, got ${bytes.length}`, { expected: layout.bytes, got: bytes.length });
  if (ZERO_WORDS.some((index) => word(index) !== 0)) throw corrupt('reserved bytes of the header are not zero', {});
  return { shape, rows, lists, layout };
}
