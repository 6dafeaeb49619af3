import type { Clock } from '@terndb/core';
import type { ResolveRequest } from '@terndb/sync';
import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify';
import type { ServerNode } from '../../node/types.ts';
import { nodeOf } from '../../observe/request-spans.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { AccessPrincipal } from '../auth/principal.ts';
import { AnswerBudget } from '../limits/answer-budget.ts';
import { globalReads } from '../reads/global-reads.ts';
import { resolveFor } from '../sync/resolve.ts';
import { credentialOf } from './credential.ts';

export interface SyncServices {
  readonly node: ServerNode;
  readonly authenticator: Authenticator;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Slower reads are logged. */
  readonly slowMs: number;
  /** Of one read. */
  readonly answerBytes: number;
}

/** A definition has limits of its own; here only the shape, so that handlers can rely on it. */
const RESOLVE_BODY = {
  type: 'object',
  required: ['collections', 'partitions'],
  additionalProperties: false,
  properties: {
    collections: {
      type: 'array',
      maxItems: 1024,
      items: {
        type: 'object',
        required: ['name'],
        // All of the rest, or nothing: the collection as the server has it.
        dependencies: { definition: ['schemaHash', 'schemaVersion'], schemaHash: ['definition'], schemaVersion: ['definition'] },
        additionalProperties: false,
        properties: {
          name: { type: 'string', maxLength: 255 },
          schemaHash: { type: 'string', maxLength: 128 },
          schemaVersion: { type: 'integer', minimum: 0 },
          definition: { type: 'object', required: ['fields'], properties: { fields: { type: 'array', maxItems: 64 } } },
        },
      },
    },
    partitions: { type: 'array', maxItems: 1024, items: { type: 'string', minLength: 1, maxLength: 255 } },
  },
} as const;

const WAIT_BODY = {
  type: 'object',
  required: ['token'],
  additionalProperties: false,
  properties: { token: { type: 'string' }, timeoutMs: { type: 'integer', minimum: 0, maximum: 60_000 } },
} as const;
const READ_BODY = { type: 'object', required: ['collection'], properties: { collection: { type: 'string', maxLength: 255 } } } as const;
const ISSUE_BODY = {
  type: 'object',
  additionalProperties: false,
  properties: { subject: { type: 'string', minLength: 1, maxLength: 64, pattern: '^[\\w.@-]+$' } },
} as const;

const SUMMARIES = {
  get: 'Entities by key',
  query: 'Entities that a filter finds',
  count: 'How many there are',
  aggregate: 'Counts, sums, averages and extremes, in groups',
  search: 'The nearest, by vectors or by words',
  wait: 'When what was written is found by these reads',
} as const;

const SLOW = 'slow request';

/** For the log: names only, never a filter or a vector. */
function namesOf({ subject, database: own = 'default' }: AccessPrincipal, body: unknown): Readonly<Record<string, string>> {
  const { database = own, collection } = body as { readonly database?: unknown; readonly collection: string };
  return { subject, lane: 'read', database: String(database).slice(0, MAX_NAME), collectionName: collection };
}
const MAX_NAME = 255;

function described(summary: string, body: object): FastifySchema {
  return { tags: ['sync'], summary, body, security: [{ bearer: [] }] };
}

/** The sync endpoint beside its socket: resolve, reads, waiting, tokens for development. */
export function syncRoutes(app: FastifyInstance, { node, authenticator, clock, slowMs, answerBytes }: SyncServices): void {
  const principalOf = (request: FastifyRequest): Promise<AccessPrincipal> =>
    authenticator.authenticate(credentialOf(request.headers.authorization));

  app.post(
    '/v1/resolve',
    { schema: described('Where the partitions of a device live, and their schemas', RESOLVE_BODY) },
    async (request, reply) => {
      const answer = await resolveFor(node, await principalOf(request), request.body as ResolveRequest);
      return reply.header('cache-control', 'no-store').send(answer);
    },
  );

  for (const name of ['get', 'query', 'count', 'aggregate', 'search', 'wait'] as const) {
    const body = name === 'wait' ? WAIT_BODY : READ_BODY;
    app.post(`/v1/${name}`, { schema: described(SUMMARIES[name], body) }, async (request, reply) => {
      const principal = await principalOf(request);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const budget = new AnswerBudget(answerBytes);
      const reads = globalReads(nodeOf(node, request), budget);
      const startMs = clock.monotonicMs();
      let text: string;
      try {
        text = budget.check(JSON.stringify(await reads[name]({ principal, body: request.body, signal: gone.signal })));
      } finally {
        const ms = clock.monotonicMs() - startMs;
        // To wait is all the work of `wait`.
        if (ms > slowMs && name !== 'wait')
          request.log.warn({ slow: { ...namesOf(principal, request.body), action: `sync/${name}`, ms } }, SLOW);
      }
      return reply.header('cache-control', 'no-store').type('application/json; charset=utf-8').send(text);
    });
  }

  const schema = { tags: ['sync'], summary: 'A token that may do everything, where the configuration says so', body: ISSUE_BODY };
  app.post('/v1/token', { schema }, async (request, reply) => {
    const { subject = 'developer' } = request.body as { readonly subject?: string };
    return reply.header('cache-control', 'no-store').send(await authenticator.issue(subject));
  });
}
