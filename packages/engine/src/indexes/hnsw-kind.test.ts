import { type CollectionDefinition, defineSchema, type FieldDefinition, f } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import type { Kernel, VectorBlock } from '@terndb/kernel';
import { describe, expect, it } from 'vitest';
import type { Segment } from '../segment/types.ts';
import { testKernel } from '../testing/memory-ports.ts';
import { HNSW_KINDS, hnswKind } from './hnsw-kind.ts';
import { GRAPH_MIN_ROWS } from './vector-kinds.ts';

const HNSW_KIND = HNSW_KINDS.find(({ type }) => type === 'hnsw')!;

const DIM = 8;
const definition: CollectionDefinition = defineSchema({
  items: {
    id: f.primaryKey('int64'),
    title: f.text(),
    vec: f.vector(DIM, { metric: 'L2' }),
    other: f.vector(DIM, { metric: 'IP' }),
    flat: f.vector(DIM, { index: { type: 'FLAT' } }),
  },
}).definition.collections.items;
const field = (name: string): FieldDefinition => definition.fields.find((candidate) => candidate.name === name)!;

function filled(kernel: Kernel, rows: number, seed: number): VectorBlock {
  const rng = seededRng(seed);
  const block = kernel.createBlock({ dim: DIM, capacity: rows });
  block.append(Float32Array.from({ length: rows * DIM }, () => rng.nextUint32() / 2 ** 32));
  return block;
}

/** What a kind sees of a segment. */
function segmentOf(block: VectorBlock | undefined, rows: number, nulls = 0): Segment {
  const stats = { min: null, max: null, nulls, distinct: null };
  return { id: 's', rows, vectors: () => block, stats: () => stats } as Partial<Segment> as Segment;
}

const context = (kernel: Kernel, progress: number[] = []) => ({
  kernel,
  pause: () => Promise.resolve(),
  onProgress: (done: number) => progress.push(done),
});

describe('a graph of a segment', () => {
  it('is wanted from the measured size on, for dense fields that do not say FLAT and have hardly any nulls', async () => {
    const block = filled(await testKernel(), 1, 1);
    const wants = (name: string, rows: number, nulls = 0): boolean => HNSW_KIND.wants(segmentOf(block, rows, nulls), field(name));
    expect(wants('vec', GRAPH_MIN_ROWS)).toBe(true);
    expect(wants('vec', GRAPH_MIN_ROWS - 1)).toBe(false);
    expect(wants('vec', GRAPH_MIN_ROWS, GRAPH_MIN_ROWS / 10)).toBe(true);
    expect(wants('vec', GRAPH_MIN_ROWS, GRAPH_MIN_ROWS / 10 + 1)).toBe(false);
    expect([wants('flat', GRAPH_MIN_ROWS), wants('title', GRAPH_MIN_ROWS), wants('id', GRAPH_MIN_ROWS)]).toEqual([false, false, false]);
    expect(HNSW_KIND.wants(segmentOf(undefined, GRAPH_MIN_ROWS), field('vec'))).toBe(false);
    block.free();
  });

  it('is the same bytes however often it is built, opens to what was built, and gives its memory back', async () => {
    const kernel = await testKernel();
    const block = filled(kernel, 700, 2);
    const segment = segmentOf(block, 700);
    const used = kernel.usedBytes;
    const progress: number[] = [];
    const [first] = await HNSW_KIND.build(segment, field('vec'), context(kernel, progress));
    const [second] = await hnswKind(1).build(segment, field('vec'), context(kernel));
    expect(kernel.usedBytes).toBe(used);
    expect(second).toEqual(first);
    expect(progress.at(-1)).toBe(1);
    expect(progress.length).toBeGreaterThan(5);
    const graph = HNSW_KIND.open(first as Uint8Array<ArrayBuffer>, segment, field('vec'), kernel);
    expect([graph.rows, graph.linked, graph.metric]).toEqual([700, 700, 'L2']);
    HNSW_KIND.close(graph);
    expect(kernel.usedBytes).toBe(used);
    block.free();
  });

  it('of other rows, another metric, or cut off, is refused and takes no memory', async () => {
    const kernel = await testKernel();
    const block = filled(kernel, 300, 3);
    const [bytes] = (await HNSW_KIND.build(segmentOf(block, 300), field('vec'), context(kernel))) as [Uint8Array<ArrayBuffer>];
    const fewer = filled(kernel, 299, 3);
    const used = kernel.usedBytes;
    const refused = (file: Uint8Array<ArrayBuffer>, of: VectorBlock, name: string): void => {
      expect(() => HNSW_KIND.open(file, segmentOf(of, of.rows), field(name), kernel)).toThrow(
        expect.objectContaining({ code: 'INDEX_CORRUPT' }),
      );
    };
    refused(bytes, fewer, 'vec');
    refused(bytes, block, 'other');
    refused(bytes.slice(0, -64), block, 'vec');
    expect(kernel.usedBytes).toBe(used);
    block.free();
    fewer.free();
  });
});
