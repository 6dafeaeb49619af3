import { relative } from 'node:path';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyInstance } from 'fastify';
import { cacheControlOf } from './cache-policy.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** The demo's files under `root`, with the headers they need, and `/healthz`. Not yet listening. */
export async function createDemoServer(root: string): Promise<FastifyInstance> {
  const server = Fastify({ logger: false, forceCloseConnections: true });
  server.addHook('onSend', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
  });
  server.get('/healthz', async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));
  await server.register(fastifyStatic, {
    root,
    cacheControl: false,
    setHeaders: (reply, path) => {
      void reply.header('cache-control', cacheControlOf(`/${relative(root, path).replaceAll('\\', '/')}`));
    },
  });
  return server;
}
