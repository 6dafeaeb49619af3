import { Readable } from 'node:stream';
import { type Clock, DbError } from '@terndb/core';
import type { FastifyInstance } from 'fastify';
import type { FeedEvent } from '../../node/changes/types.ts';
import type { ServerNode } from '../../node/types.ts';
import { endSpanOf, nodeOf } from '../../observe/request-spans.ts';
import type { Traces } from '../../observe/traces.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { type AccessPrincipal, canRead } from '../auth/principal.ts';
import type { AccessMetrics } from '../metrics.ts';
import { credentialOf } from './credential.ts';

export interface ChangeServices {
  readonly node: ServerNode;
  readonly authenticator: Authenticator;
  readonly metrics: AccessMetrics;
  readonly clock: Clock;
  readonly traces?: Traces | undefined;
  /** Readers are told to come back. */
  readonly draining: AbortSignal;
}

/** A reader that takes nothing for so long is let go: it pins what it has not heard of. It comes back with its token. */
const STALL_MS = 30_000;
/** Text that is made before the socket has taken the text before it. */
const BUFFER_BYTES: number = 64 * 1024;
const CONTENT_TYPE = 'application/x-ndjson; charset=utf-8';

const NAME = { type: 'string', minLength: 1, maxLength: 255 } as const;
const QUERY = {
  type: 'object',
  required: ['collection', 'partition'],
  additionalProperties: false,
  properties: {
    database: NAME,
    collection: NAME,
    partition: NAME,
    from: { type: 'string', maxLength: 4096 },
    select: { type: 'string', maxLength: 8192 },
  },
} as const;
const SCHEMA = {
  tags: ['changes'],
  summary: 'What changes in a partition, one line of JSON each, without end',
  querystring: QUERY,
  security: [{ bearer: [] }],
} as const;
interface Query {
  readonly database?: string;
  readonly collection: string;
  readonly partition: string;
  readonly from?: string;
  readonly select?: string;
}

/** `GET /changes`: one line of JSON per change (docs/change-feed.md). */
export function changeRoutes(app: FastifyInstance, services: ChangeServices): void {
  app.get('/changes', { schema: SCHEMA }, async (request, reply) => {
    const { authenticator, clock, traces, draining } = services;
    const node = nodeOf(services.node, request);
    const { collection, partition, from, select, ...asked } = request.query as Query;
    const principal = await authenticator.authenticate(credentialOf(request.headers.authorization));
    const { database = principal.database ?? 'default' } = asked;
    const name = node.catalog.find(database, collection)?.name ?? collection;
    const isGranted = (): boolean => canRead(principal, { database, collection: name, partition });
    if (!isGranted()) throw forbidden(collection, partition);
    const gone = new AbortController();
    const place = { database, collection, partition };
    // What is told later is nobody's request: each fold is a trace of its own, or none.
    const beginFold = traces && (() => traces.begin('fold', undefined, { type: 'changes', ...place }));
    const events = node.changes({ ...place, from, select: select?.split(','), signal: gone.signal, beginFold });
    const end = (): void => gone.abort();
    draining.addEventListener('abort', end, { once: true });
    const stall = stalled(clock, () => reply.raw.destroy());
    const onCaughtUp = (): void => endSpanOf(request, reply.statusCode);
    const lines = linesOf(events, { ...services, principal, isGranted, onTaken: stall.again, onCaughtUp });
    const body = Readable.from(lines, { objectMode: false, highWaterMark: BUFFER_BYTES });
    reply.raw.once('close', () => {
      draining.removeEventListener('abort', end);
      stall.cancel();
      end();
    });
    return reply.header('content-type', CONTENT_TYPE).header('cache-control', 'no-store').header('x-accel-buffering', 'no').send(body);
  });
}

interface Held extends Pick<ChangeServices, 'clock' | 'metrics' | 'draining'> {
  readonly principal: AccessPrincipal;
  readonly isGranted: () => boolean;
  /** The line before has been taken. */
  readonly onTaken: () => void;
  /** All that there was when it began has been told. */
  readonly onCaughtUp: () => void;
}

/** A stream cannot have another status once it has begun: what ends it is its last line. */
async function* linesOf(events: AsyncIterable<FeedEvent>, held: Held): AsyncGenerator<string, void, void> {
  const { metrics, clock, principal, isGranted, draining, onCaughtUp } = held;
  metrics.changeReaders.inc();
  try {
    for await (const event of events) {
      held.onTaken();
      if (event.type === 'position') onCaughtUp();
      if (clock.nowMs() >= principal.expiresAtMs || !isGranted()) throw expired();
      const text = event.type === 'changes' ? event.lines : `${JSON.stringify(event)}\n`;
      if (event.type === 'changes') metrics.changes.inc(event.count);
      metrics.bytes.inc({ direction: 'out', door: 'changes' }, text.length);
      yield text;
    }
  } catch (thrown) {
    const error = draining.aborted
      ? new DbError('STORAGE_UNAVAILABLE', 'server: is shutting down; to be asked again')
      : DbError.from(thrown);
    yield `${JSON.stringify({ type: 'end', code: error.code, message: error.message })}\n`;
  } finally {
    metrics.changeReaders.dec();
  }
}

function stalled(clock: Clock, onStall: () => void): { readonly again: () => void; readonly cancel: () => void } {
  let cancel = clock.after(STALL_MS, onStall);
  return {
    again: () => {
      cancel();
      cancel = clock.after(STALL_MS, onStall);
    },
    cancel: () => cancel(),
  };
}

function forbidden(collection: string, partition: string): DbError {
  return new DbError('FORBIDDEN', `${collection}: a token that may read partition ${partition} expected`, {
    details: { collection, partitions: [partition] },
  });
}

function expired(): DbError {
  return new DbError(
    'AUTH_REQUIRED',
    'change feed: a token that is still valid for the partition expected; to be asked again with another',
  );
}
