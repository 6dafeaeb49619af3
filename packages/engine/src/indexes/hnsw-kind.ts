import type { FieldDefinition } from '@terndb/core';
import { createHnsw, type HnswIndex, type Kernel, KernelError, MAX_EF_CONSTRUCTION, MAX_M, openHnsw } from '@terndb/kernel';
import type { Segment } from '../segment/types.ts';
import type { BuildContext, IndexKind } from './types.ts';

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
/** Rows without a vector are zeros in the graph, never hits, but in the way: with more of them than this share a scan serves better. */
const MAX_NULL_SHARE = 0.1;
/**
 * Between two pauses: 2 to 4 ms of work. Linking a row takes about 40 µs and a quarter of one per dimension (efConstruction 200; measured at 32,
 * 64 and 384 dimensions), encoding one about 1 µs per 80.
 */
const STEP_US = 3_000;
const LINK_ROW_US = 40;
const LINK_DIM_US = 0.25;
const USUAL_EF_CONSTRUCTION = 200;
const ENCODED_FLOATS_PER_STEP = 250_000;
/** Equal rows give equal graphs, on every machine. */
const SEED = 1;

/** A graph over the vectors of one segment (`docs/formats/hnsw.md`): int8 codes; hits are scored again from the segment's float32 rows. */
export const HNSW_KIND: IndexKind<HnswIndex> = hnswKind(GRAPH_MIN_ROWS);

/** `minRows`: for tests, which want graphs over few rows. `leaves`: fields that another kind serves. */
export function hnswKind(minRows: number, leaves: (field: FieldDefinition) => boolean = () => false): IndexKind<HnswIndex> {
  const wants = (segment: Segment, field: FieldDefinition): boolean => !leaves(field) && wantsGraph(segment, field, minRows);
  return { type: 'hnsw', wants, build, open, close: (index) => index.free() };
}

/** Whether any graph would serve this field of this segment. */
export function wantsGraph(segment: Segment, field: FieldDefinition, minRows: number): boolean {
  if (field.type !== 'vector' || field.params.index.type === 'FLAT' || segment.rows < minRows) return false;
  const nulls = segment.stats(field.name)?.nulls ?? segment.rows;
  return nulls <= segment.rows * MAX_NULL_SHARE && segment.vectors(field.name) !== undefined;
}

async function build(segment: Segment, field: FieldDefinition, { kernel, pause, onProgress }: BuildContext): Promise<Uint8Array[]> {
  const block = segment.vectors(field.name)!;
  const { metric, index } = paramsOf(field);
  // A schema may name more, as in Milvus; the kernel builds the best it can.
  const m = Math.min(index.m, MAX_M);
  const efConstruction = Math.min(index.efConstruction, MAX_EF_CONSTRUCTION);
  const graph = createHnsw(kernel, {
    dim: block.dim,
    metric,
    m,
    efConstruction,
    seed: SEED,
    capacity: block.rows,
  });
  try {
    const encoded = Math.max(1, Math.floor(ENCODED_FLOATS_PER_STEP / block.dim));
    while (graph.rows < block.rows) {
      graph.addFrom(block, Math.min(encoded, block.rows - graph.rows));
      await pause();
    }
    const rowUs = (LINK_ROW_US + LINK_DIM_US * block.dim) * (efConstruction / USUAL_EF_CONSTRUCTION);
    const linked = Math.max(1, Math.floor(STEP_US / rowUs));
    while (graph.linked < graph.rows) {
      graph.buildStep(linked);
      onProgress(graph.linked / graph.rows);
      await pause();
    }
    return [graph.save()];
  } finally {
    graph.free();
  }
}

/** Throws INDEX_CORRUPT also for a whole graph that is not one of this segment's. */
function open(bytes: Uint8Array<ArrayBuffer>, segment: Segment, field: FieldDefinition, kernel: Kernel): HnswIndex {
  const graph = openHnsw(kernel, bytes);
  const { metric } = paramsOf(field);
  const block = segment.vectors(field.name);
  if (graph.rows === block?.rows && graph.linked === graph.rows && graph.dim === block.dim && graph.metric === metric) return graph;
  const got = { rows: graph.rows, linked: graph.linked, dim: graph.dim, metric: graph.metric };
  graph.free();
  const expected = { rows: block?.rows ?? 0, dim: block?.dim ?? 0, metric };
  throw new KernelError(
    'INDEX_CORRUPT',
    `graph of ${segment.id}.${field.name}: ${JSON.stringify(expected)} expected, got ${JSON.stringify(got)}`,
    { details: { segment: segment.id, field: field.name, expected, got } },
  );
}

function paramsOf(field: FieldDefinition): Extract<FieldDefinition, { type: 'vector' }>['params'] {
  if (field.type !== 'vector') throw new KernelError('INTERNAL', `graph: a vector field expected, got ${field.name} of type ${field.type}`);
  return field.params;
}
