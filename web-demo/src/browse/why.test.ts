import { describe, expect, it } from 'vitest';
import { type PassageHit, summaryOf, whyOf } from './why.ts';

const hit = (parts: PassageHit['parts'], more: object = {}): PassageHit =>
  ({
    key: 'k',
    entity: { title: 'Wildcat', body: 'Any small cat.' },
    score: 0,
    from: 'local',
    pending: false,
    ...(parts === undefined ? {} : { parts }),
    ...more,
  }) as unknown as PassageHit;

describe('why a hit is where it is', () => {
  it('is told list by list, and what they add is the score', () => {
    const parts = [
      { name: 'keyword', score: 3, rank: 4, share: 0.25 },
      { name: 'meaning', score: 0.5, rank: 1, share: 0.5 },
    ];
    const why = whyOf(hit(parts, { score: 0.75 }), 2, 'hybrid');
    expect(why.lists).toEqual([
      { list: 'words', place: 4, score: 3, share: 0.25 },
      { list: 'meaning', place: 1, score: 0.5, share: 0.5 },
    ]);
    expect([why.total, why.note]).toEqual([0.75, null]);
    expect(summaryOf(why)).toBe('its words and its meaning');
  });

  it('says which list has it not', () => {
    const why = whyOf(hit([{ name: 'meaning', score: 0.5, rank: 1, share: 0.75 }], { score: 0.75 }), 1, 'hybrid');
    expect(why.lists[0]).toEqual({ list: 'words', place: null, score: null, share: 0 });
    expect(summaryOf(why)).toBe('its meaning');
  });

  it('is one list where only one ranked', () => {
    expect(whyOf(hit(undefined, { score: 7 }), 3, 'keyword')).toMatchObject({
      lists: [{ list: 'words', place: 3, score: 7, share: null }],
      total: null,
    });
    expect(whyOf(hit(undefined, { score: 0.9 }), 1, 'semantic')).toMatchObject({
      lists: [{ list: 'meaning', place: 1, score: 0.9 }],
    });
  });

  it('names the words that stand in it, once each', () => {
    const highlights = [
      { field: 'title', ranges: [[0, 7]] },
      { field: 'body', ranges: [[10, 13]] },
    ];
    expect(whyOf(hit(undefined, { highlights }), 1, 'keyword').words).toEqual(['wildcat', 'cat']);
  });

  it('does not make up parts of what a server found, and says when lists were merged by place', () => {
    expect(whyOf(hit(undefined, { from: 'global' }), 1, 'hybrid')).toMatchObject({ lists: [], note: 'server' });
    expect(whyOf(hit([{ name: 'meaning', score: 0, rank: 1, share: 0.5 }], { score: 1 / 61 }), 1, 'hybrid').note).toBe('mixed');
  });
});
