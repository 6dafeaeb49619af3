import { defineSchema, f } from '@terndb/core';
import { afterEach, describe, expect, it } from 'vitest';
import { startWorkerInNode } from '../worker/testing/worker-in-node.ts';
import { createDatabase } from './database.ts';
import { Session } from './session.ts';

const schema = defineSchema({
  notes: {
    title: f.text({ search: true }),
    stars: f.number(),
    tag: f.keyword(),
    front: f.vector(2),
    back: f.vector(2),
  },
});

const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});

async function openNotes() {
  const session = await Session.open('node', { schema, assets: { worker: () => startWorkerInNode() } }, () => {});
  sessions.push(session);
  const { notes } = createDatabase(session, schema);
  await notes.putMany([
    { id: 'a', title: 'the arctic tern', stars: 1, tag: 'x', front: [1, 0], back: [0, 1] },
    { id: 'b', title: 'a tern, and terns', stars: 5, tag: 'y', front: [0, 1], back: [1, 0] },
    { id: 'c', title: 'a gull', stars: 3, tag: 'y', front: [1, 1], back: [1, 1] },
  ]);
  return notes;
}

describe('search options of a database', () => {
  it('prefix decides whether the last word may be a beginning, and highlight says where words are', async () => {
    const notes = await openNotes();
    const found = await notes.search({ text: 'arc', highlight: true });
    expect(found.hits).toMatchObject([{ key: 'a', highlights: [{ field: 'title', ranges: [[4, 10]] }] }]);
    expect((await notes.search({ text: 'arc', prefix: false })).hits).toEqual([]);
    expect((await notes.search({ text: 'arctic' })).hits[0]).not.toHaveProperty('highlights');
  });

  it('vectors are lists of their own beside the keywords, weighed by fusion, and hits say their parts', async () => {
    const notes = await openNotes();
    const vectors = [
      { field: 'front', vector: [1, 0] },
      { field: 'back', vector: new Float32Array([0, 0, 1, 0]).subarray(2) },
    ] as const;
    const front = await notes.search({ vectors, fusion: { type: 'weighted', weights: { front: 1, back: 0 } } });
    expect(front.hits.map(({ key }) => key)).toEqual(['a', 'c', 'b']);
    const back = await notes.search({ vectors, text: 'tern', fusion: { type: 'rrf', weights: { front: 0, keyword: 0 } } });
    expect(back.hits.map(({ key }) => key)).toEqual(['b', 'c', 'a']);
    expect(back.hits[0]?.parts).toEqual([
      { name: 'front', score: expect.closeTo(0), rank: 3, share: 0 },
      { name: 'back', score: expect.closeTo(1), rank: 1, share: expect.closeTo(1 / 61) },
      { name: 'keyword', score: expect.any(Number), rank: 1, share: 0 },
    ]);
    await expect(notes.search({ text: 'tern', fusion: { type: 'rrf' } })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
  });

  it('rerank moves hits by a boost and by a decay', async () => {
    const notes = await openNotes();
    const by = { vector: [1, 0], field: 'front' } as const;
    const boosted = await notes.search({ ...by, rerank: { type: 'boost', where: { tag: 'y' }, weight: 10 } });
    expect(boosted.hits.map(({ key }) => key)).toEqual(['c', 'a', 'b']);
    const decayed = await notes.search({ ...by, rerank: [{ type: 'decay', field: 'stars', origin: 3, scale: 1 }] });
    expect(decayed.hits.map(({ key }) => key)).toEqual(['c', 'a', 'b']);
  });

  it('live searches take them too', async () => {
    const notes = await openNotes();
    const seen: unknown[] = [];
    const stop = notes.live({ text: 'arc', highlight: true }, ({ hits }) => seen.push(hits[0]?.highlights));
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 3));
    stop();
    expect(seen[0]).toEqual([{ field: 'title', ranges: [[4, 10]] }]);
  });
});
