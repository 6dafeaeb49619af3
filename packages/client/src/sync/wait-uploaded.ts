import { type Clock, DbError } from '@terndb/core';

/** Between two looks at the outbox. */
const POLL_MS = 50;

/** How an upload stands. */
export interface Upload {
  readonly isConnected: boolean;
  readonly phase: string;
  /** The stored outbox is read: until then nobody knows what is in it. */
  readonly isOpen: boolean;
  readonly writes: number;
  /** Why the server takes nothing of a partition. */
  readonly denied: string | undefined;
}

/** Waits until the log has everything. NOT_CONNECTED; UNSYNCED_WRITES when that cannot be, or not in this time. */
export async function waitUploaded(clock: Clock, timeoutMs: number, look: () => Upload): Promise<void> {
  if (!look().isConnected)
    throw new DbError('NOT_CONNECTED', 'logout with upload: a connection expected, got a database that never had one');
  const deadline = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const { phase, isOpen, writes, denied } = look();
    // Before a partition is attached its rows are in no outbox.
    if (isOpen && phase !== 'resolving' && writes === 0) return;
    const isStuck = phase !== 'running' && phase !== 'resolving';
    if (isStuck || denied !== undefined || clock.monotonicMs() >= deadline) {
      throw new DbError('UNSYNCED_WRITES', `logout: no write that the log has not confirmed expected, got ${writes}`, {
        details: { writes, ...(denied === undefined ? {} : { denied }) },
      });
    }
    await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
  }
}
