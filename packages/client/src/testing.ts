/**
 * For tests and benches outside this package: the whole client in one Node process, storage in memory, the platform's `fetch` and `WebSocket`.
 * Not for applications. After `close` nothing of it keeps a process alive.
 */
import type { Schema, Shapes } from '@terndb/core';
import type { Database } from './api/database.ts';
import { createDatabase } from './database/database.ts';
import { Session } from './database/session.ts';
import { startWorkerInNode } from './worker/testing/worker-in-node.ts';

/** A database of its own, whatever its name; `close` ends its worker. */
export async function openInNode<C extends Shapes>(name: string, schema: Schema<C>): Promise<Database<C>> {
  const session = await Session.open(name, { schema, assets: { worker: () => startWorkerInNode() } }, () => {});
  return createDatabase(session, schema);
}
