import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, MemoryLogBroker, MemoryMetaStore, MemoryObjectStore, type MetaStore, type ObjectStore } from '@terndb/core';
import { loadKernel } from '@terndb/kernel';
import {
  type ClientMessage,
  decodeMessage,
  encodeMessage,
  type Hint,
  type Hinted,
  PROTOCOL_VERSION,
  type Presence,
  type Present,
  type ServerMessage,
} from '@terndb/sync';
import WebSocket, { type ClientOptions } from 'ws';
import { systemClock, systemRng } from '../../adapters/s3/system.ts';
import type { Config } from '../../config/config.ts';
import { readConfig } from '../../config/read-config.ts';
import { openNode } from '../../node/open-node.ts';
import type { ServerNode } from '../../node/types.ts';
import { openTraces } from '../../observe/traces.ts';
import { type Authenticator, openAuthenticator } from '../auth/authenticator.ts';
import type { TernClaims } from '../auth/claims.ts';
import { issueJwt, loadJwtKeys } from '../auth/jwt.ts';
import { type AccessApp, createApp } from '../http/create-app.ts';
import { asNode, ScriptedNode } from './scripted-node.ts';

const SECRET = 'a secret of at least thirty-two bytes';

export interface TestServer {
  readonly url: string;
  readonly node: ScriptedNode;
  readonly app: AccessApp;
  readonly authenticator: Authenticator;
  token(claims: TernClaims, options?: { readonly subject?: string; readonly lifetimeMs?: number }): Promise<string>;
  post(path: string, body: unknown, token?: string, headers?: Record<string, string>): Promise<Response>;
  socket(options?: { readonly origin?: string }): Promise<TestSocket>;
  close(): Promise<void>;
}

/** The doors over a scripted node, on a free port of the loopback. */
export async function startTestServer(change: Partial<Config> = {}, clock: Clock = systemClock): Promise<TestServer> {
  const scripted = new ScriptedNode();
  const server = await startDoors(asNode(scripted), { change, clock, meta: new MemoryMetaStore() });
  return { ...server, node: scripted };
}

export type DoorServer = Omit<TestServer, 'node'>;

export interface MemoryServerOptions {
  /** Default: in memory, too. */
  readonly objects?: ObjectStore;
  readonly downloadUrl?: (name: string, expiresSeconds: number) => Promise<string>;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** The doors over a real node that keeps everything in memory. */
export async function startMemoryServer(
  change: Partial<Config> = {},
  { objects = new MemoryObjectStore(), downloadUrl, clock = systemClock }: MemoryServerOptions = {},
): Promise<DoorServer & { readonly real: ServerNode }> {
  const ports = {
    log: new MemoryLogBroker(),
    meta: new MemoryMetaStore(),
    objects,
    clock,
    rng: systemRng,
    kernel: await loadKernel(),
  };
  const maxCollections = change.limits?.databaseCollections;
  const node = await openNode({ ports, limits: maxCollections === undefined ? {} : { maxCollections } });
  const server = await startDoors(node, {
    change,
    clock,
    meta: ports.meta,
    ...(downloadUrl === undefined ? {} : { downloadUrl }),
  });
  return {
    ...server,
    real: node,
    close: async () => {
      await server.close();
      await node.close();
    },
  };
}

interface Doors {
  readonly change: Partial<Config>;
  readonly clock: Clock;
  readonly meta: MetaStore;
  readonly downloadUrl?: NonNullable<MemoryServerOptions['downloadUrl']>;
}

async function startDoors(node: ServerNode, { change, clock, meta, downloadUrl }: Doors): Promise<DoorServer> {
  const data = await mkdtemp(join(tmpdir(), 'terndb-access-'));
  const env = { TERNDB_AUTH_HS256_SECRET: SECRET, TERNDB_LOG_LEVEL: 'silent', TERNDB_ROOT_PASSWORD: 'open sesame' };
  const defaults = readConfig({ env, flags: { data, port: '0' } });
  const config: Config = { ...defaults, ...change, limits: { ...defaults.limits, ...change.limits } };
  const authenticator = await openAuthenticator(config, clock, meta);
  const traces = await openTraces(config.traces);
  const app = await createApp({ node, authenticator, clock, config, traces, ...(downloadUrl === undefined ? {} : { downloadUrl }) });
  const url = await app.http.listen({ host: config.host, port: 0 });
  const keys = await loadJwtKeys(config.auth, undefined, clock);
  const sockets: TestSocket[] = [];
  return {
    url,
    app,
    authenticator,
    token: (claims, { subject = 'ann', lifetimeMs = 60_000 } = {}) => issueJwt(keys, { subject, claims, lifetimeMs, nowMs: clock.nowMs() }),
    post: (path, body, token, headers = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    socket: async (options) => {
      const socket = await TestSocket.open(url, options);
      sockets.push(socket);
      return socket;
    },
    close: async () => {
      for (const socket of sockets) socket.close();
      await app.http.close();
      await traces?.close();
      await rm(data, { recursive: true });
    },
  };
}

type Heard = ServerMessage | Present | Hinted;

/** A device's end of the socket, as bare as can be. */
export class TestSocket {
  readonly raw: WebSocket;
  readonly received: Heard[] = [];
  readonly closed: Promise<number>;
  readonly #waiting: (() => void)[] = [];

  private constructor(raw: WebSocket) {
    this.raw = raw;
    raw.binaryType = 'nodebuffer';
    raw.on('message', (data: Buffer) => {
      this.received.push(decodeMessage(data) as Heard);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => {
      raw.on('close', (code) => {
        resolve(code);
        for (const wake of this.#waiting.splice(0)) wake();
      });
    });
    raw.on('error', () => undefined);
  }

  /** Rejects with the status when the upgrade is refused. */
  static open(url: string, options: Pick<ClientOptions, 'origin' | 'ca' | 'cert' | 'key'> = {}): Promise<TestSocket> {
    const raw = new WebSocket(`${url.replace('http', 'ws')}/sync`, options);
    const socket = new TestSocket(raw);
    return new Promise((resolve, reject) => {
      raw.on('open', () => resolve(socket));
      raw.on('unexpected-response', (_request, response) => reject(new Error(`status ${response.statusCode}`)));
    });
  }

  send(message: ClientMessage | Presence | Hint): void {
    this.raw.send(encodeMessage(message));
  }

  hello(token: string, change: Partial<Extract<ClientMessage, { type: 'hello' }>> = {}): void {
    this.send({ type: 'hello', oldest: 1, newest: PROTOCOL_VERSION, clientId: 'client-1', term: 1, token, schemas: [], ...change });
  }

  subscribe(channel: string, subscription = 1): void {
    this.send({ type: 'subscribe', channel, subscription, credit: 1024, formers: [] });
  }

  /** The first message of this type, now or later. */
  async next<T extends Heard['type']>(type: T): Promise<Extract<Heard, { type: T }>> {
    for (;;) {
      const found = this.received.find((message) => message.type === type);
      if (found !== undefined) return found as Extract<Heard, { type: T }>;
      if (this.raw.readyState === WebSocket.CLOSED)
        throw new Error(`closed without ${type}; got ${this.received.map((m) => m.type).join(', ')}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  close(): void {
    this.raw.terminate();
  }
}
