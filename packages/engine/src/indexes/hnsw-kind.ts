import type { FieldDefinition } from '@terndb/core';
import {
  createHnsw,
  type HnswCodes,
  type HnswIndex,
  type HnswOptions,
  type Kernel,
  MAX_EF_CONSTRUCTION,
  MAX_M,
  openHnsw,
  type VectorBlock,
} from '@terndb/kernel';
import { StoredRows } from '../segment/stored-rows.ts';
import type { Segment } from '../segment/types.ts';
import type { BuildContext, IndexKind } from './types.ts';
import { GRAPH_MIN_ROWS, mustBeOfSegment, paramsOf, SEED, type VectorIndexType, vectorIndexType, wantsIndex } from './vector-kinds.ts';

/**
 * Between two pauses: 2 to 4 ms of work. Linking a row takes about 40 µs and a quarter of one per dimension (efConstruction 200; measured at 32,
 * 64 and 384 dimensions), encoding one about 1 µs per 80.
 */
const STEP_US = 3_000;
const LINK_ROW_US = 40;
const LINK_DIM_US = 0.25;
/** Links by float32 rows are that much dearer than those by int8 codes. */
const FLOAT_WEIGHT = 3;
const USUAL_EF_CONSTRUCTION = 200;
const ENCODED_FLOATS_PER_STEP = 250_000;

type HnswType = Extract<VectorIndexType, `hnsw${string}`>;
const CODES: Readonly<Record<HnswType, HnswCodes>> = { hnsw: 'sq8', 'hnsw-f32': 'f32', 'hnsw-b1': 'b1' };

/** One each, so that another thread knows a kind by its build. */
const BUILDS: Readonly<Record<HnswType, IndexKind<HnswIndex>['build']>> = {
  hnsw: (segment, field, context) => build('hnsw', segment, field, context),
  'hnsw-f32': (segment, field, context) => build('hnsw-f32', segment, field, context),
  'hnsw-b1': (segment, field, context) => build('hnsw-b1', segment, field, context),
};

/** Graphs over the vectors of one segment (`docs/formats/hnsw.md`): of int8 codes, of float32 rows, of one bit per dimension. Hits are scored again from the segment's rows. */
export const HNSW_KINDS: readonly IndexKind<HnswIndex>[] = (Object.keys(CODES) as HnswType[]).map((type) => hnswKind(GRAPH_MIN_ROWS, type));

/** `minRows`: for tests, which want graphs over few rows. `leaves`: fields that another kind serves. */
export function hnswKind(
  minRows: number,
  type: HnswType = 'hnsw',
  leaves: (field: FieldDefinition) => boolean = () => false,
): IndexKind<HnswIndex> {
  return {
    type,
    wants: (segment, field) =>
      field.type === 'vector' && vectorIndexType(field.params) === type && !leaves(field) && wantsIndex(segment, field, minRows),
    build: BUILDS[type],
    open: (bytes, segment, field, kernel) => open(type, bytes, { segment, field, kernel }),
    close: (index) => index.free(),
  };
}

async function build(type: HnswType, segment: Segment, field: FieldDefinition, context: BuildContext): Promise<Uint8Array[]> {
  const { kernel, pause, onProgress } = context;
  const block = segment.vectors(field.name)!;
  const { metric, index, elements } = paramsOf(field);
  const codes = CODES[type];
  // A schema may name more, as in Milvus; the kernel builds the best it can.
  const m = Math.min(index.m, MAX_M);
  const efConstruction = Math.min(index.efConstruction, MAX_EF_CONSTRUCTION);
  const options: HnswOptions = { dim: block.dim, metric, m, efConstruction, seed: SEED, codes, capacity: block.rows };
  const graph = createHnsw(kernel, codes === 'b1' ? { ...options, centroid: await meanOf(block, metric, pause) } : options);
  let floats: VectorBlock | undefined;
  try {
    // The codes of a float32 block make linking float32 rows faster; one-bit codes are linked by the rows themselves.
    if (elements === undefined && !(block instanceof StoredRows)) floats = block;
    else if (codes === 'b1') floats = await floatBlock(kernel, block, pause);
    const encoded = Math.max(1, Math.floor(ENCODED_FLOATS_PER_STEP / block.dim));
    while (graph.rows < block.rows) {
      const count = Math.min(encoded, block.rows - graph.rows);
      if (block instanceof StoredRows) graph.add(block.floats(graph.rows, count));
      else graph.addFrom(block, count);
      await pause();
    }
    const weight = (codes === 'sq8' ? 1 : FLOAT_WEIGHT) * (efConstruction / USUAL_EF_CONSTRUCTION);
    const linked = Math.max(1, Math.floor(STEP_US / ((LINK_ROW_US + LINK_DIM_US * block.dim) * weight)));
    while (graph.linked < graph.rows) {
      graph.buildStep(linked, floats);
      onProgress(graph.linked / graph.rows);
      await pause();
    }
    return [graph.save()];
  } finally {
    if (floats !== block) floats?.free();
    graph.free();
  }
}

/** One-bit codes are too coarse to link rows by: for as long as it takes, they are all in memory, and float32. To be freed. */
async function floatBlock(kernel: Kernel, block: VectorBlock, pause: () => Promise<void>): Promise<VectorBlock> {
  const floats = kernel.createBlock({ dim: block.dim, capacity: block.rows, screen: false });
  const rowsPerStep = Math.max(1, Math.floor(ENCODED_FLOATS_PER_STEP / block.dim));
  try {
    for (let row = 0; row < block.rows; row++) {
      if (row % rowsPerStep === 0) await pause();
      floats.append(block.row(row));
    }
    return floats;
  } catch (error) {
    floats.free();
    throw error;
  }
}

/** What one-bit codes are best taken relative to: the mean of the rows, of length 1 for COSINE. In double precision, one order: the same everywhere. */
async function meanOf(block: VectorBlock, metric: HnswIndex['metric'], pause: () => Promise<void>): Promise<Float32Array> {
  const sums = new Float64Array(block.dim);
  const rowsPerStep = Math.max(1, Math.floor(ENCODED_FLOATS_PER_STEP / block.dim));
  for (let row = 0; row < block.rows; row++) {
    if (row % rowsPerStep === 0) await pause();
    const values = block.row(row);
    let squares = 0;
    for (const value of values) squares += value * value;
    const scale = metric !== 'COSINE' ? 1 : squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = 0; i < values.length; i++) sums[i]! += values[i]! * scale;
  }
  return Float32Array.from(sums, (sum) => sum / Math.max(1, block.rows));
}

interface Place {
  readonly segment: Segment;
  readonly field: FieldDefinition;
  readonly kernel: Kernel;
}

/** Throws INDEX_CORRUPT also for a whole graph that is not one of this segment's. */
function open(type: HnswType, bytes: Uint8Array<ArrayBuffer>, { segment, field, kernel }: Place): HnswIndex {
  const graph = openHnsw(kernel, bytes);
  return mustBeOfSegment(graph, segment, field, graph.linked === graph.rows && graph.codes === CODES[type]);
}
