import type { SparseValue } from '@terndb/core';
import { setOffsets } from '../../bitmap/bitmap.ts';
import type { Column } from '../../columns/column.ts';
import { offerScored } from '../../text/max-score.ts';
import { sparseIndexOf } from '../../text/sparse-index.ts';
import { withVectors } from './dense.ts';
import { settled } from './jobs.ts';
import { offerRow, passesBounds, type Ranker, type ScoreBounds, scoredTop } from './ranking.ts';

export interface SparseQuery {
  readonly kind: 'sparse';
  readonly field: string;
  readonly query: SparseValue;
}

/** Exact inner product; a row that shares no dimension with the query is not a hit. Sums in double precision, by ascending dimension. */
export function sparseRanker({ field, query }: SparseQuery, bounds: ScoreBounds): Ranker {
  const weights = new Map<number, number>();
  query.indices.forEach((index, i) => {
    weights.set(index, query.values[i]!);
  });
  return (_context, matched, k) => {
    const top = scoredTop(k);
    for (const part of matched) {
      const present = withVectors(part, field);
      if (present === undefined) continue;
      const column = part.block.column(field)!;
      const index = column.kind === 'sparse' ? sparseIndexOf(part.block, field, column) : undefined;
      if (index !== undefined) {
        // Dimensions ascend in a query: sums have the order of the scan.
        const cursors = [...weights].flatMap(([dimension, weight]) => index.cursor(dimension, weight) ?? []);
        offerScored(cursors, {
          rows: part.block.rows,
          mask: part.mask,
          limit: () => Math.max(top.worst?.score ?? -Infinity, bounds.atLeast, bounds.above),
          offer: (offset, score) => {
            if (passesBounds(score, bounds)) offerRow(top, part, offset, score);
          },
        });
        continue;
      }
      const read = sparseReader(column, (offset) => part.block.valueAt(field, offset) as SparseValue);
      for (const offset of setOffsets(present)) {
        const score = innerProduct(read(offset), weights);
        if (score !== undefined && passesBounds(score, bounds)) offerRow(top, part, offset, score);
      }
    }
    return settled(top.sorted());
  };
}

interface SparseSlice {
  readonly indices: Uint32Array;
  readonly values: Float32Array;
  readonly start: number;
  readonly end: number;
}

function sparseReader(column: Column, valueAt: (offset: number) => SparseValue): (offset: number) => SparseSlice {
  if (column.kind === 'sparse') {
    const { offsets, indices, values } = column;
    return (offset) => ({ indices, values, start: offsets[offset]!, end: offsets[offset + 1]! });
  }
  return (offset) => {
    const { indices, values } = valueAt(offset);
    return { indices, values, start: 0, end: indices.length };
  };
}

function innerProduct({ indices, values, start, end }: SparseSlice, weights: ReadonlyMap<number, number>): number | undefined {
  let sum = 0;
  let shared = false;
  for (let i = start; i < end; i++) {
    const weight = weights.get(indices[i]!);
    if (weight === undefined) continue;
    sum += weight * values[i]!;
    shared = true;
  }
  return shared ? sum : undefined;
}
