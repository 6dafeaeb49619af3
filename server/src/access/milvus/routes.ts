import type { Clock } from '@terndb/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServerNode } from '../../node/types.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { credentialOf } from '../http/credential.ts';
import { Body } from './body.ts';
import type { MilvusAnswer, MilvusCall } from './call.ts';
import { asMilvusError, CODES, MilvusError } from './errors.ts';
import { parseExact, stringifyExact } from './exact-json.ts';
import { MILVUS_ROUTES, type MilvusRoute } from './handlers.ts';
import { ImportJobs } from './import-jobs.ts';
import type { RowFormat } from './rows.ts';

export interface MilvusServices {
  readonly node: ServerNode;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  /** Files that import jobs may read. */
  readonly importFolder: string;
}

interface Doors extends MilvusServices {
  readonly imports: ImportJobs;
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
    app.options('/*', async (_request, reply) => reply.code(204).send());
  }
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  const doors = { ...services, imports: new ImportJobs(services.importFolder, () => services.clock.nowMs()) };
  for (const [path, route] of MILVUS_ROUTES) app.post(`/${path}`, (request, reply) => answer({ path, ...route }, doors, request, reply));
}

async function answer(
  route: MilvusRoute & { readonly path: string },
  { node, authenticator, imports }: Doors,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { authorization } = request.headers;
  // Stock clients may leave the scheme out.
  const principal = await authenticator.authenticate(credentialOf(authorization) ?? authorization);
  const text = request.body;
  if (typeof text !== 'string' || text.trim() === '') {
    throw new MilvusError(CODES.notJson, 'can only accept json format request, the request body should be nil, however {} is valid');
  }
  const body = new Body(parseExact(text));
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const database = body.text('dbName') || headerOf(request, 'db-name') || DEFAULT_DATABASE;
  const call = { node, principal, accounts: authenticator, imports, database, body, timeoutMs: timeoutOf(request), signal: gone.signal };
  const outcome = await audited(route, call, request, { int64AsText: isFalse(headerOf(request, 'accept-type-allow-int64')) });
  return send(reply, 200, { code: 0, ...outcome });
}

/** Who changed what, refused or not: names only, never a password or a row. */
async function audited(
  { path, guard, run }: MilvusRoute & { readonly path: string },
  call: MilvusCall,
  request: FastifyRequest,
  format: RowFormat,
): Promise<MilvusAnswer> {
  if (!guard.isAudited) return run(call, format);
  const { principal, database, body } = call;
  const names = Object.fromEntries(AUDITED_NAMES.flatMap((name) => (typeof body.get(name) === 'string' ? [[name, body.get(name)]] : [])));
  const audit = { subject: principal.subject, action: path, database, ...names };
  try {
    const outcome = await run(call, format);
    request.log.info({ audit: { ...audit, outcome: 'done' } }, 'audit');
    return outcome;
  } catch (thrown) {
    request.log.info({ audit: { ...audit, outcome: 'refused', code: asMilvusError(thrown).code } }, 'audit');
    throw thrown;
  }
}
const AUDITED_NAMES = [
  'collectionName',
  'newCollectionName',
  'partitionName',
  'aliasName',
  'indexName',
  'userName',
  'roleName',
  'privilege',
  'privilegeGroupName',
  'fieldName',
] as const;

function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { code, message, status } = asMilvusError(thrown);
  if (status >= 500) request.log.error({ err: thrown }, 'request failed');
  void send(reply, status, { code, message });
}

function send(reply: FastifyReply, status: number, answered: object): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').type('application/json; charset=utf-8').send(stringifyExact(answered));
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
