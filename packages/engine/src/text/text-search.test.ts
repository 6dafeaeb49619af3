import { defineSchema, f } from '@terndb/core';
import { expect, test } from 'vitest';
import { openEngine } from '../database/open-engine.ts';
import type { Engine, SearchRequest } from '../database/types.ts';
import { memoryPorts } from '../testing/memory-ports.ts';

const schema = defineSchema({
  notes: {
    title: f.text({ search: true }),
    body: f.text({ search: true, analyzer: 'english' }),
    tag: f.keyword().nullable(),
    stars: f.number().nullable(),
    at: f.vector(2).nullable(),
    near: f.vector(2, { metric: 'L2' }).nullable(),
  },
}).definition;

const ROWS = [
  { id: 'a', title: 'Arctic tern', body: 'The terns were flying north', stars: 1, at: [1, 0], near: [0, 0], tag: 'bird' },
  { id: 'b', title: 'Sea lion', body: 'Sleeping on a rock by the sea', stars: 5, at: [0, 1], near: [1, 0], tag: null },
  { id: 'c', title: 'Terminal', body: 'A tern flew by the sea', stars: 3, at: [1, 1], near: [5, 5], tag: 'bird' },
];

async function openNotes(rows: readonly object[] = ROWS): Promise<{ engine: Engine; reopen: () => Promise<Engine> }> {
  const ports = await memoryPorts();
  const open = () => openEngine({ ports, schema });
  const engine = await open();
  engine.write({ type: 'put', collection: 'notes', entities: rows });
  await engine.flush();
  return { engine, reopen: open };
}

const search = (engine: Engine, request: Omit<SearchRequest, 'collection'>) => engine.search({ collection: 'notes', ...request }).hits;
const keys = (engine: Engine, request: Omit<SearchRequest, 'collection'>) => search(engine, request).map(({ key }) => key);

test('a text is found by its words, growing, sealed and opened again, with the same scores', async () => {
  const { engine, reopen } = await openNotes();
  const read = (from: Engine) =>
    ['tern', 'sea', 'fly', 'sea te'].map((text) => search(from, { text }).map(({ key, score }) => [key, score]));
  const growing = read(engine);
  expect(growing[0]!.map(([key]) => key)).toEqual(['a', 'c']);
  expect(growing[2]!.map(([key]) => key)).toEqual(['a']);
  await engine.seal();
  await engine.buildIndexes();
  expect(engine.inspect().partitions[0]!.segments[0]!.indexes).toEqual(['body:text', 'title:text']);
  expect(read(engine)).toEqual(growing);
  await engine.close();
  const again = await reopen();
  expect(again.inspect().partitions[0]!.segments[0]!.indexes).toEqual(['body:text', 'title:text']);
  expect(read(again)).toEqual(growing);
  await again.close();
});

test('words and phrases are filters too, with a minimum and a slop, by where and by the filter language', async () => {
  const { engine } = await openNotes();
  const found = (request: object) => engine.query({ collection: 'notes', ...request }).keys;
  for (const sealed of [false, true]) {
    if (sealed) {
      await engine.seal();
      await engine.buildIndexes();
    }
    expect(found({ where: { body: { match: 'fly rocks' } } })).toEqual(['a', 'b']);
    expect(found({ where: { body: { match: { text: 'tern flying sea', minimum: 2 } } } })).toEqual(['a', 'c']);
    expect(found({ filter: 'text_match(body, "terns sea north", minimum_should_match=2)' })).toEqual(['a', 'c']);
    expect(found({ where: { body: { phrase: 'tern flew' } } })).toEqual(['c']);
    expect(found({ where: { body: { phrase: 'tern sea' } } })).toEqual([]);
    expect(found({ where: { body: { phrase: { text: 'tern sea', slop: 3 } } } })).toEqual(['c']);
    expect(found({ filter: 'phrase_match(body, "tern sea", 3)' })).toEqual(['c']);
    expect(found({ filter: 'not phrase_match(title, "arctic tern")' })).toEqual(['b', 'c']);
  }
  await engine.close();
});

test('the last word is a prefix while nothing comes after it, unless that is turned off', async () => {
  const { engine } = await openNotes();
  expect(keys(engine, { text: 'ter', field: 'title' })).toEqual(['c', 'a']);
  expect(keys(engine, { text: 'ter ', field: 'title' })).toEqual([]);
  expect(keys(engine, { text: 'ter', field: 'title', prefix: false })).toEqual([]);
  await engine.close();
});

test('highlights say where the words are in the texts as they were written', async () => {
  const { engine } = await openNotes();
  const [first] = search(engine, { text: 'fly ter', highlight: true });
  const marked = first!.highlights!.map(({ field, ranges }) => [
    field,
    ranges.map(([start, end]) => (first!.entity[field] as string).slice(start, end)),
  ]);
  expect(marked).toEqual([
    ['body', ['terns', 'flying']],
    ['title', ['tern']],
  ]);
  expect(search(engine, { text: 'fly' })[0]).not.toHaveProperty('highlights');
  await engine.close();
});

test('a fused search says which lists a hit is in, with rank and score in each', async () => {
  const { engine } = await openNotes();
  const hits = search(engine, { text: 'tern', vector: [0, 1], field: 'at' });
  expect(hits.map(({ key }) => key)).toEqual(['a', 'c', 'b']);
  expect(hits[0]!.parts!.map(({ name, rank }) => [name, rank])).toEqual([
    ['at', 3],
    ['keyword', 1],
  ]);
  expect(hits[2]!.parts!.map(({ name }) => name)).toEqual(['at']);
  expect(hits[0]!.score).toBeCloseTo(1 / 63 + 1 / 61, 12);
  await engine.close();
});

test('in a hybrid search a keyword hit counts by how much of the query it holds: whole when all, next to nothing when half; alone it keeps its order', async () => {
  const { engine } = await openNotes([
    { id: 'both', title: 'arctic tern', body: '', at: [1, 0] },
    { id: 'half', title: 'tern', body: 'tern tern', at: [0, 1] },
    { id: 'apart', title: 'tern', body: 'of arctic seas', at: [0, 1] },
    { id: 'none', title: 'gull', body: '', at: [0, 1] },
  ]);
  for (const sealed of [false, true]) {
    if (sealed) {
      await engine.seal();
      await engine.buildIndexes();
    }
    const worth = (request: object): Record<string, number> =>
      Object.fromEntries(
        search(engine, { text: 'arctic tern ', vector: [0, 1], field: 'at', ...request }).map(({ key, parts }) => {
          const part = parts!.find(({ name }) => name === 'keyword');
          return [key, part === undefined ? 0 : part.share * (60 + part.rank)];
        }),
      );
    const { both, half, apart, none } = worth({});
    expect([both, apart, none]).toEqual([expect.closeTo(1, 9), expect.closeTo(1, 9), 0]);
    expect(half).toBeGreaterThan(0);
    expect(half).toBeLessThan(0.01);
    expect(worth({ fusion: { type: 'rrf', byCoverage: false } })['half']).toBeCloseTo(1, 9);
    // Nothing to be fused with: by BM25 alone.
    const alone = { text: 'arctic tern ', where: { title: { match: 'tern' } }, vectors: [{ field: 'near', vector: [1, 0] }] };
    expect(keys(engine, alone)).toEqual(keys(engine, { text: 'arctic tern ', where: { title: { match: 'tern' } } }));
  }
  expect(() => search(engine, { text: 'tern', vector: [0, 1], field: 'at', fusion: { type: 'weighted', byCoverage: true } })).toThrow(
    expect.objectContaining({ code: 'QUERY_INVALID' }),
  );
  await engine.close();
});

test('several vector fields make one list, by rank or by weighted scores', async () => {
  const { engine } = await openNotes();
  const vectors = [
    { field: 'at', vector: [1, 0] },
    { field: 'near', vector: [1, 0] },
  ];
  expect(keys(engine, { vectors })).toEqual(['a', 'b', 'c']);
  const weighted = search(engine, { vectors, fusion: { type: 'weighted', weights: { at: 0, near: 1 } } });
  expect(weighted.map(({ key }) => key)).toEqual(['b', 'a', 'c']);
  expect(weighted[0]!.score).toBe(1);
  expect(keys(engine, { vectors, text: 'sea', fusion: { type: 'rrf', k: 1, weights: { keyword: 10 } } })[0]).toBe('b');
  await engine.close();
});

test('a text without a hit leaves the order of a hybrid search to the vectors', async () => {
  const { engine } = await openNotes();
  const byVector = keys(engine, { vector: [1, 0.2], field: 'at' });
  for (const type of ['rrf', 'weighted'])
    expect(keys(engine, { vector: [1, 0.2], field: 'at', text: 'nothing like it', fusion: { type } })).toEqual(byVector);
  await engine.close();
});

test('scores decay with the distance of a number, and are boosted by a condition', async () => {
  const { engine } = await openNotes();
  const decay = { type: 'decay', field: 'stars', origin: 3, scale: 1, decay: 0.1 };
  expect(keys(engine, { text: 'tern', rerank: decay })).toEqual(['c', 'a']);
  expect(keys(engine, { text: 'tern', rerank: [{ type: 'boost', where: { stars: 1 }, weight: 9 }] })).toEqual(['a', 'c']);
  // A distance that is made worse is larger.
  expect(keys(engine, { vector: [0, 0], field: 'near', rerank: { type: 'boost', filter: 'stars == 5', weight: 100 } })).toEqual([
    'a',
    'b',
    'c',
  ]);
  expect(keys(engine, { vector: [0.4, 0], field: 'near', rerank: { type: 'boost', filter: 'stars == 5', weight: 100 } })).toEqual([
    'b',
    'a',
    'c',
  ]);
  await engine.close();
});

test('rank options that are wrong are named', async () => {
  const { engine } = await openNotes();
  const refused = (request: object, option: string) =>
    expect(() => search(engine, request)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ option }) as object }) as Error,
    );
  refused({ text: 'a', prefix: 1 }, 'prefix');
  refused({ text: 'a', highlight: 'yes' }, 'highlight');
  refused({ text: 'a', fusion: { type: 'rrf' } }, 'fusion');
  refused({ text: 'a', vector: [1, 0], field: 'at', fusion: { type: 'rrf', k: 0 } }, 'fusion.k');
  refused({ text: 'a', vector: [1, 0], field: 'at', fusion: { type: 'sum' } }, 'fusion.type');
  refused({ text: 'a', vector: [1, 0], field: 'at', fusion: { type: 'rrf', weights: { near: 1 } } }, 'fusion.weights');
  refused({ vectors: [] }, 'vectors');
  refused({ vectors: [{ field: 'at', vector: [1, 0] }], vector: [1, 0] }, 'vector');
  refused({ vectors: [{ field: 'title', vector: [1, 0] }] }, 'vectors[0].field title');
  refused({ text: 'a', rerank: { type: 'decay', field: 'tag', origin: 1, scale: 1 } }, 'rerank[0].field tag');
  refused({ text: 'a', rerank: { type: 'decay', field: 'stars', origin: 1, scale: 0 } }, 'rerank[0].scale');
  refused({ text: 'a', rerank: { type: 'boost', weight: 0 } }, 'rerank[0].weight');
  refused({ text: 'a', rerank: { type: 'model' } }, 'rerank[0].type');
  await engine.close();
});

test('an analyzer that nobody knows is refused when the database opens, by name', async () => {
  const odd = JSON.parse(JSON.stringify(schema)) as typeof schema;
  const body = odd.collections.notes.fields.find(({ name }) => name === 'body')!;
  Object.assign(body.params, { analyzer: { tokenizer: 'standard', filters: [{ type: 'soundex' }] } });
  await expect(openEngine({ ports: await memoryPorts(), schema: odd })).rejects.toMatchObject({
    code: 'SCHEMA_INVALID',
    message: expect.stringContaining('notes.body: analyzer.filters[0].type') as string,
  });
});

test('a stemmer that is not there from the start is loaded for the schema that asks for it, when the database opens and when it is opened again', async () => {
  const analyzer = { tokenizer: 'standard', filters: [{ type: 'lowercase' }, { type: 'stemmer', language: 'german' }] } as const;
  const { definition } = defineSchema({ notes: { body: f.text({ search: true, analyzer }) } });
  const ports = await memoryPorts();
  const engine = await openEngine({ ports, schema: definition });
  engine.write({ type: 'put', collection: 'notes', entities: [{ id: 'a', body: 'Die Küstenseeschwalben fliegen' }] });
  expect(keys(engine, { text: 'küstenseeschwalbe' })).toEqual(['a']);
  await engine.seal();
  await engine.close();
  const again = await openEngine({ ports, schema: definition });
  expect(keys(again, { text: 'küstenseeschwalbe' })).toEqual(['a']);
  await again.close();
});
