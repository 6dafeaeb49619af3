import type { FastifyInstance } from 'fastify';

/** Beyond this many neighbours in use something else is wrong. */
const MAX_PORTS_TRIED = 50;

export interface ListenOptions {
  /** 0: any free one. Taken: the next free one. */
  readonly port: number;
  readonly host: string;
}

/** Listens, and gives the URL. A server that failed to listen cannot listen again: each attempt makes its own. */
export async function listenOnFreePort(
  create: () => Promise<FastifyInstance>,
  { port, host }: ListenOptions,
): Promise<{ server: FastifyInstance; url: string }> {
  for (let attempt = 0; ; attempt++) {
    const server = await create();
    try {
      const url = await server.listen({ port: port === 0 ? 0 : port + attempt, host });
      return { server, url };
    } catch (error) {
      await server.close();
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!taken || attempt + 1 >= MAX_PORTS_TRIED) throw error;
    }
  }
}
