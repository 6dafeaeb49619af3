import type { Clock } from '@terndb/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import type { ServerNode } from '../../node/types.ts';
import type { HealthBoard } from '../../observe/health-board.ts';
import { nodeOf } from '../../observe/request-spans.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { AccessPrincipal } from '../auth/principal.ts';
import { credentialOf } from '../http/credential.ts';
import { AnswerBudget } from '../limits/answer-budget.ts';
import { Body } from './body.ts';
import { asMilvusError, CODES, MilvusError } from './errors.ts';
import { parseExact, stringifyExact } from './exact-json.ts';
import { MILVUS_ROUTES } from './handlers.ts';
import { ImportJobs } from './import-jobs.ts';
import { MilvusMetrics } from './metrics.ts';
import { routeSchema } from './request-schemas.ts';
import { isRead, MilvusRoom, type RoomOptions } from './room.ts';

export interface MilvusServices {
  readonly node: ServerNode;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  /** Files that import jobs may read. */
  readonly importFolder: string;
  /** Where metrics are registered. */
  readonly registry: Registry;
  readonly health: Pick<HealthBoard, 'add'>;
  readonly limits: Pick<RoomOptions, 'perSecond' | 'slowMs' | 'admission'> & { readonly answerBytes: number };
}

interface Doors extends MilvusServices {
  readonly imports: ImportJobs;
  readonly room: MilvusRoom;
  readonly answerBytes: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_S = 600;
const DEFAULT_DATABASE = 'default';
/** As stock Milvus answers, and the headers that its clients send and a browser otherwise could not. No cookies are used, so none are allowed. */
const CORS_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers':
    'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, accept, origin, Cache-Control, X-Requested-With, ContentType, Request-Timeout, DB-Name, Accept-Type-Allow-Int64',
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH',
};

/** Milvus RESTful v2 below this instance's prefix. */
export function milvusRoutes(app: FastifyInstance, services: MilvusServices, isOpenToPages: boolean): void {
  // Clients send JSON as text/plain, or name no type at all.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  if (isOpenToPages) {
    app.addHook('onRequest', async (_request, reply) => {
      void reply.headers(CORS_HEADERS);
    });
    app.options('/*', { schema: { hide: true } }, async (_request, reply) => reply.code(204).send());
  }
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  const { node, authenticator, clock, registry, health, limits } = services;
  const metrics = new MilvusMetrics(registry, node, authenticator.accounts);
  const { answerBytes, ...room } = limits;
  const doors = {
    ...services,
    imports: new ImportJobs(services.importFolder, () => clock.nowMs()),
    room: new MilvusRoom({ clock, metrics, ...room }),
    answerBytes,
  };
  // The schemas tell what there is; the handlers check it, in Milvus' words.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  const principals = new WeakMap<FastifyRequest, AccessPrincipal>();
  // Before the body is read: a stranger's costs no memory.
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    const { authorization } = request.headers;
    // Stock clients may leave the scheme out.
    principals.set(request, await authenticator.authenticate(credentialOf(authorization) ?? authorization));
  };
  health.add({ requests: () => doors.room.check(), imports: () => doors.imports.check() });
  for (const path of MILVUS_ROUTES.keys()) {
    const options = { schema: routeSchema(path), onRequest };
    app.post(`/${path}`, options, (request, reply) => answer(path, { ...doors, principal: principals.get(request)! }, request, reply));
  }
}

async function answer(
  path: string,
  { node, authenticator, imports, room, answerBytes, principal }: Doors & { readonly principal: AccessPrincipal },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const text = request.body;
  if (typeof text !== 'string' || text.trim() === '') {
    throw new MilvusError(CODES.notJson, 'can only accept json format request, the request body should be nil, however {} is valid');
  }
  const body = new Body(parseExact(text));
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const database = body.text('dbName') || headerOf(request, 'db-name') || DEFAULT_DATABASE;
  const budget = new AnswerBudget(isRead(path) ? answerBytes : Number.POSITIVE_INFINITY);
  const asked = {
    node: nodeOf(node, request),
    principal,
    accounts: authenticator,
    imports,
    database,
    body,
    bytes: text.length,
    timeoutMs: timeoutOf(request),
    signal: gone.signal,
    budget,
  };
  const format = { int64AsText: isFalse(headerOf(request, 'accept-type-allow-int64')) };
  const outcome = await room.handle(path, asked, format, request.log);
  return send(reply, 200, budget.check(stringifyExact({ code: 0, ...outcome })));
}

function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { code, message, status } = asMilvusError(thrown);
  if (status >= 500) request.log.error({ err: thrown }, 'request failed');
  void send(reply, status, stringifyExact({ code, message }));
}

function send(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').type('application/json; charset=utf-8').send(text);
}

function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const isFalse = (text: string | undefined): boolean => ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text ?? '');

/** Whole seconds. */
function timeoutOf(request: FastifyRequest): number {
  const seconds = Number(headerOf(request, 'request-timeout'));
  return Number.isInteger(seconds) && seconds >= 1 ? Math.min(seconds, MAX_TIMEOUT_S) * 1000 : DEFAULT_TIMEOUT_MS;
}
