import { afterEach, describe, expect, it } from 'vitest';
import { loadHnswlib } from '../hnswlib/hnswlib-library.ts';
import { DbError, defineSchema, f, type Inspection, open } from '../index.ts';
import { disposeDatabases, freshName } from './testing/databases.ts';

afterEach(disposeDatabases);

const DIM = 8;
/** From here on segments get graphs. */
const ROWS = 10_000;
const vector = (row: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: DIM }, (_, at) => Math.sin((row + 1) * (at + 1) * 0.37));

/** What hnswlib-wasm saves of these rows, with labels twice their number. */
async function savedIndex(rows: number): Promise<Blob> {
  const library = await loadHnswlib(DbError);
  const graph = library.create({ space: 'l2', dim: DIM, m: 4, efConstruction: 10, seed: 1, capacity: rows });
  for (let row = 0; row < rows; row++) graph.add(vector(row), row * 2);
  const saved = new Blob([graph.save()]);
  graph.free();
  return saved;
}

const field = f.vector(DIM, { metric: 'L2', index: { engine: 'hnswlib', m: 8, efConstruction: 40 } });
const schema = defineSchema({ items: { id: f.primaryKey('int64'), at: field } });

describe('a saved hnswlib index', () => {
  it('is imported, indexed by hnswlib in the background, probed for its recall, and searched with a wanted ef', async () => {
    const db = await open(freshName(), { schema });
    const phases: string[] = [];
    const source = { collection: 'items', metric: 'L2', dim: DIM } as const;
    const imported = await db.import(await savedIndex(ROWS), { hnswlib: source, onProgress: ({ phase }) => phases.push(phase) });
    expect(imported).toEqual({ entities: ROWS });
    expect(phases).toEqual(['read']);
    expect((await db.items.count()).count).toBe(ROWS);
    const before = await db.inspect();
    expect(before.recall).toBeUndefined();
    expect(before.indexing).toMatchObject({ damaged: 0, failed: 0 });
    const seen = new Set<string>();
    const isIndexed = ({ partitions }: Inspection): boolean =>
      partitions[0]!.segments.some((segment) => segment.indexes.includes('at:hnswlib'));
    // The test's own time limit ends the waiting.
    for (let at = before; !isIndexed(at); at = await db.inspect()) {
      const { current } = at.indexing;
      if (current !== null) seen.add(`${current.type} ${current.step}`);
    }
    expect(seen).toContain('hnswlib build');
    const probe = { collection: 'items', sample: 20, limit: 10 };
    const [narrow, wide] = [await db.inspect({ recall: { ...probe, ef: 10 } }), await db.inspect({ recall: { ...probe, ef: 500 } })];
    expect(narrow.recall).toMatchObject({ queries: 20, limit: 10, exact: false });
    expect(wide.recall!.recall).toBeGreaterThan(0.95);
    expect(wide.recall!.recall).toBeGreaterThanOrEqual(narrow.recall!.recall);
    const [found, exact] = [
      await db.items.search({ vector: vector(77), limit: 3, ef: 200 }),
      await db.items.search({ vector: vector(77), limit: 3, exact: true }),
    ];
    expect([found.exact, exact.exact]).toEqual([false, true]);
    expect(found.hits[0]).toMatchObject({ key: 154, score: 0 });
  });

  it('is refused with a typed error when it is something else, and when an option is wrong', async () => {
    const db = await open(freshName(), { schema });
    const hnswlib = { collection: 'items' };
    await expect(db.import(new Blob(['something else']), { hnswlib })).rejects.toMatchObject({ code: 'FORMAT_INVALID' });
    const saved = await savedIndex(3);
    await expect(db.import(saved, { hnswlib: { ...hnswlib, dim: 5 } })).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
    await expect(db.items.search({ vector: vector(1), ef: 0 })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    await expect(db.inspect({ recall: { collection: 'nothing' } })).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN' });
    expect((await db.items.count()).count).toBe(0);
  });
});
