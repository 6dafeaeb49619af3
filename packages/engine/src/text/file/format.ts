/**
 * Text index file, version 1. All integers little-endian; a varint is LEB128 of at most 32 bits. One per segment and searchable text field.
 *   0  u32  magic "TTX1"       4  u8 version     5  u8 bytes per row length (1, 2 or 4)     6  u16 zero
 *   8  u32  rows              12  u32 rows with a term               16  f64 terms in all rows
 *  24  u32  distinct terms    28  u32 zero
 *  32  6 * { u32 offset, u32 bytes }: the sections, in the order below, each at a multiple of 64
 *  80  u32  zero              84  u32 crc32c of all other bytes
 * Sections:
 *   analyzer    UTF-8: the id of the analyzer (core, analyzer.ts). Another id: the file is of no use, and is written anew.
 *   lengths     terms per row, u8, u16 or u32 by the longest
 *   blocks      u32 per dictionary block: where it starts in the dictionary
 *   dictionary  terms ascending by their UTF-8 bytes, 16 to a block. A block: varint bytes of its first term, the term, varint where its postings
 *               start, varint where its positions start, entry; then per term varint bytes shared with the one before, varint bytes of
 *               the rest, the rest, entry. Postings and positions of the terms of a block follow each other.
 *               entry: varint rows with the term, varint bytes of postings, varint bytes of positions, varint highest frequency, varint
 *               fewest terms of such a row
 *   postings    of a term in more than 128 rows first a directory: per block of 128 rows varint last row less the last of the block before (-1
 *               before the first), varint bytes of postings, varint bytes of positions, varint highest frequency, varint fewest terms.
 *               Then per row varint (row less the row before less 1) * 2 + (1 if it has the term once), else varint frequency
 *   positions   per row and occurrence varint position less the position before in the row (0 before the first)
 * History: 1 first version. Reads: 1. Unknown version -> FORMAT_VERSION_UNSUPPORTED; anything else wrong -> INDEX_CORRUPT.
 */
export const MAGIC = 0x31585454;
export const VERSION = 1;
export const HEADER_BYTES = 88;
export const CHECKSUM_AT = 84;
export const SECTIONS_AT = 32;
export const SECTION_NAMES = ['analyzer', 'lengths', 'blocks', 'dictionary', 'postings', 'positions'] as const;
export type SectionName = (typeof SECTION_NAMES)[number];
export const TERMS_PER_BLOCK = 16;
