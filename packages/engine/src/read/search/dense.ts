import { DbError } from '@terndb/core';
import type { Metric, ScanHits, VectorBlock } from '@terndb/kernel';
import { countBits } from '../../bitmap/bitmap.ts';
import { type ModelFilter, ofModel } from '../../embedding/vector-models.ts';
import type { Mask } from '../filter/mask.ts';
import { presentRows } from '../filter/present.ts';
import { searchIndex } from './approximate.ts';
import { nextFloat32Above } from './float32.ts';
import { type Steps, together } from './jobs.ts';
import { type Accuracy, type Matched, offerRow, type Ranker, type ScoreBounds, scoredTop } from './ranking.ts';
import { within } from './traced.ts';

export interface DenseQuery {
  readonly kind: 'dense';
  readonly field: string;
  readonly metric: Metric;
  readonly query: Float32Array;
  /** Only vectors of this space; left out: all, as the caller knows them to be of one. */
  readonly models?: ModelFilter;
}

/** The best of every block by the kernel: from an index where there is one and it pays, else by an exact scan. Scores are exact either way. Rows without a vector are never hits. DIMENSION_MISMATCH where the schema leaves the dim to the model. */
export function denseRanker({ field, metric, query, models }: DenseQuery, bounds: ScoreBounds, accuracy: Accuracy): Ranker {
  const range = { minScore: Math.max(bounds.atLeast, nextFloat32Above(bounds.above)), maxScore: nextFloat32Above(bounds.atMost) };
  return function* (context, matched, k) {
    const searched: Matched[] = [];
    const searches: Steps<ScanHits>[] = [];
    for (const part of matched) {
      const vectors = part.block.vectors(field);
      const present = withVectors(part, field);
      if (vectors === undefined || present === undefined) continue;
      const bitmap = models === undefined ? present : ofModel(part.block, field, present, models);
      // Vectors of another length than the text's are of another space: given by the application, or of a model that is being replaced.
      if (models !== undefined && (vectors.dim !== query.length || countBits(bitmap) === 0)) continue;
      if (vectors.dim !== query.length) throw wrongDim(context.collection, field, vectors.dim, query.length);
      const scan = { query, metric, k, ...range };
      const walked = accuracy.mayApproximate ? searchIndex(vectors, part.block, { ...scan, ...accuracy.effort, field, bitmap }) : undefined;
      if (walked !== undefined) accuracy.isApproximate = true;
      searched.push(part);
      const span = context.span?.child('segment', {
        partition: context.partitions[part.partition]!.partition,
        segment: part.block.id,
        rows: part.block.rows,
        survivors: countBits(bitmap),
        plan: walked === undefined ? 'scan' : 'index',
      });
      searches.push(within(span, walked ?? scanBlock(vectors, part, bitmap, scan)));
    }
    const found = yield* together(searches);
    const top = scoredTop(k);
    for (const [index, { offsets, scores }] of found.entries()) {
      for (let i = 0; i < offsets.length; i++) offerRow(top, searched[index]!, offsets[i]!, scores[i]!);
    }
    return top.sorted();
  };
}

function wrongDim(collection: string, field: string, expected: number, got: number): DbError {
  return new DbError('DIMENSION_MISMATCH', `${collection}.${field}: vector: dim ${expected} expected, got ${got}`, {
    details: { collection, field, option: 'vector', expected, got },
  });
}

interface ScanQuery {
  readonly query: Float32Array;
  readonly metric: Metric;
  readonly k: number;
  readonly minScore: number;
  readonly maxScore: number;
}

/**
 * The kernel breaks ties by offset. Where offsets ascend with the key that is the rule already; among growing rows a tie at the boundary
 * may have kept the wrong ones, so more are taken until the last score lies below it.
 */
function* scanBlock(vectors: VectorBlock, { block }: Matched, bitmap: Mask, scan: ScanQuery): Steps<ScanHits> {
  const { query, metric, k } = scan;
  const work = { kind: 'rows', target: vectors, isSealed: block.sortedByKey, products: countBits(bitmap) * vectors.dim } as const;
  const options = {
    query,
    metric,
    bitmap,
    rows: Math.min(block.rows, vectors.rows),
    ...(scan.minScore > -Infinity ? { minScore: scan.minScore } : {}),
    ...(scan.maxScore < Infinity ? { maxScore: scan.maxScore } : {}),
  };
  for (let taken = block.sortedByKey ? k : k + 1; ; taken *= 2) {
    const [hits] = yield [{ ...work, options: { ...options, k: taken } }];
    const { scores } = hits!;
    const count = scores.length;
    if (block.sortedByKey || count < taken || scores[count - 1]! < scores[k - 1]!) return hits!;
  }
}

/** The matched rows that have a value in this field, only to be read; undefined when the block is older than the field. */
export function withVectors({ block, mask }: Matched, field: string): Mask | undefined {
  const column = block.column(field);
  if (column === undefined) return undefined;
  return column.kind !== 'values' && column.validity === null ? mask : presentRows(column, mask, block.rows);
}
