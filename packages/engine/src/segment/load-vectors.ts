import { crc32c, DbError, ELEMENT_BYTES, type ScratchFile, type ScratchFiles, type VectorElements } from '@terndb/core';
import { type Kernel, KernelError, type VectorBlock } from '@terndb/kernel';
import { formatInvalid } from '../bytes/damage.ts';
import type { SectionEntry } from './format.ts';
import { endOf, type SegmentFile } from './segment-file.ts';
import { StoredRows } from './stored-rows.ts';

/**
 * Vectors pass through memory in pieces of at most this. Pieces end where multiples of it lie in the file: stores keep objects in chunks of a
 * power of two up to this size, so no chunk is read twice.
 */
const PIECE_BYTES = 4 << 20;
/** Pieces asked for before they are needed: the store works while one is summed and copied. */
const PIECES_AHEAD = 2;

export interface VectorSection {
  readonly entry: SectionEntry;
  readonly dim: number;
  readonly rows: number;
  readonly elements: VectorElements;
}

/** The section in a file of its own, and not in memory. Undefined when there is no room for one: then they are loaded. */
export async function storeVectors(
  file: SegmentFile,
  kernel: Kernel,
  section: VectorSection & { readonly scratch: ScratchFiles },
): Promise<StoredRows | undefined> {
  const { entry, dim, rows, elements, scratch } = section;
  mustFit(file, section);
  let stored: ScratchFile | undefined;
  try {
    const into = await scratch.create(entry.length);
    stored = into;
    let at = 0;
    const checksum = await eachPiece(file, entry, (piece) => {
      into.write(at, piece);
      at += piece.length;
    });
    file.check(entry, checksum);
    return new StoredRows({ kernel, file: into, dim, rows, elements, what: file.what });
  } catch (error) {
    stored?.free();
    if (error instanceof DbError && (error.code === 'STORAGE_FULL' || error.code === 'STORAGE_UNAVAILABLE')) return undefined;
    throw error;
  }
}

/**
 * Streams a section of dense vectors into a new kernel block, the next piece being read while one is summed and copied.
 * @throws CHECKSUM_MISMATCH, FORMAT_INVALID, MEMORY_LIMIT, and then the block is freed.
 */
export async function loadVectors(file: SegmentFile, kernel: Kernel, section: VectorSection): Promise<VectorBlock> {
  const { entry, dim, rows, elements } = section;
  mustFit(file, section);
  let block: VectorBlock | undefined;
  try {
    const into = kernel.createBlock({ dim, elements, capacity: rows });
    block = into;
    const checksum = await eachPiece(file, entry, (piece) => into.appendBytes(piece));
    file.check(entry, checksum);
    return block;
  } catch (error) {
    block?.free();
    throw error instanceof KernelError ? refusal(error, file.what, section) : error;
  }
}

function mustFit(file: SegmentFile, { entry, dim, rows, elements }: VectorSection): void {
  if (dim !== 0 && entry.length === rows * dim * ELEMENT_BYTES[elements]) return;
  throw formatInvalid(file.what, `field ${entry.field}: ${rows} vectors of ${dim} ${elements} expected, got ${entry.length} bytes`);
}

/** No memory is the device's trouble; anything else that the kernel refuses is the file's. */
function refusal(error: KernelError, what: string, { entry, dim, rows }: VectorSection): DbError {
  const code = error.code === 'MEMORY_LIMIT' || error.code === 'INTERNAL' ? error.code : 'FORMAT_INVALID';
  const details = { what, field: entry.field, dim, rows };
  return new DbError(code, `${what}: field ${entry.field}: ${error.message}`, { details, cause: error });
}

/** @returns the checksum of the section and its padding. */
async function eachPiece(file: SegmentFile, entry: SectionEntry, visit: (piece: Uint8Array) => void): Promise<number> {
  const dataEnd = entry.offset + entry.length;
  const ends = pieceEnds(entry.offset, endOf(entry));
  const pieces: Promise<Uint8Array>[] = [];
  const ask = (index: number): void => {
    if (index >= ends.length) return;
    const start = ends[index - 1] ?? entry.offset;
    const piece = file.read(start, ends[index]! - start);
    // If an earlier piece fails, nobody waits for this one any more.
    piece.catch(() => {});
    pieces.push(piece);
  };
  for (let index = 0; index < PIECES_AHEAD; index++) ask(index);
  let checksum = 0;
  let at = entry.offset;
  for (const [index, end] of ends.entries()) {
    ask(index + PIECES_AHEAD);
    const piece = await pieces.shift()!;
    checksum = crc32c(piece, checksum);
    if (at < dataEnd) visit(piece.subarray(0, Math.min(end, dataEnd) - at));
    at = end;
  }
  return checksum;
}

function pieceEnds(start: number, end: number): readonly number[] {
  const ends: number[] = [];
  for (let at = start; at < end; at = ends.at(-1)!) ends.push(Math.min(end, (Math.floor(at / PIECE_BYTES) + 1) * PIECE_BYTES));
  return ends;
}
