import { afterEach, describe, expect, it } from 'vitest';
import { defineSchema, f, type Inspection, open } from '../index.ts';
import { disposeDatabases, freshName } from './testing/databases.ts';

afterEach(disposeDatabases);

const DIM = 16;
/** From here on segments get indexes, and their rows need not be in memory. */
const ROWS = 10_000;
const BATCH = 2_000;
const vector = (row: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: DIM }, (_, at) => Math.sin((row + 1) * (at + 1) * 0.37));
const schema = defineSchema({
  items: {
    id: f.primaryKey('int64'),
    graph: f.vector(DIM, { metric: 'L2', index: { m: 8, efConstruction: 40 } }),
    half: f.vector(DIM, { metric: 'L2', elements: 'float16', index: { type: 'IVF', quantization: 'sq8', nlist: 20 } }),
  },
});

async function scratchFiles(name: string): Promise<number> {
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('terndb-scratch');
  const folder = await root.getDirectoryHandle(`db-${name}`);
  let count = 0;
  for await (const tab of (folder as unknown as { values(): AsyncIterable<FileSystemDirectoryHandle> }).values())
    for await (const _ of (tab as unknown as { keys(): AsyncIterable<string> }).keys()) count++;
  return count;
}

describe('a database opened with stored vectors', () => {
  it('keeps them in files of the private file system, and finds the same as by scanning them', async () => {
    const name = freshName();
    const db = await open(name, { schema, vectors: 'stored' });
    const small = await open(freshName(), { schema });
    for (let from = 0; from < ROWS; from += BATCH) {
      const entities = Array.from({ length: BATCH }, (_, at) => ({ id: from + at, graph: vector(from + at), half: vector(from + at) }));
      await db.items.putMany(entities);
      if (from === 0) await small.items.putMany(entities);
    }
    const indexed = ({ partitions }: Inspection): boolean =>
      partitions[0]!.segments.some(({ indexes }) => indexes.join() === 'graph:hnsw,half:ivf-sq8');
    let at = await db.inspect();
    // The test's own time limit ends the waiting.
    while (!indexed(at)) at = await db.inspect();
    const segment = at.partitions[0]!.segments.find(({ rows }) => rows >= ROWS)!;
    expect(segment.vectors).toMatchObject({ graph: { rows: 'stored' }, half: { rows: 'stored' } });
    // Codes, scales and links, and no row.
    expect(segment.vectors['half']!.bytesPerRow).toBeLessThan(DIM * 3);
    expect(await scratchFiles(name)).toBeGreaterThanOrEqual(2);
    for (const field of ['graph', 'half'] as const) {
      const search = { field, vector: vector(77), limit: 3, select: ['graph', 'half'] as const };
      const [found, exact] = [await db.items.search(search), await db.items.search({ ...search, exact: true })];
      expect([found.exact, exact.exact]).toEqual([false, true]);
      expect(found.hits).toEqual(exact.hits);
      expect(found.hits[0]!.key).toBe(77);
      expect(found.hits[0]!.entity.graph).toEqual(vector(77));
      const [hit] = (await small.items.search({ ...search, limit: 1 })).hits;
      expect(found.hits[0]).toMatchObject({ key: hit!.key, score: hit!.score, entity: hit!.entity });
    }
    expect((await db.inspect({ recall: { collection: 'items', field: 'graph', sample: 20 } })).recall!.recall).toBeGreaterThan(0.9);
    const half = async () => (await db.items.get(77, { select: ['half'] }))!.half;
    const before = await half();
    await db.items.patch(77, { graph: vector(1) });
    expect(await half()).toEqual(before);
    await db.close();
    expect(await scratchFiles(name)).toBe(0);
  }, 120_000);
});
