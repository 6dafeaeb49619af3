/**
 * Scalar index file, version 1. All integers little-endian. One per segment and field; of the rows that have a value.
 *   0  u32  magic "SCX1"     4  u8 version    5  u8 structure (1 sorted, 2 inverted, 3 bitmap)
 *   6  u8   values (0 the column's own, 1 float64, 2 int64, 3 false and true)          7  u8 1 if a value is not a number (NaN), else 0
 *   8  u32  rows of the segment      12  u32 terms (sorted: 0)      16  u32 entries: pairs of a row and a value of it      20  u32 zero
 *  24  3 * { u32 offset, u32 bytes }: the sections, in the order below, each at a multiple of 64
 *  48  12 bytes zero     60  u32 crc32c of all other bytes
 * Sections:
 *   values   inverted, bitmap: the distinct values (terms), ascending, as the kind of values says. Terms of keywords are the segment's dictionary, terms
 *            of booleans false and true: nothing is written. Empty for sorted.
 *   starts   inverted, bitmap: terms + 1 of u32: how many entries the terms before have
 *   rows     sorted: u32 per entry, rows ascending by value (of keywords: by code units; of strings: as their code units order), then by row.
 *            inverted: u32 per entry, rows of the first term, of the next …, each ascending.
 *            bitmap: ceil(rows / 32) u32 per term, bit `row & 31` of word `row >> 5`
 * -0 is 0. A row of a list field has one entry per distinct item. A file that says that a value is not a number answers nothing: columns do.
 * History: 1 first version. Reads: 1. Unknown version -> FORMAT_VERSION_UNSUPPORTED; anything else wrong -> INDEX_CORRUPT.
 */
export const MAGIC = 0x31584353;
export const VERSION = 1;
export const HEADER_BYTES = 64;
export const CHECKSUM_AT = 60;
export const SECTIONS_AT = 24;
export const SECTION_NAMES = ['values', 'starts', 'rows'] as const;
export type SectionName = (typeof SECTION_NAMES)[number];
/** By their number in the file, from 1. */
export const STRUCTURES = ['sorted', 'inverted', 'bitmap'] as const;
export const VALUES = { column: 0, float64: 1, int64: 2, booleans: 3 } as const;
