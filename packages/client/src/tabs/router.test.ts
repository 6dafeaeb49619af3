import { DbError, defineSchema, f, MemoryBus, type MemoryBusHub, MemoryLocks, type MemoryLockTable } from '@terndb/core';
import { ManualClock } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import type { Call, Service, WatchResult, WatchSink } from '../worker/protocol.ts';
import { LeaderDesk } from './leader-desk.ts';
import { tabLock, tabTopic } from './messages.ts';
import { TabRouter } from './router.ts';

const { definition: schema } = defineSchema({ c: { n: f.number() } });

/** Answers with what it was asked, and gives its watches to the test. */
class Recorder implements Service {
  readonly calls: Call[] = [];
  readonly sinks = new Set<WatchSink>();
  answers = true;

  refuses = false;

  call(call: Call): Promise<unknown> {
    if (call.method === 'adopt') return this.refuses ? Promise.reject(new DbError('SCHEMA_CONFLICT', 'no')) : Promise.resolve(undefined);
    this.calls.push(call);
    if (!this.answers) return new Promise(() => {});
    return call.method === 'count' ? Promise.reject(new DbError('COLLECTION_UNKNOWN', 'no such')) : Promise.resolve(call.request);
  }
  watch(_watch: unknown, sink: WatchSink): () => void {
    this.sinks.add(sink);
    return () => this.sinks.delete(sink);
  }
}

function createTabs() {
  const hub: MemoryBusHub = new Set();
  const table: MemoryLockTable = new Map();
  const clock = new ManualClock();
  const tab = (name: string) => {
    const bus = new MemoryBus(hub);
    const router = new TabRouter({ database: 'db', tab: name, clock, schema, bus });
    const own: { die: () => void } = { die: () => {} };
    void new MemoryLocks(table).hold(tabLock('db', name), {}, () => {
      return new Promise((resolve) => {
        own.die = resolve;
      });
    });
    return {
      bus,
      router,
      die: () => own.die(),
      lead(term: number, service: Service): LeaderDesk {
        const desk = new LeaderDesk({ database: 'db', tab: name, term, bus, locks: new MemoryLocks(table) }, service);
        router.lead(service);
        desk.announce();
        return desk;
      },
    };
  };
  return { clock, tab };
}
const flushed = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};
const put = (n: number): Call => ({ method: 'write', request: { type: 'delete', collection: 'c', key: n } });
const result = { entities: [], keys: [], versions: [] } as unknown as WatchResult;

describe('calls among tabs', () => {
  it('wait for a leader and reach it in their order', async () => {
    const { tab } = createTabs();
    const follower = tab('b');
    const answers = [1, 2, 3].map((n) => follower.router.call(put(n)));
    const recorder = new Recorder();
    tab('a').lead(1, recorder);
    expect(await Promise.all(answers)).toEqual([1, 2, 3].map((n) => put(n).request));
    expect(recorder.calls).toEqual([1, 2, 3].map(put));
  });

  it('fail with the code of the leader', async () => {
    const { tab } = createTabs();
    tab('a').lead(1, new Recorder());
    const failing = tab('b').router.call({ method: 'count', request: { collection: 'x' } });
    await expect(failing).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN' });
  });

  it('are asked again of the next leader when the first does not answer', async () => {
    const { tab } = createTabs();
    const silent = new Recorder();
    silent.answers = false;
    const [first, second, follower] = [tab('a'), tab('b'), tab('c')];
    const desk = first.lead(1, silent);
    const answer = follower.router.call(put(7));
    await flushed();
    expect(silent.calls).toHaveLength(1);
    desk.stop();
    const next = new Recorder();
    second.lead(2, next);
    expect(await answer).toEqual(put(7).request);
    expect(next.calls).toEqual([put(7)]);
  });

  it('go to the own engine once this tab leads, those without an answer first', async () => {
    const { tab } = createTabs();
    const alone = tab('a');
    const early = alone.router.call(put(1));
    const recorder = new Recorder();
    alone.lead(1, recorder);
    const late = alone.router.call(put(2));
    await Promise.all([early, late]);
    expect(recorder.calls).toEqual([put(1), put(2)]);
  });

  it('are done once though they arrive twice', async () => {
    const { tab } = createTabs();
    const recorder = new Recorder();
    tab('a').lead(1, recorder);
    const { bus } = tab('b');
    for (let time = 0; time < 2; time++) bus.publish(tabTopic('db', 'a'), { type: 'call', from: 'b', id: 5, call: put(1) });
    await flushed();
    expect(recorder.calls).toHaveLength(1);
  });

  it('end with TIMEOUT when nobody answers for half a minute', async () => {
    const { tab, clock } = createTabs();
    const answer = tab('b').router.call(put(1));
    clock.advance(30_000);
    await expect(answer).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('do not take the answer of an older term', async () => {
    const { tab } = createTabs();
    const silent = new Recorder();
    silent.answers = false;
    const [old, young, follower] = [tab('a'), tab('b'), tab('c')];
    old.lead(1, silent);
    await follower.router.ready();
    young.lead(2, silent);
    await flushed();
    let taken: unknown;
    void follower.router.call(put(1)).then((value) => {
      taken = value;
    });
    const id = 3; // After one adoption per leader.
    old.bus.publish(tabTopic('db', 'c'), { type: 'answer', term: 1, id, value: 'stale' });
    await flushed();
    expect(taken).toBeUndefined();
    young.bus.publish(tabTopic('db', 'c'), { type: 'answer', term: 2, id, value: 'fresh' });
    await flushed();
    expect(taken).toBe('fresh');
  });

  it('are not for a tab whose schema the leader refuses', async () => {
    const { tab } = createTabs();
    const recorder = new Recorder();
    recorder.refuses = true;
    tab('a').lead(1, recorder);
    await expect(tab('b').router.ready()).rejects.toMatchObject({ code: 'SCHEMA_CONFLICT' });
  });

  it('fail with the given error once the router has ended', async () => {
    const { tab } = createTabs();
    const { router } = tab('a');
    const waiting = router.call(put(1));
    router.end(new DbError('DATABASE_CLOSED', 'closed'));
    await expect(waiting).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
    await expect(router.call(put(2))).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
  });
});

describe('watches among tabs', () => {
  const watch = { kind: 'query', request: { collection: 'c' } } as const;

  it('hand over one result at a time', async () => {
    const { tab } = createTabs();
    const recorder = new Recorder();
    tab('a').lead(1, recorder);
    let deliver: () => void = () => {};
    let results = 0;
    tab('b').router.watch(watch, {
      onResult: () => {
        results++;
        return new Promise((resolve) => {
          deliver = resolve;
        });
      },
      onError: () => {},
    });
    await flushed();
    const [sink] = recorder.sinks;
    let taken = false;
    void sink!.onResult(result).then(() => {
      taken = true;
    });
    await flushed();
    expect([results, taken]).toEqual([1, false]);
    deliver();
    await flushed();
    expect(taken).toBe(true);
  });

  it('begin again at the next leader', async () => {
    const { tab } = createTabs();
    const [first, second] = [new Recorder(), new Recorder()];
    const desk = tab('a').lead(1, first);
    tab('c').router.watch(watch, { onResult: async () => {}, onError: () => {} });
    await flushed();
    expect(first.sinks.size).toBe(1);
    desk.stop();
    tab('b').lead(2, second);
    await flushed();
    expect([first.sinks.size, second.sinks.size]).toEqual([0, 1]);
  });

  it('of a tab that died are stopped when its lock is free', async () => {
    const { tab } = createTabs();
    const recorder = new Recorder();
    const follower = tab('b');
    tab('a').lead(1, recorder);
    follower.router.watch(watch, { onResult: async () => {}, onError: () => {} });
    await flushed();
    expect(recorder.sinks.size).toBe(1);
    follower.die();
    await flushed();
    expect(recorder.sinks.size).toBe(0);
  });
});
