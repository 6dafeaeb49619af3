import { describe, expect, it } from 'vitest';
import { fusionOf, largestShare, shareOf } from './fusion.ts';
import { type PassageHit, summaryOf, whyOf } from './why.ts';

const byScore = fusionOf('cat');
const byPlace = fusionOf('young cat');
const asked = { ranking: 'hybrid', fusion: byScore } as const;

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
    const words = shareOf(byScore, 'words', { place: 4, score: 3 });
    const score = words + 0.75;
    const parts = [
      { name: 'keyword', score: 3, rank: 4 },
      { name: 'meaning', score: 0.5, rank: 1 },
    ];
    const why = whyOf(hit(parts, { score }), 2, asked);
    expect(why.lists).toEqual([
      { list: 'words', place: 4, score: 3, share: words },
      { list: 'meaning', place: 1, score: 0.5, share: 0.75 },
    ]);
    expect([why.total, why.note]).toEqual([score, null]);
    expect(summaryOf(why)).toBe('its words and its meaning');
  });

  it('says which list has it not', () => {
    const why = whyOf(hit([{ name: 'meaning', score: 0.5, rank: 1 }], { score: 0.75 }), 1, asked);
    expect(why.lists[0]).toEqual({ list: 'words', place: null, score: null, share: 0 });
    expect(summaryOf(why)).toBe('its meaning');
  });

  it('is one list where only one ranked', () => {
    expect(whyOf(hit(undefined, { score: 7 }), 3, { ...asked, ranking: 'keyword' })).toMatchObject({
      lists: [{ list: 'words', place: 3, score: 7, share: null }],
      total: null,
    });
    expect(whyOf(hit(undefined, { score: 0.9 }), 1, { ...asked, ranking: 'semantic' })).toMatchObject({
      lists: [{ list: 'meaning', place: 1, score: 0.9 }],
    });
  });

  it('names the words that stand in it, once each', () => {
    const highlights = [
      { field: 'title', ranges: [[0, 7]] },
      { field: 'body', ranges: [[10, 13]] },
    ];
    expect(whyOf(hit(undefined, { highlights }), 1, { ...asked, ranking: 'keyword' }).words).toEqual(['wildcat', 'cat']);
  });

  it('does not make up parts of what a server found, and says when lists were merged by place', () => {
    expect(whyOf(hit(undefined, { from: 'global' }), 1, asked)).toMatchObject({ lists: [], note: 'server' });
    expect(whyOf(hit([{ name: 'meaning', score: 0, rank: 1 }], { score: 1 / 61 }), 1, asked).note).toBe('mixed');
  });

  it('counts places where the question has several words, and scores where it has one', () => {
    expect([byScore.type, byPlace.type, fusionOf(' young ').type]).toEqual(['weighted', 'rrf', 'weighted']);
    expect(shareOf(byPlace, 'words', { place: 1, score: 99 })).toBeCloseTo(1 / 21, 9);
    expect(shareOf(byPlace, 'meaning', { place: 2, score: 0.1 })).toBeCloseTo(4 / 22, 9);
    expect([largestShare(byScore), largestShare(byPlace)]).toEqual([1, 4 / 21]);
  });
});
