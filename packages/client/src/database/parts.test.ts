import { DbError } from '@terndb/core';
import { describe, expect, it, vi } from 'vitest';
import * as client from '../index.ts';
import type { LiveResult } from '../worker/protocol.ts';
import { WatchPump } from '../worker/watch-pump.ts';
import { EntityCache } from './entity-cache.ts';
import { Events } from './events.ts';
import { ValueStore } from './value-store.ts';
import { ownViews } from './values.ts';
import { createWrite } from './write-handle.ts';

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('importing the client', () => {
  it('needs nothing of a browser; opening does, and says so', async () => {
    expect(typeof window).toBe('undefined');
    const schema = client.defineSchema({ notes: { title: client.f.text() } });
    await expect(client.open('x', { schema })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(client.open('', { schema })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(client.open('x', {} as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('takes tokens as text, and nothing that is none', () => {
    expect(client.parseToken('AbC-_1')).toBe('AbC-_1');
    for (const text of ['', 'a b', 'ä', 7 as never])
      expect(() => client.parseToken(text)).toThrowError(expect.objectContaining({ code: 'TOKEN_INVALID' }));
  });
});

describe('a store', () => {
  it('gives the same object until something changed, and tells then', () => {
    const store = new ValueStore({ a: 1, b: 'x' });
    const seen = vi.fn();
    const stop = store.subscribe(seen);
    const before = store.get();
    store.update({ a: 1 });
    expect(store.get()).toBe(before);
    store.update({ a: 2 });
    expect(store.get()).toEqual({ a: 2, b: 'x' });
    expect(seen).toHaveBeenCalledExactlyOnceWith({ a: 2, b: 'x' });
    stop();
    store.update({ a: 3 });
    expect(seen).toHaveBeenCalledOnce();
  });
});

describe('events', () => {
  it('that were kept reach a listener that comes later', async () => {
    const events = new Events<{ loss: string; other: string }>();
    events.keep('loss', 'early');
    const seen: string[] = [];
    events.on('loss', (value) => seen.push(value));
    events.emit('other', 'nobody');
    await turn();
    events.keep('loss', 'late');
    expect(seen).toEqual(['early', 'late']);
  });
});

const noCall = (() => {}) as never;

describe('a write handle', () => {
  const failing = (): { answer: Promise<never>; onUnobserved: (error: DbError) => void; lost: DbError[] } => {
    const lost: DbError[] = [];
    return { answer: Promise.reject(new DbError('STORAGE_FULL', 'full')), onUnobserved: (error) => lost.push(error), lost };
  };

  it('reports a failure that nobody looks at', async () => {
    const { answer, onUnobserved, lost } = failing();
    createWrite('k', { answer, onUnobserved, result: () => 'k', call: noCall });
    await turn();
    expect(lost.map((error) => error.code)).toEqual(['STORAGE_FULL']);
  });

  it('leaves a failure to who awaits it', async () => {
    const { answer, onUnobserved, lost } = failing();
    const write = createWrite('k', { answer, onUnobserved, result: () => 'k', call: noCall });
    await expect(write).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await turn();
    expect(lost).toEqual([]);
  });

  it('waits for levels: local is there, the others are asked of the worker with the entries of the write', async () => {
    const answer = Promise.resolve({ keys: ['k'], token: 't1', writes: [{ channel: 'c', id: 3 }] });
    const call = (async (method: string, request: unknown) => JSON.stringify({ method, request })) as never;
    const write = createWrite('k', { answer, result: ({ keys }) => keys[0] as string, onUnobserved: () => {}, call });
    expect([write.key, await write, await write.wait('local')]).toEqual(['k', 'k', 't1']);
    expect(JSON.parse(await write.wait('acked'))).toEqual({
      method: 'wait',
      request: { level: 'acked', writes: [{ channel: 'c', id: 3 }] },
    });
    await expect(write.wait('synced' as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(write.wait('local', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('the entity cache', () => {
  const resultOf = (rows: readonly (readonly [key: string | number, version: number])[]): LiveResult =>
    ({ entities: rows.map(([id]) => ({ id })), keys: rows.map(([id]) => id), versions: rows.map(([, version]) => version) }) as never;
  const entities = (result: LiveResult): readonly unknown[] => ('entities' in result ? result.entities : []);

  it('keeps an entity of the same key and version, tells 1 from "1", and forgets what left', () => {
    const cache = new EntityCache();
    const first = entities(
      cache.stabilise(
        resultOf([
          ['1', 5],
          [1, 5],
          ['b', 1],
        ]),
      ),
    );
    const second = entities(
      cache.stabilise(
        resultOf([
          [1, 5],
          ['1', 6],
        ]),
      ),
    );
    expect(second[0]).toBe(first[1]);
    expect(second[1]).not.toBe(first[0]);
    expect(entities(cache.stabilise(resultOf([['b', 1]])))[0]).not.toBe(first[2]);
  });
});

describe('the watch pump', () => {
  it('holds the newest result only while the reader is busy', async () => {
    const taken: unknown[] = [];
    let free: () => void = () => {};
    const pump = new WatchPump({
      onResult: (result) => {
        taken.push(result);
        return new Promise((resolve) => {
          free = resolve;
        });
      },
      onError: () => {},
    });
    for (const result of ['a', 'b', 'c']) pump.push(result as never);
    free();
    await turn();
    expect(taken).toEqual(['a', 'c']);
    pump.push('d' as never);
    pump.stop();
    free();
    await turn();
    expect(taken).toEqual(['a', 'c']);
  });
});

describe('views into larger buffers', () => {
  it('are copied alone, everything else is left as it is', () => {
    const matrix = new Float32Array(100);
    const whole = new Float32Array(4);
    const entity = { row: matrix.subarray(8, 12), whole, text: 'x' };
    const own = ownViews(entity);
    expect(own.row.buffer.byteLength).toBe(16);
    expect(own.whole).toBe(whole);
    expect(ownViews({ text: 'x' })).toEqual({ text: 'x' });
  });
});
