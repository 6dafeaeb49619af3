import { type CollectionDefinition, defineSchema, type FieldDefinition, f } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import type { Kernel, VectorBlock } from '@terndb/kernel';
import { describe, expect, it } from 'vitest';
import type { Segment } from '../segment/types.ts';
import { testKernel } from '../testing/memory-ports.ts';
import { HNSW_KINDS } from './hnsw-kind.ts';
import { isKnownKind } from './index-builder.ts';
import { LIST_KINDS } from './list-kind.ts';
import { kindsWithHnswlib } from './registry.ts';
import type { IndexKind } from './types.ts';
import { GRAPH_MIN_ROWS } from './vector-kinds.ts';

const DIM = 16;
const ROWS = 500;
const definition: CollectionDefinition = defineSchema({
  items: {
    hnsw: f.vector(DIM, { index: { quantization: 'sq8' } }),
    hnsw_f32: f.vector(DIM, { index: { type: 'HNSW' } }),
    hnsw_b1: f.vector(DIM, { index: { quantization: 'binary' } }),
    ivf: f.vector(DIM, { index: { type: 'IVF' } }),
    ivf_sq8: f.vector(DIM, { index: { type: 'IVF', quantization: 'sq8', nlist: 7 } }),
    ivf_b1: f.vector(DIM, { index: { type: 'IVF', quantization: 'binary' } }),
    squared: f.vector(DIM, { metric: 'L2' }),
    library: f.vector(DIM, { index: { engine: 'hnswlib', quantization: 'binary' } }),
  },
}).definition.collections.items;
const field = (name: string): FieldDefinition => definition.fields.find((candidate) => candidate.name === name)!;
const KINDS = [...HNSW_KINDS, ...LIST_KINDS] as readonly unknown[] as readonly IndexKind<{ readonly rows: number }>[];

function filled(kernel: Kernel, rows: number): VectorBlock {
  const rng = seededRng(7);
  const block = kernel.createBlock({ dim: DIM, capacity: rows });
  block.append(Float32Array.from({ length: rows * DIM }, () => rng.nextUint32() / 2 ** 32));
  return block;
}

function segmentOf(block: VectorBlock, rows: number = block.rows): Segment {
  const stats = { min: null, max: null, nulls: 0, distinct: null };
  return { id: 's', rows, vectors: () => block, stats: () => stats } as Partial<Segment> as Segment;
}

describe('kinds of vector indexes', () => {
  it('are each wanted by the fields that ask for them, and by no other', async () => {
    const block = filled(await testKernel(), 1);
    const segment = segmentOf(block, GRAPH_MIN_ROWS);
    const names = definition.fields.map(({ name }) => name);
    for (const kind of KINDS) {
      const wanted = names.filter((name) => kind.wants(segment, field(name)));
      const own = kind.type.replace('-', '_');
      expect(wanted.filter((name) => name !== 'squared' && name !== 'library')).toEqual([own]);
      expect(kind.wants(segmentOf(block, GRAPH_MIN_ROWS - 1), field(own))).toBe(false);
    }
    block.free();
  });

  it('leave to hnswlib what asks for it, where there is one', async () => {
    const block = filled(await testKernel(), 1);
    const kinds = kindsWithHnswlib({} as never, 1).filter((kind) => kind.wants(segmentOf(block), field('library')));
    expect(kinds.map(({ type }) => type)).toEqual(['hnswlib']);
    block.free();
  });

  it.each(KINDS)(
    '$type: the same bytes however often it is built, opened to all rows, refused for other rows, and all memory given back',
    async (kind) => {
      const kernel = await testKernel();
      const block = filled(kernel, ROWS);
      const fewer = filled(kernel, ROWS - 1);
      const own = field(kind.type.replace('-', '_'));
      const used = kernel.usedBytes;
      const progress: number[] = [];
      const context = { kernel, pause: () => Promise.resolve(), onProgress: (done: number) => progress.push(done) };
      const [bytes] = (await kind.build(segmentOf(block), own, context)) as [Uint8Array<ArrayBuffer>];
      const [again] = await kind.build(segmentOf(block), own, context);
      expect(again).toEqual(bytes);
      expect([Math.min(...progress) >= 0, Math.max(...progress), progress.at(-1)]).toEqual([true, 1, 1]);
      const refused = expect.objectContaining({ code: 'INDEX_CORRUPT' });
      expect(() => kind.open(bytes, segmentOf(fewer), own, kernel)).toThrow(refused);
      expect(() => kind.open(bytes, segmentOf(block), field('squared'), kernel)).toThrow(refused);
      expect(() => kind.open(bytes.slice(0, -64), segmentOf(block), own, kernel)).toThrow(refused);
      expect(kernel.usedBytes).toBe(used);
      const index = kind.open(bytes, segmentOf(block), own, kernel);
      expect(index.rows).toBe(ROWS);
      kind.close(index);
      expect(kernel.usedBytes).toBe(used);
      block.free();
      fewer.free();
    },
  );

  it('of one codes are not opened as those of another', async () => {
    const kernel = await testKernel();
    const block = filled(kernel, ROWS);
    const [codes, floats] = [KINDS[0]!, KINDS[1]!];
    const context = { kernel, pause: () => Promise.resolve(), onProgress: () => {} };
    const [bytes] = (await codes.build(segmentOf(block), field('hnsw'), context)) as [Uint8Array<ArrayBuffer>];
    expect(() => floats.open(bytes, segmentOf(block), field('hnsw'), kernel)).toThrow(expect.objectContaining({ code: 'INDEX_CORRUPT' }));
    block.free();
  });

  it('end a build that is not wanted any more with all memory given back', async () => {
    const kernel = await testKernel();
    const block = filled(kernel, ROWS);
    const used = kernel.usedBytes;
    for (const kind of KINDS) {
      const pause = (): Promise<void> => Promise.reject(new Error('not wanted'));
      const own = field(kind.type.replace('-', '_'));
      await expect(kind.build(segmentOf(block), own, { kernel, pause, onProgress: () => {} })).rejects.toThrow('not wanted');
      expect(kernel.usedBytes).toBe(used);
    }
    block.free();
  });

  it('are known to another thread by their type', () => {
    for (const kind of KINDS) expect(isKnownKind(kind as IndexKind<unknown>)).toBe(true);
  });
});
