import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import websocket from '@fastify/websocket';
import { type Clock, DbError } from '@terndb/core';
import { MAX_MESSAGE_BYTES } from '@terndb/sync';
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import type { Config } from '../../config/config.ts';
import type { HealthChecks } from '../../node/health/finding.ts';
import type { ServerNode } from '../../node/types.ts';
import { HealthBoard } from '../../observe/health-board.ts';
import { withPushSpans } from '../../observe/push-spans.ts';
import { traceRequests } from '../../observe/request-spans.ts';
import type { Traces } from '../../observe/traces.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { cacheControlOf } from '../cache-policy.ts';
import { Admission } from '../limits/admission.ts';
import { limitedNode, withReadRates } from '../limits/limited-node.ts';
import { AccessMetrics } from '../metrics.ts';
import { milvusRoutes } from '../milvus/routes.ts';
import { API_HEADERS, SECURITY_HEADERS } from '../security-headers.ts';
import { SyncConnections } from '../sync/connections.ts';
import { checkHost, checkOrigin, isAllowedOrigin, type OriginRule } from '../sync/origin.ts';
import { syncSocket } from '../sync/sync-socket.ts';
import { Tickets } from '../tickets.ts';
import { apiDocs } from './api-docs.ts';
import { changeRoutes } from './change-routes.ts';
import { downloadRoutes } from './download-routes.ts';
import { answerError, notFound } from './errors.ts';
import { healthRoutes } from './health-routes.ts';
import { requestLogger } from './request-logger.ts';
import { syncRoutes } from './sync-routes.ts';
import { readTls } from './tls.ts';

export type AppConfig = Pick<
  Config,
  'data' | 'host' | 'insecure' | 'issueTokens' | 'origins' | 'trustProxies' | 'tls' | 'limits' | 'log' | 'demo'
>;

export interface AppServices {
  readonly node: ServerNode;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly config: AppConfig;
  readonly downloadUrl?: (name: string, expiresSeconds: number) => Promise<string>;
  readonly traces?: Traces | undefined;
  /** Of what is beside node and doors. */
  readonly checks?: HealthChecks;
}

export interface AccessApp {
  readonly http: FastifyInstance;
  readonly tickets: Tickets;
  /** Not ready from here on; sockets are asked to leave and closed. */
  drain(overMs: number): Promise<void>;
}

/** A request that is never finished costs a socket. */
const REQUEST_TIMEOUT_MS = 60_000;

/** Every door of one node on one port: sync, downloads, health, the demo's files. Not yet listening. */
export async function createApp(services: AppServices): Promise<AccessApp> {
  const { node: unlimited, authenticator, clock, config, traces } = services;
  const admission = new Admission(unlimited, clock, config.limits);
  const node = limitedNode(unlimited, admission, clock);
  const metrics = new AccessMetrics();
  metrics.observe(node);
  const tickets = new Tickets(clock);
  const { downloadUrl } = services;
  const bootstrap = { node, tickets, ...(downloadUrl === undefined ? {} : { downloadUrl }) };
  const pushed = traces === undefined ? node : withPushSpans(node, traces);
  const connections = new SyncConnections({ node: pushed, authenticator, bootstrap, metrics, clock, limits: config.limits });
  const http = await createServer(config);
  const health = openHealth(http, services, connections);
  metrics.observeHealth(health);
  const rule: OriginRule = { origins: config.origins, onlyLoopbackHosts: config.insecure || config.issueTokens === 'loopback' };
  let isDraining = false;

  http.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  http.addHook('onRequest', async (request, reply) => {
    const { origin, host } = request.headers;
    checkHost(rule, host);
    // Without a token to steal or to miss, a foreign page must not be able to write by a form.
    if (rule.onlyLoopbackHosts && request.method === 'POST') checkOrigin(rule, origin, host);
    void reply.headers(API_HEADERS).header('x-request-id', request.id);
  });
  if (traces !== undefined) traceRequests(http, traces);
  http.addHook('onResponse', async (request, reply) => {
    const labels = { method: request.method, route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) };
    metrics.requests.observe(labels, reply.elapsedTime / 1000);
    request.log.info({ req: request, res: reply, ms: Math.round(reply.elapsedTime) }, 'request');
  });
  await http.register(rateLimit, {
    max: config.limits.requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { ttl, max }) =>
      new DbError('RATE_LIMITED', `requests: at most ${max} a minute expected`, { details: { limit: max, retryAfterMs: ttl } }),
  });
  await http.register(websocket, {
    options: { maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false },
    errorHandler: (error, socket, request) => {
      request.log.error({ err: error }, 'sync socket could not be opened');
      socket.terminate();
    },
  });
  await apiDocs(http);
  healthRoutes(http, { metrics, health, isDraining: () => isDraining });
  await http.register(
    async (sync) => {
      await sync.register(cors, corsOptions(rule));
      const { answerBytes } = config.limits;
      syncRoutes(sync, { node: withReadRates(node, admission), authenticator, clock, slowMs: config.log.slowMs, answerBytes });
      downloadRoutes(sync, { node, tickets, metrics });
      syncSocket(sync, { rule, connections });
    },
    { prefix: '/sync' },
  );
  const draining = new AbortController();
  await http.register(async (changes) => {
    await changes.register(cors, corsOptions(rule));
    changeRoutes(changes, { node, authenticator, metrics, clock, traces, draining: draining.signal });
  });
  const milvusServices = {
    node,
    authenticator,
    clock,
    importFolder: join(config.data, 'import'),
    registry: metrics.registry,
    health,
    limits: {
      perSecond: config.limits.userRequestsPerSecond,
      slowMs: config.log.slowMs,
      answerBytes: config.limits.answerBytes,
      admission,
    },
  };
  // Stock clients run anywhere: the token decides. Without security only pages of this machine may use it.
  await http.register(async (milvus) => milvusRoutes(milvus, milvusServices, !rule.onlyLoopbackHosts), { prefix: '/v2/vectordb' });
  if (config.demo === undefined) http.setNotFoundHandler(({ url }) => unknownRoute(url));
  else await serveFiles(http, config.demo, config.issueTokens !== 'off');
  return {
    http,
    tickets,
    drain: async (overMs) => {
      isDraining = true;
      draining.abort();
      await connections.drain(overMs);
    },
  };
}

function openHealth(
  http: FastifyInstance,
  { node, authenticator, clock, traces, checks }: AppServices,
  sockets: SyncConnections,
): HealthBoard {
  const health = new HealthBoard({
    clock,
    onChange: (changed) => http.log[changed.status === 'ok' ? 'info' : 'warn']({ health: changed }, 'component health'),
  });
  health.add({ ...node.healthChecks, ...checks, tokens: authenticator.check, sockets: () => sockets.check() });
  if (traces !== undefined) health.add({ traces: traces.check });
  http.addHook('onReady', async () => health.watch());
  http.addHook('onClose', async () => health.close());
  return health;
}

async function createServer({ tls, limits, log, trustProxies }: AppConfig): Promise<FastifyInstance> {
  const options: FastifyServerOptions = {
    loggerInstance: requestLogger(log.level),
    genReqId: () => randomUUID(),
    // One line per request, written when it is answered.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    trustProxy: trustProxies.length === 0 ? false : [...trustProxies],
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  };
  const https = await readTls(tls);
  return Fastify(https === undefined ? options : ({ ...options, https } as FastifyServerOptions));
}

/** Tokens travel in a header that a page sets itself: nothing is gained from another site's cookies, so none are allowed. */
function corsOptions(rule: OriginRule): object {
  return {
    origin: (origin: string | undefined, done: (error: null, allowed: boolean) => void) =>
      done(null, isAllowedOrigin(rule, origin, undefined)),
    methods: ['GET', 'POST'],
    allowedHeaders: ['authorization', 'content-type', 'range', 'if-range', 'if-none-match'],
    exposedHeaders: ['content-range', 'accept-ranges', 'etag', 'retry-after', 'x-request-id'],
    maxAge: 600,
  };
}

/** `isShared`: the pages get tokens here, so `/connect.json` tells them to connect; a static host serves the folder's own, which does not. */
async function serveFiles(http: FastifyInstance, root: string, isShared: boolean): Promise<void> {
  if (!(await stat(root).catch(() => undefined))?.isDirectory()) {
    throw new DbError('OPTION_INVALID', `demo: a folder expected, got ${root}`, { details: { option: 'demo', where: root } });
  }
  await http.register(async (files) => {
    files.addHook('onSend', async (_request, reply) => {
      void reply.headers(SECURITY_HEADERS);
    });
    await files.register(fastifyStatic, {
      root,
      cacheControl: false,
      setHeaders: (reply, path) => {
        void reply.header('cache-control', cacheControlOf(`/${relative(root, path).replaceAll('\\', '/')}`));
      },
    });
    files.get('/connect.json', { schema: { hide: true } }, async (_request, reply) =>
      reply.header('cache-control', 'no-store').send({ sync: isShared ? '/sync' : null }),
    );
    files.setNotFoundHandler(({ url }) => unknownRoute(url));
  });
}

function unknownRoute(url: string): never {
  throw notFound(`route ${url.split('?')[0]!.slice(0, 200)}`);
}
