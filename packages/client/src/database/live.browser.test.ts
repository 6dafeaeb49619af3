import { afterEach, describe, expect, it } from 'vitest';
import { disposeDatabases, note, openNotes, until } from './testing/databases.ts';

afterEach(disposeDatabases);

describe('live queries', () => {
  it('give the result at once and again when something in it changed', async () => {
    const db = await openNotes();
    const titles: string[][] = [];
    const stop = db.notes.live({ text: 'coffee' }, (result) => titles.push(result.hits.map((hit) => hit.entity.title)));
    await until(() => titles.length === 1);
    expect(titles).toEqual([[]]);
    await db.notes.put(note('coffee'));
    await until(() => titles.length >= 2);
    expect(titles.at(-1)).toEqual(['coffee']);
    stop();
  });

  it('keep the identity of entities that did not change', async () => {
    const db = await openNotes();
    const [a, b] = await db.notes.putMany([note('a', { stars: 1 }), note('b', { stars: 2 })]);
    const results: (readonly object[])[] = [];
    const stop = db.notes.liveQuery({ orderBy: { field: 'stars' } }, (result) => results.push(result.entities));
    await until(() => results.length === 1);
    await db.notes.patch(b!, { stars: 3 });
    await until(() => results.length >= 2);
    const [first, last] = [results[0]!, results.at(-1)!];
    expect(last.map((entity) => (entity as { id: string }).id)).toEqual([a, b]);
    expect(last[0]).toBe(first[0]);
    expect(last[1]).not.toBe(first[1]);
    stop();
  });

  it('deliver at most one result per frame, and the last one last', async () => {
    const db = await openNotes();
    let frames = 0;
    let running = true;
    const count = (): void => {
      frames++;
      if (running) requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    const counts: number[] = [];
    const stop = db.notes.liveQuery({}, (result) => counts.push(result.entities.length));
    for (let index = 0; index < 50; index++) await db.notes.put(note(`n${index}`));
    await until(() => counts.at(-1) === 50);
    running = false;
    expect(counts.length).toBeLessThanOrEqual(frames + 1);
    stop();
  });

  it('deliver nothing after the stop', async () => {
    const db = await openNotes();
    let results = 0;
    const stop = db.notes.liveQuery({}, () => results++);
    await until(() => results === 1);
    stop();
    await db.notes.put(note('later'));
    let seen = false;
    const end = db.notes.liveQuery({}, (result) => {
      seen = result.entities.length === 1;
    });
    await until(() => seen);
    expect(results).toBe(1);
    end();
  });

  it('tell what is wrong with the query', async () => {
    const db = await openNotes();
    const error = await new Promise<{ code: string }>((resolve) => db.notes.liveQuery({ where: { nope: 1 } as never }, () => {}, resolve));
    expect(error.code).toBe('FILTER_INVALID');
  });
});
