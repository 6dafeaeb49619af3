import type { FieldDefinition } from '@terndb/core';
import { KernelError } from '@terndb/kernel';
import type { Segment } from '../segment/types.ts';

/**
 * From so many rows on a graph beats the exact scan. Measured in Node on an AMD EPYC (COSINE, k 10, ef 128, int8 codes, re-ranked; exact scan
 * in ms, then how many times faster the graph is, at its recall):
 *
 *   rows     384 dim, 200 clusters    384 dim, Gaussian (worst case)    64 dim, Gaussian
 *    5,000   0.065  0.7 ×  1.00       0.068  0.7 ×  1.00                0.019  0.4 ×  1.00
 *   10,000   0.173  3.6 ×  1.00       0.126  1.4 ×  0.60                0.029  0.8 ×  0.96
 *   20,000   0.243  4.1 ×  1.00       0.233  2.2 ×  0.45                0.053  1.3 ×  0.88
 *   50,000   0.831  9.8 ×  1.00
 *
 * Below 10,000 rows the scan takes about a tenth of a millisecond, and the kernel's planner would choose it anyway.
 */
export const GRAPH_MIN_ROWS = 10_000;
/**
 * From so many rows on lists of int8 codes beat the exact scan; a graph is faster still. Measured at 384 dimensions, k 10, a quarter of the lists
 * (docs/benchmarks/codes.md): 0.8 to 1.0 × the scan's speed at 2,000 rows, 1.0 to 1.1 × at 5,000, 1.2 × at 10,000, 1.4 × at 20,000, 1.6 × at 30,000.
 */
export const LIST_MIN_ROWS = 10_000;
/** Rows without a vector are zeros in the index, never hits, but in the way: with more of them than this share a scan serves better. */
const MAX_NULL_SHARE = 0.1;
/** Equal rows give equal indexes, on every machine. */
export const SEED = 1;

export type VectorParams = Extract<FieldDefinition, { type: 'vector' }>['params'];
/** Types of index files over dense vectors: what finds rows, and what it keeps of them. */
export type VectorIndexType = 'hnsw' | 'hnsw-f32' | 'hnsw-b1' | 'ivf' | 'ivf-sq8' | 'ivf-b1';

const HNSW_TYPES = { none: 'hnsw-f32', sq8: 'hnsw', binary: 'hnsw-b1' } as const;
const IVF_TYPES = { none: 'ivf', sq8: 'ivf-sq8', binary: 'ivf-b1' } as const;

/** What a field of dense vectors asks for; undefined: an exact scan. */
export function vectorIndexType({ index: { type, quantization } }: VectorParams): VectorIndexType | undefined {
  if (type === 'FLAT') return undefined;
  if (type === 'IVF') return IVF_TYPES[quantization];
  // Left to us, int8 codes are the best for everything but memory.
  return HNSW_TYPES[type === 'AUTOINDEX' && quantization === 'none' ? 'sq8' : quantization];
}

/** Whether an index of this field finds candidates without its rows, so that those of a larger segment need not be in memory. */
export function servesWithoutRows(field: FieldDefinition | undefined, rows: number): boolean {
  if (field?.type !== 'vector' || field.params.index.engine !== undefined) return false;
  const type = vectorIndexType(field.params);
  return type !== undefined && type !== 'ivf' && rows >= (type.startsWith('ivf') ? LIST_MIN_ROWS : GRAPH_MIN_ROWS);
}

/** Whether any index would serve this field of this segment. */
export function wantsIndex(segment: Segment, field: FieldDefinition, minRows: number): boolean {
  if (field.type !== 'vector' || vectorIndexType(field.params) === undefined || segment.rows < minRows) return false;
  const nulls = segment.stats(field.name)?.nulls ?? segment.rows;
  return nulls <= segment.rows * MAX_NULL_SHARE && segment.vectors(field.name) !== undefined;
}

/** INDEX_CORRUPT for a whole index that is not one of this segment's; it is freed. */
export function mustBeOfSegment<T extends { readonly rows: number; readonly dim: number; readonly metric: string; free(): void }>(
  index: T,
  segment: Segment,
  field: FieldDefinition,
  isWhole: boolean,
): T {
  const { metric } = paramsOf(field);
  const block = segment.vectors(field.name);
  if (isWhole && index.rows === block?.rows && index.dim === block.dim && index.metric === metric) return index;
  const got = { rows: index.rows, dim: index.dim, metric: index.metric, isWhole };
  index.free();
  const expected = { rows: block?.rows ?? 0, dim: block?.dim ?? 0, metric, isWhole: true };
  throw new KernelError(
    'INDEX_CORRUPT',
    `index of ${segment.id}.${field.name}: ${JSON.stringify(expected)} expected, got ${JSON.stringify(got)}`,
    { details: { segment: segment.id, field: field.name, expected, got } },
  );
}

export function paramsOf(field: FieldDefinition): VectorParams {
  if (field.type !== 'vector') throw new KernelError('INTERNAL', `index: a vector field expected, got ${field.name} of type ${field.type}`);
  return field.params;
}
