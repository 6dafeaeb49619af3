/** Who is compared: each holds the same passages, and answers a text, or a text and its vector, with the ids of the best ten. */
import { defineSchema, f, MemoryObjectStore } from '@terndb/core';
import type { Engine } from '@terndb/engine';
import { requirePeer } from '../kernel/peer-package.ts';
import { engineOver } from '../lib/engine.ts';
import type { Passage } from './corpus.ts';

const LIMIT = 10;
const ORAMA_BATCH = 1000;

export interface TextContender {
  readonly name: string;
  /** How many are in: fewer if `mayGoOn` became false, where it is asked between batches. */
  add(passages: readonly Passage[], vectors: readonly Float32Array[], mayGoOn: () => boolean): Promise<number>;
  keyword(text: string): readonly string[];
  hybrid?(text: string, vector: Float32Array, options?: object): readonly string[];
  /** Stored form and the way back to the first answer. */
  reload(query: string): Promise<{ readonly bytes: number; readonly ms: number }>;
}

/** @param dim 0: without vectors. */
export function createTern(dim: number, analyzer: 'standard' | 'english'): TextContender {
  const text = () => f.text({ search: true, analyzer });
  const texts = { title: text(), body: text() };
  const { definition: schema } =
    dim === 0 ? defineSchema({ passages: texts }) : defineSchema({ passages: { ...texts, vec: f.vector(dim) } });
  const objects = new MemoryObjectStore();
  const open = engineOver(async () => objects, schema);
  let engine: Engine;
  const search = (request: object): string[] =>
    engine.search({ collection: 'passages', limit: LIMIT, select: [], ...request }).hits.map(({ key }) => key as string);
  return {
    name: `tern ${analyzer}`,
    async add(passages, vectors) {
      engine = await open();
      const entities = passages.map((passage, i) => (dim === 0 ? passage : { ...passage, vec: vectors[i]! }));
      engine.writeAll([{ type: 'put', collection: 'passages', entities }]);
      await engine.flush();
      await engine.seal();
      await engine.buildIndexes();
      return passages.length;
    },
    keyword: (query) => search({ text: query }),
    hybrid: (query, vector, options = {}) => search({ text: query, vector, ...options }),
    async reload(query) {
      const bytes = (await objects.list('')).filter(({ name }) => /-text-\d+-/.test(name)).reduce((sum, object) => sum + object.bytes, 0);
      await engine.close();
      const begun = performance.now();
      engine = await open();
      search({ text: query });
      const ms = performance.now() - begun;
      await engine.close();
      return { bytes, ms };
    },
  };
}

export function createMiniSearch(): TextContender {
  const MiniSearch = requirePeer('minisearch');
  const options = { fields: ['title', 'body'], storeFields: [] };
  let index = new MiniSearch(options);
  const keyword = (query: string): string[] =>
    index
      .search(query, { prefix: (_term: string, i: number, terms: string[]) => i === terms.length - 1 })
      .slice(0, LIMIT)
      .map(({ id }: { id: string }) => id);
  return {
    name: 'minisearch',
    add: (passages) => {
      index.addAll(passages);
      return Promise.resolve(passages.length);
    },
    keyword,
    reload: (query) => {
      const json = JSON.stringify(index);
      const begun = performance.now();
      index = MiniSearch.loadJSON(json, options);
      keyword(query);
      return Promise.resolve({ bytes: json.length, ms: performance.now() - begun });
    },
  };
}

export function createOrama(dim: number): TextContender {
  const { create, insertMultiple, search, save, load: restore } = requirePeer('@orama/orama');
  const schema = { title: 'string', body: 'string', ...(dim === 0 ? {} : { vec: `vector[${dim}]` }) };
  let index = create({ schema });
  const ids = (results: { hits: { id: string }[] }): string[] => results.hits.map(({ id }) => id);
  const keyword = (term: string): string[] => ids(search(index, { term, properties: ['title', 'body'], limit: LIMIT }));
  return {
    name: 'orama',
    async add(passages, vectors, mayGoOn) {
      for (let from = 0; from < passages.length; from += ORAMA_BATCH) {
        if (!mayGoOn()) return from;
        const batch = passages.slice(from, from + ORAMA_BATCH);
        await insertMultiple(
          index,
          batch.map((passage, i) => (dim === 0 ? passage : { ...passage, vec: Array.from(vectors[from + i]!) })),
          ORAMA_BATCH,
        );
      }
      return passages.length;
    },
    keyword,
    hybrid: (term, vector) =>
      ids(
        search(index, {
          mode: 'hybrid',
          term,
          vector: { value: Array.from(vector), property: 'vec' },
          properties: ['title', 'body'],
          similarity: 0,
          limit: LIMIT,
        }),
      ),
    // Async, so that a form too long for a string is a rejection.
    reload: async (query) => {
      const json = JSON.stringify({ ...save(index), docs: undefined });
      const whole = JSON.stringify(save(index));
      const begun = performance.now();
      index = create({ schema });
      restore(index, JSON.parse(whole));
      keyword(query);
      return { bytes: json.length, ms: performance.now() - begun };
    },
  };
}
