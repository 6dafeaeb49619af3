import { defineSchema, f } from '@terndb/client';
import { openInNode } from '@terndb/client/testing';
import { expect, test } from 'vitest';
import { type PassageHit, whyOf } from './why.ts';

test.each(['cat', 'young cat'])('what the lists add is what the engine made of them, for every hit of %j', async (text) => {
  const schema = defineSchema({
    passages: { title: f.text({ search: true }), body: f.text({ search: true }), meaning: f.vector(4) },
  });
  const db = await openInNode('why', schema);
  const passage = (i: number) => ({
    title: i % 3 === 0 ? `cat ${i}` : `stone ${i}`,
    body: i % 2 === 0 ? 'a young cat' : 'no animal',
    meaning: [1, i % 5, i % 7, 1],
  });
  await db.passages.putMany(Array.from({ length: 40 }, (_, i) => passage(i)));
  const { hits } = await db.passages.search({ text, vector: [1, 2, 3, 1], highlight: true, limit: 40 });
  expect(hits).toHaveLength(40);
  for (const [i, hit] of hits.entries()) {
    const why = whyOf(hit as unknown as PassageHit, i + 1, 'hybrid');
    expect(why.total).toBeCloseTo(hit.score, 9);
    expect(why.note).toBeNull();
    expect(why.words.length > 0).toBe(why.lists[0]!.place !== null);
  }
  await db.close();
});
