import type { FastifyInstance } from 'fastify';
import type { HealthStatus } from '../../node/health/finding.ts';
import type { HealthBoard } from '../../observe/health-board.ts';
import type { AccessMetrics } from '../metrics.ts';

export interface HealthServices {
  readonly metrics: AccessMetrics;
  readonly health: HealthBoard;
  readonly isDraining: () => boolean;
}

/**
 * Without these nothing can be answered here. Whatever else is degraded or failing, what is left is better than nothing: a full disk leaves reads,
 * and a key set that is away is away for every server.
 */
const NEEDED: readonly string[] = ['leaders'];

const STATUS = { enum: ['ok', 'degraded', 'failing'] } as const;
const TEXT = { type: 'string' } as const;
const TAGS = ['health'] as const;
const ALIVE = { tags: TAGS, summary: 'Whether the process lives' } as const;
const READY = {
  tags: TAGS,
  summary: 'Whether it should be given work: 503 while it shuts down, and when it leads no partitions any more',
} as const;
const MEASURED = { tags: TAGS, summary: 'Metrics, as Prometheus reads them' } as const;
const COMPONENTS = {
  tags: TAGS,
  summary: 'How each part of the server is, since when, and why',
  response: {
    200: {
      type: 'object',
      properties: {
        status: { ...STATUS, description: 'The worst of all' },
        components: {
          type: 'array',
          items: {
            type: 'object',
            required: ['component', 'status', 'since'],
            properties: { component: TEXT, status: STATUS, reason: TEXT, since: { type: 'string', format: 'date-time' } },
          },
        },
      },
    },
  },
} as const;

/** Live, ready, measured: for those who run the server. Nothing here names what is stored, so nobody is asked who they are. */
export function healthRoutes(app: FastifyInstance, { metrics, health, isDraining }: HealthServices): void {
  app.get('/healthz', { schema: ALIVE }, async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));
  app.get('/readyz', { schema: READY }, async (_request, reply) => {
    // As of the last look, ten seconds ago at most: a disk that does not answer is not waited for.
    const { components } = health.latest;
    const broken = components.filter(({ status }) => status !== 'ok');
    const isCut = broken.some(({ component, status }) => status === 'failing' && NEEDED.includes(component));
    const status = isDraining() ? 'draining' : isCut ? 'failing' : 'ready';
    const named = Object.fromEntries(broken.map(({ component, status: of }): [string, HealthStatus] => [component, of]));
    return reply
      .code(status === 'ready' ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status, ...(broken.length === 0 ? {} : { components: named }) });
  });
  app.get('/health/components', { schema: COMPONENTS }, async (_request, reply) =>
    reply.header('cache-control', 'no-store').send(await health.read()),
  );
  app.get('/metrics', { schema: MEASURED }, async (_request, reply) =>
    reply
      .header('cache-control', 'no-store')
      .type(metrics.registry.contentType)
      .send(await metrics.registry.metrics()),
  );
}
