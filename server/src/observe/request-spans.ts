import { DbError, type Span } from '@terndb/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { traced } from '../node/traced.ts';
import type { NodeRequest, ServerNode } from '../node/types.ts';
import { withMethods } from '../node/with-methods.ts';
import type { Traces } from './traces.ts';

const SPANS = new WeakMap<object, Span>();

/** A span per sampled request, from its first byte to its answer. Health checks and scrapes are nobody's requests. */
export function traceRequests(http: FastifyInstance, traces: Traces): void {
  http.addHook('onRequest', async (request, reply) => {
    const route = request.routeOptions.url;
    if (route === undefined || request.ws || UNTRACED.includes(route)) return;
    const { traceparent } = request.headers;
    const attributes = { 'http.request.method': request.method, 'http.route': route };
    const parent = typeof traceparent === 'string' ? traceparent : undefined;
    const span = traces.begin(`${request.method} ${route}`, parent, attributes);
    if (span === undefined) return;
    SPANS.set(request, span);
    // Of whoever leaves before the end of the answer no response is told.
    reply.raw.once('close', () => {
      if (reply.raw.writableFinished) endSpanOf(request, reply.statusCode);
      else abandon(request);
    });
  });
  http.addHook('onResponse', async (request, reply) => {
    endSpanOf(request, reply.statusCode);
  });
}

/** Of a traced request, until it is answered. */
export function spanOf(request: FastifyRequest): Span | undefined {
  return SPANS.get(request);
}

/** A stream that has no end: the request is answered from here on, as far as its span goes. */
export function endSpanOf(request: FastifyRequest, status: number): void {
  const span = SPANS.get(request);
  if (span === undefined) return;
  SPANS.delete(request);
  span.set({ 'http.response.status_code': status });
  span.end();
}

function abandon(request: FastifyRequest): void {
  SPANS.get(request)?.end(new DbError('ABORTED', 'request: its caller has left'));
  SPANS.delete(request);
}

const UNTRACED: readonly string[] = ['/healthz', '/readyz', '/metrics', '/health/components'];

/** The node as one request sees it: what it does is part of the request's span. */
export function nodeOf(node: ServerNode, request: FastifyRequest): ServerNode {
  const span = SPANS.get(request);
  if (span === undefined) return node;
  const within =
    <Q extends Asked, R>(name: 'read' | 'write', type: string, run: (asked: Q) => Promise<R>) =>
    (asked: Q): Promise<R> => {
      const { database, collection } = asked;
      return traced(span, name, { type, database, collection }, (part) => run({ ...asked, span: part }));
    };
  return withMethods(node, {
    write: (asked) => within('write', asked.type, (request: typeof asked) => node.write(request))(asked),
    get: within('read', 'get', (asked) => node.get(asked)),
    query: within('read', 'query', (asked) => node.query(asked)),
    count: within('read', 'count', (asked) => node.count(asked)),
    aggregate: within('read', 'aggregate', (asked) => node.aggregate(asked)),
    search: within('read', 'search', (asked) => node.search(asked)),
    changes: (asked) => node.changes({ ...asked, span }),
    headObject: (name) => traced(span, 'object head', {}, () => node.headObject(name)),
    readObject: reader(node, span),
    clientManifest: (channel, name, clientIds) => traced(span, 'manifest read', {}, () => node.clientManifest(channel, name, clientIds)),
  });
}

/** A download of a gigabyte is a thousand reads. */
const MAX_READ_SPANS = 32;

function reader(node: ServerNode, span: Span): ServerNode['readObject'] {
  let reads = 0;
  return (name, offset, length) => {
    reads += 1;
    if (reads > MAX_READ_SPANS) return node.readObject(name, offset, length);
    return traced(span, 'object read', { offset, length }, () => node.readObject(name, offset, length));
  };
}

type Asked = NodeRequest<{ readonly collection: string }>;
