import { compareStamps } from '@terndb/core';
import { forEachSet } from '../bitmap/bitmap.ts';
import type { TombstoneSet } from '../tombstones/tombstone-set.ts';
import type { BlockState } from './block-state.ts';

/**
 * Masks, by key, every row that a newer row or a tombstone supersedes. Manifests make this needless, except for a segment that could not be
 * read for a while. Cost: one lookup per live row and block.
 */
export function maskSuperseded(blocks: readonly BlockState[], tombstones: TombstoneSet): void {
  for (const block of blocks) {
    forEachSet(block.live.share(), (offset) => {
      if (isSuperseded(block, offset, blocks, tombstones)) block.live.clear(offset);
    });
  }
}

function isSuperseded(block: BlockState, offset: number, blocks: readonly BlockState[], tombstones: TombstoneSet): boolean {
  const key = block.source.keyAt(offset);
  const { put } = block.source.stampsAt(offset);
  const tombstone = tombstones.get(key);
  if (tombstone !== undefined && compareStamps(tombstone.delete, put) >= 0) return true;
  return blocks.some((other) => {
    const found = other === block ? -1 : other.source.findKey(key);
    if (found < 0 || !other.live.has(found)) return false;
    const order = compareStamps(other.source.stampsAt(found).put, put);
    if (order !== 0) return order > 0;
    // The same put twice: the copy with the newer patches counts, then the later block.
    const versions = other.source.versionAt(found) - block.source.versionAt(offset);
    return versions !== 0 ? versions > 0 : blocks.indexOf(other) > blocks.indexOf(block);
  });
}
