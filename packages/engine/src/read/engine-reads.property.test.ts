import { comparePrimaryKeys, defineSchema, f } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openEngine } from '../database/open-engine.ts';
import type { Engine } from '../database/types.ts';
import { memoryPorts } from '../testing/memory-ports.ts';

const { definition: schema } = defineSchema({
  notes: {
    id: f.primaryKey('varchar'),
    title: f.text({ search: true }),
    rank: f.number().nullable(),
    tag: f.keyword().nullable(),
    squared: f.vector(5, { metric: 'L2' }).nullable(),
    inner: f.vector(5, { metric: 'IP' }).nullable(),
  },
});

interface Note {
  readonly id: string;
  readonly title: string;
  readonly rank: number | null;
  readonly tag: string | null;
  readonly squared: readonly number[] | null;
  readonly inner: readonly number[] | null;
}

// Small integers: their scores are exact in float32, and ties are common.
const vectors = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 5, maxLength: 5 });
const ids = fc.integer({ min: 0, max: 25 }).map((n) => `n${n}`);
const notes: fc.Arbitrary<Note> = fc.record(
  {
    id: ids,
    title: fc.constantFrom('tern', 'a tern at sea', 'sea', 'seal'),
    rank: fc.option(fc.integer({ min: 0, max: 3 })),
    tag: fc.option(fc.constantFrom('x', 'y', 'z')),
    squared: fc.option(vectors),
    inner: fc.option(vectors),
  },
  { noNullPrototype: true },
);
type Step =
  | { readonly type: 'put'; readonly notes: readonly Note[] }
  | { readonly type: 'patch'; readonly id: string; readonly rank: number }
  | { readonly type: 'delete'; readonly id: string }
  | { readonly type: 'seal' | 'compact' };
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant('put' as const), notes: fc.array(notes, { minLength: 1, maxLength: 12 }) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('patch' as const), id: ids, rank: fc.integer({ min: 0, max: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), id: ids }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('seal' as const, 'compact' as const) }) },
  ),
  { minLength: 1, maxLength: 10 },
);

async function apply(engine: Engine, model: Map<string, Note>, step: Step): Promise<void> {
  const collection = 'notes';
  switch (step.type) {
    case 'put':
      engine.write({ type: 'put', collection, entities: step.notes });
      for (const note of step.notes) model.set(note.id, note);
      break;
    case 'patch': {
      engine.write({ type: 'patch', collection, key: step.id, fields: { rank: step.rank } });
      const note = model.get(step.id);
      if (note !== undefined) model.set(step.id, { ...note, rank: step.rank });
      break;
    }
    case 'delete':
      engine.write({ type: 'delete', collection, key: step.id });
      model.delete(step.id);
      break;
    case 'seal':
      await engine.seal();
      break;
    case 'compact':
      await engine.compact();
      break;
  }
}

function nearest(
  model: ReadonlyMap<string, Note>,
  field: 'squared' | 'inner',
  query: readonly number[],
  passes: (note: Note) => boolean,
): [string, number][] {
  const score = (vector: readonly number[]) =>
    field === 'inner'
      ? vector.reduce((sum, x, i) => sum + x * query[i]!, 0)
      : 0 - vector.reduce((sum, x, i) => sum + (x - query[i]!) ** 2, 0);
  return [...model.values()]
    .flatMap((note): [string, number][] => (note[field] === null || !passes(note) ? [] : [[note.id, score(note[field]) + 0]]))
    .sort(([a, x], [b, y]) => y - x || comparePrimaryKeys(a, b));
}

test('an engine with the real kernel reads what a model holds, while rows die, are patched, sealed and merged', async () => {
  let hits = 0;
  await fc.assert(
    fc.asyncProperty(
      steps,
      vectors,
      fc.constantFrom('squared' as const, 'inner' as const),
      fc.integer({ min: 1, max: 8 }),
      async (history, vector, field, limit) => {
        const engine = await openEngine({ ports: await memoryPorts(), schema });
        const model = new Map<string, Note>();
        for (const step of history) {
          await apply(engine, model, step);
          const found = engine.search({ collection: 'notes', vector, field, limit, where: { rank: { gte: 1 } } }).hits;
          const expected = nearest(model, field, vector, (note) => note.rank !== null && note.rank >= 1).slice(0, limit);
          expect(found.map((hit) => [hit.key, hit.score])).toEqual(expected);
          hits += found.length;
          const byTag = engine.query({
            collection: 'notes',
            orderBy: { field: 'tag', order: 'desc' },
            where: { title: { match: 'tern' } },
          });
          const tagged = [...model.values()].filter((note) => note.title.includes('tern')).sort((a, b) => comparePrimaryKeys(a.id, b.id));
          const order = ['z', 'y', 'x', null];
          expect(byTag.keys).toEqual(tagged.toSorted((a, b) => order.indexOf(a.tag) - order.indexOf(b.tag)).map((note) => note.id));
          const texts = engine.search({ collection: 'notes', text: 'se', limit: 100 }).hits.map((hit) => hit.key);
          expect(new Set(texts)).toEqual(new Set([...model.values()].filter((note) => note.title.includes('se')).map((note) => note.id)));
          expect(engine.count({ collection: 'notes' }).count).toBe(model.size);
        }
        await engine.close();
      },
    ),
    propertyOptions(100),
  );
  expect(hits).toBeGreaterThan(0);
});
