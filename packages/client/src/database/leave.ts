import type { DbError } from '@terndb/core';
import type { WorkerConnection } from '../worker/connection.ts';

type Calls = Pick<WorkerConnection, 'call'>;

/** What a logout does before the session ends. @returns whether the database stays on this device. OPTION_INVALID, UNSYNCED_WRITES. */
export async function leave(unsynced: 'upload' | 'keep' | 'discard', connection: Calls, error: typeof DbError): Promise<boolean> {
  switch (unsynced) {
    case 'upload':
      await connection.call('upload', undefined);
      return false;
    case 'keep':
      await connection.call('forget', undefined);
      return true;
    case 'discard':
      return false;
    default:
      throw new error('OPTION_INVALID', `logout: unsynced upload, keep or discard expected, got ${String(unsynced)}`);
  }
}
