import { crc32c, DbError } from '@terndb/core';
import { type Kernel, KernelError, type VectorBlock } from '@terndb/kernel';
import { formatInvalid } from '../bytes/damage.ts';
import { asFloat32 } from '../bytes/typed-views.ts';
import type { SectionEntry } from './format.ts';
import { endOf, type SegmentFile } from './segment-file.ts';

/** Vectors pass through memory in pieces of about this size on their way into the kernel. */
const PIECE_BYTES = 4 << 20;

export interface VectorSection {
  readonly entry: SectionEntry;
  readonly dim: number;
  readonly rows: number;
}

/**
 * Streams a section of dense vectors into a new kernel block, the next piece being read while one is summed and copied.
 * @throws CHECKSUM_MISMATCH, FORMAT_INVALID, MEMORY_LIMIT, and then the block is freed.
 */
export async function loadVectors(file: SegmentFile, kernel: Kernel, section: VectorSection): Promise<VectorBlock> {
  const { entry, dim, rows } = section;
  if (dim === 0 || entry.length !== rows * dim * 4) {
    throw formatInvalid(file.what, `field ${entry.field}: ${rows} vectors of ${dim} dimensions expected, got ${entry.length} bytes`);
  }
  let block: VectorBlock | undefined;
  try {
    block = kernel.createBlock({ dim, capacity: rows });
    const checksum = await appendPieces(file, block, entry);
    file.check(entry, checksum);
    return block;
  } catch (error) {
    block?.free();
    throw error instanceof KernelError ? refusal(error, file.what, section) : error;
  }
}

/** No memory is the device's trouble; anything else that the kernel refuses is the file's. */
function refusal(error: KernelError, what: string, { entry, dim, rows }: VectorSection): DbError {
  const code = error.code === 'MEMORY_LIMIT' || error.code === 'INTERNAL' ? error.code : 'FORMAT_INVALID';
  const details = { what, field: entry.field, dim, rows };
  return new DbError(code, `${what}: field ${entry.field}: ${error.message}`, { details, cause: error });
}

/** @returns the checksum of the section and its padding. */
async function appendPieces(file: SegmentFile, block: VectorBlock, entry: SectionEntry): Promise<number> {
  const rowBytes = block.dim * 4;
  const pieceBytes = Math.max(1, Math.floor(PIECE_BYTES / rowBytes)) * rowBytes;
  const end = endOf(entry);
  const dataEnd = entry.offset + entry.length;
  const readPiece = (at: number): Promise<Uint8Array> => {
    // The last piece takes the padding along.
    const piece = file.read(at, at + pieceBytes >= dataEnd ? end - at : pieceBytes);
    // If an earlier piece fails, nobody waits for this one any more.
    piece.catch(() => {});
    return piece;
  };
  let checksum = 0;
  let next = readPiece(entry.offset);
  for (let at = entry.offset; at < dataEnd; at += pieceBytes) {
    const piece = await next;
    if (at + pieceBytes < dataEnd) next = readPiece(at + pieceBytes);
    checksum = crc32c(piece, checksum);
    block.append(asFloat32(piece.subarray(0, Math.min(pieceBytes, dataEnd - at))));
  }
  return checksum;
}
