import type { StoredFields } from '@terndb/core';
import { ManualClock } from '@terndb/core/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { QueryRequest, QueryResult, SearchRequest, SearchResult } from '../database/types.ts';
import { NAMED } from '../read/testing/arbitraries.ts';
import { createLive, LIVE_INTERVAL_MS, type Live } from './live.ts';
import { ChangingCollection } from './testing/changing-collection.ts';

const PARTITION = '_default';
let collection: ChangingCollection;
let clock: ManualClock;
let live: Live;

beforeEach(() => {
  collection = new ChangingCollection(NAMED, [PARTITION]);
  clock = new ManualClock();
  live = createLive({ clock, onChange: collection.onChange, open: collection.pin });
});

function put(key: string, fields: StoredFields): void {
  collection.apply([{ type: 'put', partition: PARTITION, key, fields }]);
}

function remove(key: string): void {
  collection.apply([{ type: 'delete', partition: PARTITION, key }]);
}

function watchQuery(request: Omit<QueryRequest, 'collection'>) {
  const results: QueryResult[] = [];
  const errors: string[] = [];
  const stop = live.watchQuery(
    { collection: 'items', ...request },
    (result) => results.push(result),
    (error) => errors.push(error.code),
  );
  return { results, errors, stop };
}

function watchSearch(request: Omit<SearchRequest, 'collection'>) {
  const results: SearchResult[] = [];
  const errors: string[] = [];
  const stop = live.watchSearch(
    { collection: 'items', ...request },
    (result) => results.push(result),
    (error) => errors.push(error.code),
  );
  return { results, errors, stop };
}

/** Evaluations caused by what happens inside, a frame later. */
function evaluationsOf(act: () => void): number {
  const before = live.evaluations;
  act();
  clock.advance(LIVE_INTERVAL_MS);
  return live.evaluations - before;
}

describe('when results are told', () => {
  test('the first result comes at once', () => {
    put('a', { price: 1 });
    const { results } = watchQuery({});
    expect(results.map((result) => result.keys)).toEqual([['a']]);
  });

  test('many changes within a frame are one result, and results are a frame apart', () => {
    const { results } = watchQuery({});
    for (let i = 0; i < 10; i++) {
      put(`k${i}`, { price: i });
      clock.advance(1);
    }
    expect(results).toHaveLength(1);
    clock.advance(LIVE_INTERVAL_MS - 10);
    expect(results.map((result) => result.keys.length)).toEqual([0, 10]);
    put('later', {});
    clock.advance(LIVE_INTERVAL_MS - 1);
    expect(results).toHaveLength(2);
    clock.advance(1);
    expect(results).toHaveLength(3);
  });

  test('a change after a quiet time is told without waiting for a frame', () => {
    const { results } = watchQuery({});
    clock.advance(1000);
    put('a', {});
    clock.advance(0);
    expect(results).toHaveLength(2);
  });

  test('nothing is told when a change led to an equal result', () => {
    put('a', { price: 1 });
    const { results } = watchSearch({ text: 'tern', limit: 3 });
    expect(evaluationsOf(() => put('b', { body: 'tern' }))).toBe(1);
    expect(results).toHaveLength(2);
    // The row came and went before anybody looked.
    clock.advance(100);
    put('c', { body: 'tern' });
    remove('c');
    clock.advance(LIVE_INTERVAL_MS);
    expect(results).toHaveLength(2);
  });

  test('nothing is told after stop, not even what was waiting for its frame', () => {
    const { results, stop } = watchQuery({});
    put('a', {});
    stop();
    clock.advance(1000);
    put('b', {});
    clock.advance(1000);
    expect(results).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a listener may stop its own watcher from inside a result', () => {
    const seen: number[] = [];
    const stop = live.watchQuery(
      { collection: 'items' },
      (result) => {
        seen.push(result.keys.length);
        if (seen.length === 2) stop();
      },
      () => {},
    );
    for (const key of ['a', 'b', 'c']) {
      put(key, {});
      clock.advance(LIVE_INTERVAL_MS);
    }
    expect(seen).toEqual([0, 1]);
  });

  test('an error is told once, does not end the watcher, and the next result follows it', () => {
    const { results, errors } = watchSearch({ like: 'a', field: 'squared' });
    expect(errors).toEqual(['QUERY_INVALID']);
    put('b', { squared: Float32Array.of(0, 0, 1) });
    clock.advance(LIVE_INTERVAL_MS);
    expect(errors).toHaveLength(1);
    put('a', { squared: Float32Array.of(0, 0, 2) });
    clock.advance(LIVE_INTERVAL_MS);
    expect(results.map((result) => result.hits.map((hit) => hit.key))).toEqual([['b']]);
    remove('a');
    clock.advance(LIVE_INTERVAL_MS);
    expect(errors).toHaveLength(2);
  });

  test('views are released before a result is told, also when the read fails', () => {
    let openAtResult = -1;
    live.watchQuery(
      { collection: 'items' },
      () => {
        openAtResult = collection.open;
      },
      () => {},
    );
    expect(openAtResult).toBe(0);
    watchQuery({ limit: -1 });
    expect(collection.open).toBe(0);
  });

  test('closing stops every watcher', () => {
    const { results } = watchQuery({});
    live.close();
    put('a', {});
    clock.advance(100);
    expect(results).toHaveLength(1);
  });
});

describe('which changes are looked at', () => {
  beforeEach(() => {
    for (let i = 0; i < 6; i++) put(`k${i}`, { price: i, body: i < 3 ? 'tern' : 'sea', squared: Float32Array.of(i, 0, 0), tag: 'x' });
  });

  test('a query ignores rows that do not pass, and rows behind its page', () => {
    watchQuery({ where: { price: { gte: 1 } }, orderBy: { field: 'price' }, limit: 2, offset: 1 });
    expect(evaluationsOf(() => put('new', { price: 0 }))).toBe(0);
    expect(evaluationsOf(() => put('behind', { price: 3.5 }))).toBe(0);
    expect(evaluationsOf(() => remove('behind'))).toBe(0);
    expect(evaluationsOf(() => remove('never there'))).toBe(0);
    expect(evaluationsOf(() => put('tie', { price: 3 }))).toBe(0);
  });

  test('a query looks at rows that enter, leave, change within its page, or shift it from before its offset', () => {
    watchQuery({ where: { price: { gte: 1 } }, orderBy: { field: 'price' }, limit: 2, offset: 1 });
    expect(evaluationsOf(() => put('k2', { price: 2, tag: 'y' }))).toBe(1);
    expect(evaluationsOf(() => put('enters', { price: 2.5 }))).toBe(1);
    expect(evaluationsOf(() => put('enters', { price: 0 }))).toBe(1);
    expect(evaluationsOf(() => remove('k1'))).toBe(1);
  });

  test('a vector search ignores rows that score less than its last hit or do not pass', () => {
    watchSearch({ vector: [0, 0, 0], field: 'squared', where: { tag: 'x' }, limit: 2 });
    expect(evaluationsOf(() => put('far', { squared: Float32Array.of(2, 2, 0), tag: 'x' }))).toBe(0);
    expect(evaluationsOf(() => put('near but out', { squared: Float32Array.of(0, 0, 0), tag: 'y' }))).toBe(0);
    expect(evaluationsOf(() => put('no vector', { tag: 'x' }))).toBe(0);
    expect(evaluationsOf(() => remove('far'))).toBe(0);
  });

  test('a vector search looks at rows that score as much as its last hit, or were hits', () => {
    const { results } = watchSearch({ vector: [0, 0, 0], field: 'squared', where: { tag: 'x' }, limit: 2 });
    expect(evaluationsOf(() => put('a', { squared: Float32Array.of(0, 1, 0), tag: 'x' }))).toBe(1);
    expect(results.at(-1)!.hits.map((hit) => hit.key)).toEqual(['k0', 'a']);
    expect(evaluationsOf(() => remove('k0'))).toBe(1);
    expect(results.at(-1)!.hits.map((hit) => hit.key)).toEqual(['a', 'k1']);
  });

  test('a text search ignores texts without its words', () => {
    watchSearch({ text: 'ter', limit: 2 });
    expect(evaluationsOf(() => put('new', { body: 'sea' }))).toBe(0);
    expect(evaluationsOf(() => put('k5', { body: 'wind' }))).toBe(0);
    expect(evaluationsOf(() => remove('k4'))).toBe(0);
  });

  test('a text search looks at texts with a word of it, or that only begins as its last word does', () => {
    watchSearch({ text: 'ter', limit: 2 });
    expect(evaluationsOf(() => put('new', { body: 'terns' }))).toBe(1);
    expect(evaluationsOf(() => put('new', { body: 'sea' }))).toBe(1);
    // Not among the hits, but one text less holds the word: scores move.
    expect(evaluationsOf(() => remove('k2'))).toBe(1);
  });

  test('changes of other partitions are not even looked up', () => {
    const two = new ChangingCollection(NAMED, [PARTITION, 'p1']);
    const watcher = createLive({ clock, onChange: two.onChange, open: two.pin });
    watcher.watchQuery(
      { collection: 'items', partitions: [PARTITION] },
      () => {},
      () => {},
    );
    two.apply([{ type: 'put', partition: 'p1', key: 'x', fields: {} }]);
    expect(clock.pendingTimers).toBe(0);
    two.apply([{ type: 'put', partition: PARTITION, key: 'x', fields: {} }]);
    expect(clock.pendingTimers).toBe(1);
  });
});
