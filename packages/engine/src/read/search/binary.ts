import type { BinaryMetric } from '@terndb/core';
import { countBits, popCount, setOffsets } from '../../bitmap/bitmap.ts';
import { withVectors } from './dense.ts';
import { nextFloat32Above } from './float32.ts';
import type { VectorJob } from './jobs.ts';
import { type Matched, offerRow, passesBounds, type Ranker, type ScoreBounds, scoredTop } from './ranking.ts';

const WORD_BITS = 32;

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
  return function* (_context, matched, k) {
    const top = scoredTop(k);
    const searched: Matched[] = [];
    const jobs: VectorJob[] = [];
    for (const part of matched) {
      const present = withVectors(part, field);
      if (present === undefined) continue;
      const bits = part.block.bits?.(field);
      if (bits !== undefined) {
        // Of equal scores the kernel keeps lower offsets, which in sealed rows are smaller keys.
        const options = { query, metric, k, bitmap: present, rows: part.block.rows, ...range };
        // A register holds as many numbers as a word has bits.
        const products = (countBits(present) * bits.dim) / WORD_BITS;
        jobs.push({ kind: 'bits', target: bits, options, isSealed: part.block.sortedByKey, products });
        searched.push(part);
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
    if (jobs.length === 0) return top.sorted();
    for (const [index, { offsets, scores }] of (yield jobs).entries()) {
      for (let i = 0; i < offsets.length; i++) offerRow(top, searched[index]!, offsets[i]!, scores[i]!);
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
