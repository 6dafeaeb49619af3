import type { FastifyInstance } from 'fastify';
import type { AccessMetrics } from '../metrics.ts';

/** Live, ready, measured: for those who run the server. Nothing here names what is stored. */
export function healthRoutes(
  app: FastifyInstance,
  { metrics, isReady }: { readonly metrics: AccessMetrics; readonly isReady: () => boolean },
): void {
  app.get('/healthz', async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const ready = isReady();
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status: ready ? 'ready' : 'draining' });
  });
  app.get('/metrics', async (_request, reply) =>
    reply
      .header('cache-control', 'no-store')
      .type(metrics.registry.contentType)
      .send(await metrics.registry.metrics()),
  );
}
