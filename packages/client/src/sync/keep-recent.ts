import type { Manifest, ManifestSegment } from '@terndb/engine/parts';

/** Of `keep: 'recent'` without a figure: some hundred thousand short texts, or fifty thousand of them with vectors. */
export const DEFAULT_BUDGET_BYTES: number = 64 * 1024 * 1024;

/** Segments of a manifest (by id) that do not fit: the newest stay, each with its indexes, and of older ones what still fits. Null: all fit. */
export function leftOutOf(manifest: Manifest, budgetBytes: number | null): readonly string[] {
  if (budgetBytes === null) return [];
  const leftOut: string[] = [];
  let left = budgetBytes;
  // Oldest first in a manifest.
  for (const segment of manifest.segments.toReversed()) {
    const bytes = bytesOf(segment);
    if (bytes <= left) left -= bytes;
    else leftOut.push(segment.id);
  }
  return leftOut;
}

function bytesOf({ bytes, indexes }: ManifestSegment): number {
  return indexes.reduce((sum, index) => sum + index.bytes, bytes);
}
