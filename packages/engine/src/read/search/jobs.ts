import type { AbortSignalLike } from '@terndb/core';
import type {
  BinaryBlock,
  BinaryScanOptions,
  HnswIndex,
  HnswSearchOptions,
  ListIndex,
  ListSearchOptions,
  ScanHits,
  ScanOptions,
  VectorBlock,
} from '@terndb/kernel';

/** One search of one block or index, for whoever is to do it. */
export type VectorJob = (
  | { readonly kind: 'rows'; readonly target: VectorBlock; readonly options: ScanOptions }
  | { readonly kind: 'bits'; readonly target: BinaryBlock; readonly options: BinaryScanOptions }
  | { readonly kind: 'graph'; readonly target: HnswIndex; readonly options: HnswSearchOptions }
  | { readonly kind: 'lists'; readonly target: ListIndex; readonly options: ListSearchOptions }
) & {
  /** Nobody changes what is searched, as of sealed segments: it may be read later, and by others, while its view is pinned. */
  readonly isSealed: boolean;
  /** What the search costs: about as much as a scan that multiplies so many numbers. */
  readonly products: number;
};

/**
 * A search as steps: it asks for jobs, is given their hits in the same order, and ends with `T`. So there is one search, whether jobs are done here and
 * now or by threads while others are served.
 */
export type Steps<T> = Generator<readonly VectorJob[], T, readonly ScanHits[]>;

/**
 * Does jobs: at once, or in the background, and then settles when none of them runs any more. Hits are those of `runJob`, whoever finds them. Jobs that
 * have not begun when `signal` is aborted need not: ABORTED.
 */
export interface JobExecutor {
  run(jobs: readonly VectorJob[], signal?: AbortSignalLike): readonly ScanHits[] | Promise<readonly ScanHits[]>;
}

export function runJob(job: VectorJob): ScanHits {
  switch (job.kind) {
    case 'rows':
      return job.target.scan(job.options);
    case 'bits':
      return job.target.scan(job.options);
    case 'graph':
      return job.target.search(job.options);
    case 'lists':
      return job.target.search(job.options);
  }
}

/** To the end, here and now. */
export function runInline<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next(step.value.map(runJob));
  return step.value;
}

/** To the end by an executor. Views stay pinned until this settles: no job of theirs runs any more then. */
export async function runWith<T>(steps: Steps<T>, executor: JobExecutor): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    const hits = executor.run(step.value);
    // Small searches are done at once, and need no turn of the event loop.
    step = steps.next(hits instanceof Promise ? await hits : hits);
  }
  return step.value;
}

/** A search of one job. */
export function* ask(job: VectorJob): Steps<ScanHits> {
  const [hits] = yield [job];
  return hits!;
}

/** What needs no jobs. */
// biome-ignore lint/correctness/useYield: it is a search of no steps.
export function* settled<T>(value: T): Steps<T> {
  return value;
}

/** Several at a time: jobs that none of them has to wait for are asked for together. */
export function* together<T>(all: readonly Steps<T>[]): Steps<T[]> {
  const results = new Array<T>(all.length);
  let asking: { readonly index: number; readonly jobs: readonly VectorJob[] }[] = [];
  const take = (index: number, step: IteratorResult<readonly VectorJob[], T>): void => {
    if (step.done === true) results[index] = step.value;
    else asking.push({ index, jobs: step.value });
  };
  for (const [index, steps] of all.entries()) take(index, steps.next());
  while (asking.length > 0) {
    const asked = asking;
    const hits = yield asked.flatMap(({ jobs }) => jobs);
    asking = [];
    let from = 0;
    for (const { index, jobs } of asked) {
      take(index, all[index]!.next(hits.slice(from, from + jobs.length)));
      from += jobs.length;
    }
  }
  return results;
}
