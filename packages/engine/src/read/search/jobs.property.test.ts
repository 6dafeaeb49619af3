import { propertyOptions, seededRng } from '@terndb/core/testing';
import type { ScanHits } from '@terndb/kernel';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { SearchRequest } from '../../database/types.ts';
import { runSearch, searchSteps } from '../search.ts';
import { NAMED, viewsOf } from '../testing/arbitraries.ts';
import { memoryContext } from '../testing/memory-view.ts';
import { ask, type JobExecutor, runInline, runJob, runWith, type Steps, settled, together, type VectorJob } from './jobs.ts';

/** As threads do it: some jobs at once, others later, in any order. */
function scattered(seed: number): JobExecutor & { jobs: number; waits: number } {
  const rng = seededRng(seed);
  const executor = {
    jobs: 0,
    waits: 0,
    run(jobs: readonly VectorJob[]): readonly ScanHits[] | Promise<readonly ScanHits[]> {
      executor.jobs += jobs.length;
      if (rng.nextUint32() % 3 === 0) return jobs.map(runJob);
      executor.waits++;
      return Promise.all(
        jobs.map(async (job) => {
          for (let turns = rng.nextUint32() % 4; turns > 0; turns--) await Promise.resolve();
          return runJob(job);
        }),
      );
    },
  };
  return executor;
}

const vectors = fc.constantFrom([1, 0, 2], [-1, 0.5, 0], [0, 0, 0], [2, 2, 2]);
const text = fc.constantFrom('tern', 'sea wind', 's');
const by: fc.Arbitrary<Partial<SearchRequest>> = fc.oneof(
  fc.record({ vector: vectors, field: fc.constantFrom('cosine', 'inner', 'squared') }),
  fc.record({ vector: vectors, field: fc.constant('squared'), text }),
  fc.record({ text }),
  fc.tuple(vectors, vectors).map(([a, b]) => ({
    vectors: [
      { field: 'cosine', vector: a },
      { field: 'squared', vector: b },
    ],
  })),
  fc.record({ vector: fc.constantFrom(Uint8Array.of(7, 1), Uint8Array.of(0, 0)), field: fc.constantFrom('hamming', 'jaccard') }),
);
const how: fc.Arbitrary<Partial<SearchRequest>> = fc.record({
  limit: fc.integer({ min: 1, max: 8 }),
  offset: fc.nat(3),
  ...{ groupBy: fc.constantFrom(undefined, undefined, { field: 'tag', size: 2 }) },
  ...{ rerank: fc.constantFrom(undefined, undefined, [{ type: 'boost', filter: 'sold == true', weight: 2 }]) },
  ...{ minScore: fc.constantFrom(undefined, undefined, -1) },
});

test('a search gives the same whoever does its jobs, in whatever order they end', async () => {
  let [jobs, waits, hits] = [0, 0, 0];
  const contexts = fc.array(viewsOf(NAMED), { minLength: 1, maxLength: 3 }).map((views) =>
    memoryContext(
      NAMED,
      views.map(({ view }) => view),
    ),
  );
  await fc.assert(
    fc.asyncProperty(contexts, by, how, fc.nat(), async (context, source, options, seed) => {
      const request = { collection: 'items', ...source, ...options } as SearchRequest;
      const attempt = <T>(work: () => T): T | string => {
        try {
          return work();
        } catch (error) {
          return String(error);
        }
      };
      const expected = attempt(() => runSearch(context, request));
      const executor = scattered(seed);
      const got = await runWith(searchSteps(context, request), executor).catch(String);
      expect(got).toEqual(expected);
      jobs += executor.jobs;
      waits += executor.waits;
      if (typeof expected !== 'string') hits += expected.hits.length;
    }),
    propertyOptions(500),
  );
  expect(Math.min(jobs, waits, hits)).toBeGreaterThan(0);
});

describe('steps together', () => {
  const job = (n: number): VectorJob => ({ options: { k: n } }) as unknown as VectorJob;
  const answer = (asked: VectorJob): ScanHits => ({ offsets: Uint32Array.of(asked.options.k * 10), scores: new Float32Array(1) });
  function* twice(n: number): Steps<number> {
    const first = yield* ask(job(n));
    const [second, third] = yield [job(n + 1), job(n + 2)];
    return first.offsets[0]! + second!.offsets[0]! + third!.offsets[0]!;
  }

  it('ask for all their jobs in as few turns as the longest of them has, and give results in their order', () => {
    const turns: number[] = [];
    const steps = together([
      twice(1),
      settled(7),
      twice(100),
      (function* () {
        return (yield* ask(job(5))).offsets[0]!;
      })(),
    ]);
    let step = steps.next();
    while (step.done !== true) {
      turns.push(step.value.length);
      step = steps.next(step.value.map(answer));
    }
    expect(step.value).toEqual([60, 7, 3030, 50]);
    expect(turns).toEqual([3, 4]);
  });

  it('need nobody when none of them has a job', () => {
    expect(runInline(together([settled(1), settled(2)]))).toEqual([1, 2]);
    expect(runInline(together([]))).toEqual([]);
  });

  it('pass on what a job failed with', async () => {
    const failing: JobExecutor = { run: () => Promise.reject(new Error('no such luck')) };
    await expect(runWith(together([twice(1)]), failing)).rejects.toThrow('no such luck');
  });
});
