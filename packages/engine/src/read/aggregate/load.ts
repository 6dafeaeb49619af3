import type * as aggregates from './aggregates.ts';

/** The one place that names the file: in browsers it is one of its own, loaded by the first aggregate. */
export async function loadAggregates(): Promise<typeof aggregates> {
  return await import('./aggregates.ts');
}
