import type { Schema, Shapes } from '@terndb/core';
import { afterEach } from 'vitest';
import type { Database } from '../../api/database.ts';
import { createDatabase } from '../../database/database.ts';
import { Session } from '../../database/session.ts';
import { startWorkerInNode } from '../../worker/testing/worker-in-node.ts';
import { type MemoryServer, tokenOf } from './memory-server.ts';

type Db = Database<Shapes>;

export interface DatabaseInNode {
  readonly db: Db;
  /** To its worker, for calls that no collection makes. */
  readonly connection: Session['connection'];
}

/** Opens whole databases in Node, each a device of its own whose network is the server; they are closed after each test. */
export function databasesInNode(schema: Schema<Shapes>): (server: MemoryServer) => Promise<DatabaseInNode> {
  const sessions: Session[] = [];
  afterEach(async () => {
    for (const session of sessions.splice(0)) await session.close().catch(() => {});
  });
  return async (server) => {
    const session = await Session.open('node', { schema, assets: { worker: () => startWorkerInNode(server) } }, () => {});
    sessions.push(session);
    return { db: createDatabase(session, schema), connection: session.connection };
  };
}

export function connectAs(
  db: Db,
  subject = 'ann',
  partitions: Parameters<Db['connect']>[0]['partitions'] = ['shared'],
): ReturnType<Db['connect']> {
  return db.connect({ url: 'http://server/sync', partitions, getToken: async () => tokenOf(subject) });
}

export const isLive = (db: Db): boolean => db.sync.get().state.name === 'live';

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 3));
}
