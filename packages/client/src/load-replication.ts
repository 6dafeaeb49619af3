import type * as replication from './sync/replication.ts';

/**
 * The one place that names replication's file. The package's build makes it a file of its own and writes its address as `new URL(…, import.meta.url)`
 * here: an asset for bundlers, also for those that do not split workers.
 */
export async function loadReplication(): Promise<typeof replication> {
  return await import('./sync/replication.ts');
}
