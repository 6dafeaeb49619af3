import { type Database, defineSchema, f, open, type Shapes } from '@terndb/client';
import { act, createElement, type ReactNode, StrictMode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Live, useQuery, useSearch, useStore, useSyncStatus } from './index.ts';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
const schema = defineSchema({ notes: { title: f.text({ search: true }), stars: f.number().default(0) } });

async function openNotes() {
  return await open(`react-${Date.now().toString(36)}-${Math.random()}`, { schema });
}
let db: Awaited<ReturnType<typeof openNotes>>;
let root: Root;

beforeEach(async () => {
  db = await openNotes();
  root = createRoot(document.body.appendChild(document.createElement('div')));
});
afterEach(async () => {
  await act(async () => root.unmount());
  await (db as unknown as Database<Shapes>).logout({ unsynced: 'discard' });
});

/** Renders a hook in strict mode and records what it returned, in order. */
async function renderHook<P, T>(hook: (props: P) => T, props: P): Promise<{ seen: T[]; rerender(props: P): Promise<void> }> {
  const seen: T[] = [];
  // biome-ignore lint/correctness/noComponentHookFactories: one component per test is the point.
  function Probe({ value }: { value: P }): ReactNode {
    seen.push(hook(value));
    return null;
  }
  const rerender = (value: P): Promise<void> =>
    act(async () => root.render(createElement(StrictMode, null, createElement(Probe, { value }))));
  await rerender(props);
  return { seen, rerender };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await act(() => new Promise((resolve) => setTimeout(resolve, 5)));
}
/** A write while something is rendered: its result may come before the write is durable, and every change belongs in an `act`. */
async function put(note: { title: string }): Promise<void> {
  await act(async () => {
    await db.notes.put(note);
  });
}
const titles = (live: Live<{ hits: readonly { entity: { title: string } }[] }>): string[] | undefined =>
  live.data?.hits.map((hit) => hit.entity.title);

describe('useSearch', () => {
  it('shows the result, and the next one after a write', async () => {
    await db.notes.put({ title: 'coffee one' });
    const { seen } = await renderHook((text: string) => useSearch(db.notes, { text }), 'coffee');
    expect(seen[0]).toEqual({ data: undefined, loading: true, error: null });
    await until(() => !seen.at(-1)!.loading);
    expect(titles(seen.at(-1)!)).toEqual(['coffee one']);
    await put({ title: 'coffee two' });
    await until(() => titles(seen.at(-1)!)?.length === 2);
    expect(seen.at(-1)!.loading).toBe(false);
  });

  it('keeps the previous result while the next one is on its way, unless told not to', async () => {
    await db.notes.putMany([{ title: 'apple' }, { title: 'pear' }]);
    const { seen, rerender } = await renderHook(
      ({ text, keepPrevious }: { text: string; keepPrevious: boolean }) => useSearch(db.notes, { text }, { keepPrevious }),
      { text: 'apple', keepPrevious: true },
    );
    await until(() => !seen.at(-1)!.loading);
    const start = seen.length;
    await rerender({ text: 'pear', keepPrevious: true });
    expect([titles(seen[start]!), seen[start]!.loading]).toEqual([['apple'], true]);
    await until(() => titles(seen.at(-1)!)?.[0] === 'pear');
    const next = seen.length;
    await rerender({ text: 'apple', keepPrevious: false });
    expect([seen[next]!.data, seen[next]!.loading]).toEqual([undefined, true]);
  });

  it('skips null, and starts anew after it', async () => {
    await db.notes.put({ title: 'apple' });
    const { seen, rerender } = await renderHook(
      (text: string | null) => useSearch(db.notes, text === null ? null : { text }),
      null as string | null,
    );
    expect(seen.at(-1)).toEqual({ data: undefined, loading: false, error: null });
    await rerender('apple');
    await until(() => titles(seen.at(-1)!)?.length === 1);
    await rerender(null);
    expect(seen.at(-1)).toEqual({ data: undefined, loading: false, error: null });
  });

  it('asks once for queries of equal content, and after the delay for the last of many', async () => {
    const asked: string[] = [];
    const counted = {
      ...db.notes,
      live: (search: { text: string }, ...rest: [any, any]) => {
        asked.push(search.text);
        return db.notes.live(search, ...rest);
      },
    } as unknown as typeof db.notes;
    const { seen, rerender } = await renderHook(
      (text: string) => useSearch(counted, { text, where: { stars: { gte: 0 } } }, { debounceMs: 30 }),
      'a' as string,
    );
    await until(() => !seen.at(-1)!.loading);
    asked.length = 0;
    await rerender('a');
    for (const text of ['ab', 'abc', 'abcd']) await rerender(text);
    await until(() => !seen.at(-1)!.loading);
    expect(asked).toEqual(['abcd']);
  });

  it('tells errors', async () => {
    const { seen } = await renderHook(() => useSearch(db.notes, { text: 'x', where: { nope: 1 } as never }), undefined);
    await until(() => seen.at(-1)!.error !== null);
    expect(seen.at(-1)).toMatchObject({ loading: false, error: { code: 'FILTER_INVALID' } });
  });
});

describe('useQuery, useStore and useSyncStatus', () => {
  it('follow their sources', async () => {
    const { seen } = await renderHook(
      () => [useQuery(db.notes, { limit: 5 }), useStore(db.storage), useSyncStatus(db)] as const,
      undefined,
    );
    await until(() => seen.at(-1)![0].data !== undefined);
    await put({ title: 'x' });
    await until(() => seen.at(-1)![0].data?.entities.length === 1);
    expect(seen.at(-1)![1].mode).toBe('indexeddb');
    expect(seen.at(-1)![2].leader).toBe(true);
  });
});
