import { ManualClock } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import type { ServerNode } from '../../node/types.ts';
import { AnswerBudget } from './answer-budget.ts';
import { boundedNode } from './bounded-node.ts';
import { type Deadline, openDeadline } from './deadline.ts';

const open = (clock: ManualClock, gone?: AbortSignal): Deadline =>
  openDeadline({ clock, timeoutMs: 1_000, gone, late: () => new Error('late'), left: () => new Error('left') });

/** A node whose every read and write takes 400 ms, and who was asked for what. */
function slowNode(clock: ManualClock) {
  const asked: { readonly name: string; readonly timeoutMs?: number }[] = [];
  const work =
    (name: string) =>
    async (request: object): Promise<object> => {
      asked.push({ name, ...request });
      await new Promise<void>((resolve) => void clock.after(400, resolve));
      return {};
    };
  const names = ['get', 'query', 'count', 'aggregate', 'search', 'explain', 'write'];
  return { asked, node: Object.fromEntries(names.map((name) => [name, work(name)])) as unknown as ServerNode };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

describe('the time of a request', () => {
  it('is for all of its queries together, and each is told what is left', async () => {
    const clock = new ManualClock();
    const { asked, node } = slowNode(clock);
    const deadline = open(clock);
    const bounded = boundedNode(node, deadline, new AnswerBudget(1_000));
    const three = (async () => {
      for (let query = 0; query < 3; query++) await bounded.search({ database: 'default', collection: 'a' });
    })();
    const answered = expect(deadline.holds(three)).rejects.toThrow('late');
    for (const ms of [400, 0, 400, 0, 200]) {
      await turns();
      clock.advance(ms);
    }
    await answered;
    expect(asked.map(({ timeoutMs }) => timeoutMs)).toEqual([1_000, 600, 200]);
    clock.advance(200);
    await three;
    const read = expect(bounded.query({ database: 'default', collection: 'a' })).rejects.toThrow('late');
    const write = expect(bounded.write({ type: 'put', database: 'default', collection: 'a', entities: [] })).rejects.toThrow('late');
    await turns();
    clock.advance(0);
    await Promise.all([read, write]);
    expect(asked).toHaveLength(3);
  });

  it('is noticed by what never lets a timer run, and others have their turn meanwhile', async () => {
    const clock = new ManualClock();
    const deadline = open(clock);
    let others = 0;
    clock.after(0, () => others++);
    const busy = (async () => {
      for (let part = 0; ; part++) {
        await deadline.begin();
        // All in one turn: no timer runs by this.
        (clock as unknown as { monotonicMs: () => number }).monotonicMs = () => part * 100;
      }
    })();
    const refused = expect(busy).rejects.toThrow('late');
    for (let step = 0; step < 20; step++) {
      await turns();
      clock.advance(0);
    }
    await refused;
    expect(others).toBe(1);
  });

  it('is over when nobody waits any more', async () => {
    const clock = new ManualClock();
    const caller = new AbortController();
    const deadline = open(clock, caller.signal);
    const held = expect(deadline.holds(new Promise(() => {}))).rejects.toThrow('left');
    caller.abort();
    await held;
    expect(open(clock, caller.signal).signal.aborted).toBe(true);
  });

  it('ends with its answer: later it says nothing', async () => {
    const clock = new ManualClock();
    const caller = new AbortController();
    const deadline = open(clock, caller.signal);
    expect(await deadline.holds(Promise.resolve('answer'))).toBe('answer');
    deadline.end();
    caller.abort();
    clock.advance(2_000);
    expect(deadline.signal.aborted).toBe(false);
  });

  it('passes the failure of the work on', async () => {
    const deadline = open(new ManualClock());
    await expect(deadline.holds(Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});
