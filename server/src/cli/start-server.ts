import { DbError } from '@terndb/core';
import { type Authenticator, openAuthenticator } from '../access/auth/authenticator.ts';
import { createApp } from '../access/http/create-app.ts';
import { requestLogger } from '../access/http/request-logger.ts';
import { systemClock } from '../adapters/s3/system.ts';
import type { Config } from '../config/config.ts';
import { openNode } from '../node/open-node.ts';
import { diskCheck } from '../observe/disk-check.ts';
import { openTraces } from '../observe/traces.ts';
import { openStorage } from './open-storage.ts';

export interface RunningServer {
  readonly url: string;
  /** Made at this start: to be shown once. */
  readonly newRootPassword?: string;
  /** Resolves when the server cannot go on: another process has taken its data over, or a bug. Close it then. */
  readonly stopped: Promise<DbError>;
  /** Asks sockets to leave, answers what is under way, stores what has to be stored. Once. */
  close(): Promise<void>;
}

/** Everything of `terndb serve` but the process: storage, node, doors. Listens when it resolves. */
export async function startServer(config: Config): Promise<RunningServer> {
  const log = requestLogger(config.log.level);
  const storage = await openStorage(config, (message) => log.warn(message));
  const opened: (() => Promise<void>)[] = [() => storage.close()];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.reverse()) await close();
  };
  try {
    const authenticator = await openAuthenticator(config, systemClock, storage.ports.meta);
    const { promise: stopped, resolve: onStopped } = Promise.withResolvers<DbError>();
    const node = await openNode({
      ports: storage.ports,
      newEpoch: config.restored,
      limits: { maxCollections: config.limits.databaseCollections },
      onStopped,
    });
    opened.push(() => node.close());
    const traces = await openTraces(config.traces);
    if (traces !== undefined) opened.push(() => traces.close());
    const { downloadUrl } = storage;
    const checks = { disk: diskCheck(config.data), ...storage.checks };
    const services = { node, authenticator, clock: systemClock, config, traces, checks };
    const app = await createApp({ ...services, ...(downloadUrl === undefined ? {} : { downloadUrl }) });
    opened.push(
      () => app.http.close(),
      () => node.drain(),
      () => app.drain(config.drainMs),
    );
    await listen(app.http, config);
    return { url: urlOf(app.http, config), stopped, ...passwordOf(authenticator), close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function passwordOf({ newRootPassword }: Authenticator): { readonly newRootPassword?: string } {
  return newRootPassword === undefined ? {} : { newRootPassword };
}

type Http = Awaited<ReturnType<typeof createApp>>['http'];

/** OPTION_INVALID when the address is taken or is not this machine's. */
async function listen(http: Http, { host, port }: Config): Promise<void> {
  try {
    await http.listen({ host, port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new DbError('OPTION_INVALID', `port, host: an address that is free expected, got ${host}:${port} (${code})`, {
      details: { option: 'port', host, port, reason: code },
      cause,
    });
  }
}

function urlOf(http: Http, { host, tls }: Config): string {
  const address = http.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const name = host.includes(':') ? `[${host}]` : host;
  return `${tls.certFile === undefined ? 'http' : 'https'}://${name}:${port}`;
}
