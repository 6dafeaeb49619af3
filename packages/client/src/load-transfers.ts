import type * as transfers from './transfer/transfers.ts';

/** The one place that names the file of exports and imports; see `load-replication.ts`. */
export async function loadTransfers(): Promise<typeof transfers> {
  return await import('./transfer/transfers.ts');
}
