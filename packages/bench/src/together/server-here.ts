import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp, openAuthenticator, openNode, openStorage, readConfig, systemClock } from '@terndb/server/testing';
import { SERVER_ENV } from '../sync/server-process.ts';

export interface ServerHere {
  readonly url: string;
  readonly node: Awaited<ReturnType<typeof openNode>>;
  stop(): Promise<void>;
}

/** The whole server in this process, on a data folder of its own. */
export async function startServerHere(): Promise<ServerHere> {
  const data = await mkdtemp(join(tmpdir(), 'terndb-here-'));
  const config = readConfig({ env: { ...SERVER_ENV }, flags: { data, port: '0' } });
  const storage = await openStorage(config);
  const node = await openNode({ ports: storage.ports });
  const app = await createApp({
    node,
    authenticator: await openAuthenticator(config, systemClock, storage.ports.meta),
    clock: systemClock,
    config,
  });
  const url = await app.http.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    node,
    stop: async () => {
      await app.http.close();
      await node.close();
      await storage.close();
      await rm(data, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
