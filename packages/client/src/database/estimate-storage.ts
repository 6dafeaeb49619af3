import type { StorageStatus } from '../api/status.ts';

/** Browsers refuse long before nothing is left, for a page or for the disk. */
const LOW_SHARE = 0.9;

/** What the browser says of this origin; undefined where it says nothing: insecure contexts. */
export async function estimateStorage(): Promise<Pick<StorageStatus, 'usageBytes' | 'quotaBytes' | 'persisted' | 'state'> | undefined> {
  const manager: StorageManager | undefined = typeof navigator === 'undefined' ? undefined : navigator.storage;
  if (manager === undefined) return undefined;
  const [{ usage = 0, quota = 0 }, persisted] = await Promise.all([manager.estimate(), manager.persisted()]);
  return { usageBytes: usage, quotaBytes: quota, persisted, state: quota > 0 && usage > quota * LOW_SHARE ? 'low' : 'ok' };
}
