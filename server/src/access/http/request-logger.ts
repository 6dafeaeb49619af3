import type { FastifyBaseLogger } from 'fastify';
import { destination, pino } from 'pino';

/**
 * Lines of JSON on standard error. A request is its method and path: queries hold tickets, headers tokens, bodies vectors, and none of them is ever
 * written.
 */
export function requestLogger(level: string): FastifyBaseLogger {
  const serializers = {
    req: ({ method, url, ip }: { readonly method: string; readonly url: string; readonly ip: string }) => ({
      method,
      path: url.split('?')[0],
      ip,
    }),
    res: ({ statusCode }: { readonly statusCode: number }) => ({ status: statusCode }),
  };
  return pino({ level, serializers }, destination({ dest: 2, sync: true }));
}
