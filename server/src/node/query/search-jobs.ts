import { type Clock, DbError } from '@terndb/core';
import { type JobExecutor, runJob, runWith, type Steps } from '@terndb/engine/parts';
import { type Budget, within } from './position-waiters.ts';

/** Everything at once, on this thread. */
export const INLINE_JOBS: JobExecutor = { run: (jobs) => jobs.map(runJob) };

/**
 * A search whose caller is told at once when it gives up or its time is over: no more jobs are begun then, those that wait are withdrawn, and `onEnd` is
 * called, once, when the last of those that run has ended. ABORTED, TIMEOUT.
 */
export function runSearchJobs<T>(
  steps: Steps<T>,
  options: { readonly jobs: JobExecutor; readonly clock: Clock; readonly budget: Budget; readonly onEnd: () => void },
): Promise<T> {
  const { jobs, clock, budget, onEnd } = options;
  const given = new AbortController();
  const tooLate = (): DbError =>
    new DbError('TIMEOUT', `read: a search within ${budget.timeoutMs} ms expected, got none`, { details: { timeoutMs: budget.timeoutMs } });
  const running = runWith(steps, {
    run: (asked) => {
      if (given.signal.aborted) throw tooLate();
      return jobs.run(asked, given.signal);
    },
  }).finally(onEnd);
  return within<{ readonly found: T } | undefined>(clock, budget, undefined, (resolve, reject) => {
    running.then((found) => resolve({ found }), reject);
    return () => given.abort();
  }).then((answer) => {
    if (answer === undefined) throw tooLate();
    return answer.found;
  });
}
