import { describe, expect, it } from 'vitest';
import { queryOf, rankingOf, searchOf } from './request.ts';
import { filterCount, MAX_LIMIT, reduceView, START, type View, type ViewAction } from './view-state.ts';

const after = (...actions: readonly ViewAction[]): View => actions.reduce(reduceView, START);

describe('the view', () => {
  it('without a question is a sorted list', () => {
    const view = after({ type: 'sort', sort: 'stars' });
    expect(searchOf(view)).toBeNull();
    expect(queryOf(view)).toMatchObject({
      where: {},
      limit: 100,
      orderBy: [
        { field: 'stars', order: 'desc' },
        { field: 'added', order: 'desc' },
      ],
    });
  });

  it('with words is a search; blanks are no words', () => {
    expect(searchOf(after({ type: 'text', text: 'arctic tern' }))).toMatchObject({ text: 'arctic tern' });
    expect(queryOf(after({ type: 'text', text: 'arctic tern' }))).toBeNull();
    expect(queryOf(after({ type: 'text', text: '  ' }))).not.toBeNull();
  });

  it('like a passage forgets the words, and words forget the passage', () => {
    const like = after({ type: 'text', text: 'x' }, { type: 'like', key: 'k', title: 'Tern' });
    expect(searchOf(like)).toMatchObject({ like: 'k' });
    expect(like.text).toBe('');
    expect(searchOf(reduceView(like, { type: 'text', text: 'y' }))).toMatchObject({ text: 'y' });
  });

  it('fuses only where there are two lists to fuse, and asks for the words found', () => {
    const asked = after({ type: 'text', text: 'x' });
    expect(searchOf(asked)).toMatchObject({ mode: 'hybrid', highlight: true });
    for (const mode of ['keyword', 'semantic'] as const) {
      expect(searchOf(reduceView(asked, { type: 'mode', mode }))).not.toHaveProperty('fusion');
    }
    expect(searchOf(after({ type: 'like', key: 'k', title: 'Tern' }))).not.toHaveProperty('fusion');
  });

  it('is ranked by words alone without a model, and by meaning alone when it asks for what is alike', () => {
    const asked = after({ type: 'text', text: 'x' });
    expect([rankingOf(asked, false), rankingOf(asked, true)]).toEqual(['hybrid', 'keyword']);
    expect(rankingOf(after({ type: 'like', key: 'k', title: 'Tern' }), false)).toBe('semantic');
  });

  it('filters searches and lists alike, by any of the chosen values', () => {
    const filters: ViewAction[] = [
      { type: 'toggle', filter: 'topics', value: 'a' },
      { type: 'toggle', filter: 'topics', value: 'b' },
      { type: 'toggle', filter: 'kinds', value: 'noun' },
      { type: 'toggle', filter: 'kinds', value: 'noun' },
      { type: 'minStars', minStars: 3 },
    ];
    const where = { topic: { in: ['a', 'b'] }, stars: { gte: 3 } };
    expect(queryOf(after(...filters))?.where).toEqual(where);
    expect(searchOf(after(...filters, { type: 'text', text: 'x' }))?.where).toEqual(where);
    expect(filterCount(after(...filters))).toBe(3);
    expect(filterCount(after(...filters, { type: 'clearFilters' }))).toBe(0);
  });

  it('asks for more up to what the engine gives, and starts anew with every question', () => {
    let view = START;
    for (let i = 0; i < 20; i++) view = reduceView(view, { type: 'more' });
    expect(view.limit).toBe(MAX_LIMIT);
    expect(reduceView(view, { type: 'text', text: 'x' }).limit).toBe(100);
  });
});
