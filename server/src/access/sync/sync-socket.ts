import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SyncConnections } from './connections.ts';
import { checkOrigin, type OriginRule } from './origin.ts';

export interface SyncSocketServices {
  readonly rule: OriginRule;
  readonly connections: SyncConnections;
}

/**
 * The route of the sync socket. What HTTP knows of a request (headers, hooks, a response that will never be sent) would be kept for as long as the
 * socket: 4 KiB of the memory of an idle subscriber. So the socket is taken from them once it is upgraded, and the connection logs for itself.
 */
export function syncSocket(app: FastifyInstance, { rule, connections }: SyncSocketServices): void {
  const responses = new WeakMap<FastifyRequest, ServerResponse>();
  const beforeUpgrade = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { origin, host } = request.headers;
    checkOrigin(rule, origin, host);
    connections.checkRoom();
    responses.set(request, reply.raw);
  };
  app.get('/', { websocket: true, preValidation: beforeUpgrade }, (socket, request) => {
    responses.get(request)?.detachSocket(request.raw.socket);
    const session = connections.open(socket, app.log);
    request.log.info({ req: request, session }, 'sync socket opened');
  });
}
