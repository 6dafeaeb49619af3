import type { BinaryMetric } from '@terndb/core';
import { popCount, setOffsets } from '../../bitmap/bitmap.ts';
import { withVectors } from './dense.ts';
import { nextFloat32Above } from './float32.ts';
import { offerRow, passesBounds, type Ranker, type ScoreBounds, scoredTop } from './ranking.ts';

export interface BinaryQuery {
  readonly kind: 'binary';
  readonly field: string;
  readonly metric: BinaryMetric;
  readonly query: Uint8Array;
}

/** Exact scan; the score is the negated distance, a float32 as of other vectors. */
export function binaryRanker({ field, metric, query }: BinaryQuery, bounds: ScoreBounds): Ranker {
  const distance = metric === 'HAMMING' ? hammingDistance : jaccardDistance;
  const range = { minScore: Math.max(bounds.atLeast, nextFloat32Above(bounds.above)), maxScore: nextFloat32Above(bounds.atMost) };
  return (_context, matched, k) => {
    const top = scoredTop(k);
    for (const part of matched) {
      const present = withVectors(part, field);
      if (present === undefined) continue;
      const bits = part.block.bits?.(field);
      if (bits !== undefined) {
        // Of equal scores the kernel keeps lower offsets, which in sealed rows are smaller keys.
        const hits = bits.scan({ query, metric, k, bitmap: present, rows: part.block.rows, ...range });
        for (let i = 0; i < hits.offsets.length; i++) offerRow(top, part, hits.offsets[i]!, hits.scores[i]!);
        continue;
      }
      const column = part.block.column(field)!;
      for (const offset of setOffsets(present)) {
        const score =
          column.kind === 'bytes'
            ? 0 - distance(query, column.bytes, column.offsets[offset]!)
            : 0 - distance(query, part.block.valueAt(field, offset) as Uint8Array, 0);
        if (passesBounds(score, bounds)) offerRow(top, part, offset, score);
      }
    }
    return top.sorted();
  };
}

/** Bits that differ. */
function hammingDistance(query: Uint8Array, bytes: Uint8Array, start: number): number {
  let different = 0;
  for (let i = 0; i < query.length; i++) different += popCount(query[i]! ^ bytes[start + i]!);
  return different;
}

/** One less the share of common bits among those set in either; 0 when both are empty. */
function jaccardDistance(query: Uint8Array, bytes: Uint8Array, start: number): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < query.length; i++) {
    both += popCount(query[i]! & bytes[start + i]!);
    either += popCount(query[i]! | bytes[start + i]!);
  }
  return either === 0 ? 0 : Math.fround((either - both) / either);
}
