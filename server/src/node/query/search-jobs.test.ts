import type { AbortSignalLike } from '@terndb/core';
import { ManualClock } from '@terndb/core/testing';
import type { JobExecutor, Steps, VectorJob } from '@terndb/engine/parts';
import { describe, expect, it } from 'vitest';
import { runSearchJobs } from './search-jobs.ts';

const NO_HITS = { offsets: new Uint32Array(0), scores: new Float32Array(0) };

/** Two turns of jobs, one after the other. */
function* twoTurns(): Steps<string> {
  yield [{} as VectorJob];
  yield [{} as VectorJob];
  return 'found';
}

/** Jobs that end when the test says so. */
function held() {
  const waiting: (() => void)[] = [];
  const jobs: JobExecutor = {
    run: (asked) => new Promise((resolve) => waiting.push(() => resolve(asked.map(() => NO_HITS)))),
  };
  return { jobs, waiting };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a search whose jobs are done by others', () => {
  it('ends with what it found, and lets go once, after its last job', async () => {
    const { jobs, waiting } = held();
    let ends = 0;
    const found = runSearchJobs(twoTurns(), { jobs, clock: new ManualClock(), budget: { timeoutMs: 100 }, onEnd: () => ends++ });
    for (let round = 0; round < 2; round++) {
      expect([waiting.length, ends]).toEqual([1, 0]);
      waiting.pop()!();
      await turn();
    }
    expect(await found).toBe('found');
    expect(ends).toBe(1);
  });

  it.each(['ABORTED', 'TIMEOUT'])(
    'tells its caller %s at once, lets go only when the running job has ended, and begins no other',
    async (code) => {
      const { jobs, waiting } = held();
      const clock = new ManualClock();
      const caller = new AbortController();
      let ends = 0;
      const budget = { timeoutMs: 100, signal: caller.signal };
      const refused = expect(runSearchJobs(twoTurns(), { jobs, clock, budget, onEnd: () => ends++ })).rejects.toMatchObject({ code });
      if (code === 'ABORTED') caller.abort();
      else clock.advance(100);
      await refused;
      expect(ends).toBe(0);
      waiting.pop()!();
      await turn();
      expect([waiting.length, ends]).toEqual([0, 1]);
    },
  );

  it.each(['ABORTED', 'TIMEOUT'])(
    'withdraws the jobs that wait when it ends with %s, and none when it ends with what it found',
    async (code) => {
      const clock = new ManualClock();
      const caller = new AbortController();
      const given: AbortSignalLike[] = [];
      const jobs: JobExecutor = {
        run: (asked, signal) => {
          given.push(signal!);
          if (given.length === 1) return asked.map(() => NO_HITS);
          return new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(new Error('withdrawn'))));
        },
      };
      let ends = 0;
      const budget = { timeoutMs: 100, signal: caller.signal };
      const refused = expect(runSearchJobs(twoTurns(), { jobs, clock, budget, onEnd: () => ends++ })).rejects.toMatchObject({ code });
      expect([given.length, given.some(({ aborted }) => aborted), ends]).toEqual([2, false, 0]);
      if (code === 'ABORTED') caller.abort();
      else clock.advance(100);
      await refused;
      await turn();
      expect([given.every(({ aborted }) => aborted), ends]).toEqual([true, 1]);
    },
  );

  it('lets go when a job fails, and passes the failure on', async () => {
    let ends = 0;
    const jobs: JobExecutor = { run: () => Promise.reject(new Error('broken')) };
    const search = runSearchJobs(twoTurns(), { jobs, clock: new ManualClock(), budget: { timeoutMs: 100 }, onEnd: () => ends++ });
    await expect(search).rejects.toThrow('broken');
    expect(ends).toBe(1);
  });
});
