import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import { traced } from '../../node/traced.ts';
import type { ServerNode } from '../../node/types.ts';
import { nodeOf, spanOf } from '../../observe/request-spans.ts';
import type { AccessMetrics } from '../metrics.ts';
import type { Download as Granted, Tickets } from '../tickets.ts';
import { byteRangeOf } from './byte-range.ts';
import { notFound } from './errors.ts';

/** Read from the store and sent in pieces of this size: what one download holds in memory. */
const PIECE_BYTES: number = 1024 * 1024;
/** Objects never change under their name. Private: a shared cache does not know tickets. */
const IMMUTABLE = 'private, max-age=31536000, immutable';

export interface DownloadServices {
  readonly node: ServerNode;
  readonly tickets: Tickets;
  readonly metrics: AccessMetrics;
}

type ManifestDownload = Extract<Granted, { kind: 'manifest' }>;
type Download = FastifyRequest<{ Params: { readonly '*': string }; Querystring: { readonly ticket?: string } }>;
const SECURITY = 'The ticket in the URL says what may be read, for a few minutes';
const QUERY = { type: 'object', properties: { ticket: { type: 'string', maxLength: 4096 } } } as const;

/** Immutable objects by range, and manifests as one client may see them. The ticket in the URL is all that is asked for. */
export function downloadRoutes(app: FastifyInstance, services: DownloadServices): void {
  const { tickets, metrics } = services;
  const schemaOf = (summary: string): FastifySchema => ({ tags: ['downloads'], summary, description: SECURITY, querystring: QUERY });
  app.get('/v1/objects/*', { schema: schemaOf('A segment or an index file, whole or a range of it') }, async (request: Download, reply) => {
    const name = request.params['*'];
    const node = nodeOf(services.node, request);
    const granted = await traced(spanOf(request), 'ticket', {}, async () => tickets.check(request.query.ticket, 'object'));
    if (granted.name !== name) throw notFound(`object ${name.slice(0, 200)}`);
    const info = await node.headObject(name);
    if (info === undefined) throw notFound(`object ${name}`);
    void reply.headers({
      'accept-ranges': 'bytes',
      etag: `"${name}"`,
      'cache-control': IMMUTABLE,
      'content-type': 'application/octet-stream',
    });
    if (isUnchanged(request, name)) return reply.code(304).send();
    const isWholeWanted = request.headers['if-range'] !== undefined && request.headers['if-range'] !== `"${name}"`;
    const range = isWholeWanted ? undefined : byteRangeOf(request.headers.range, info.bytes);
    if (range === 'unsatisfiable') {
      return reply.code(416).header('content-range', `bytes */${info.bytes}`).header('cache-control', 'no-store').send();
    }
    const { offset, length } = range ?? { offset: 0, length: info.bytes };
    if (range !== undefined) void reply.code(206).header('content-range', `bytes ${offset}-${offset + length - 1}/${info.bytes}`);
    metrics.bytes.inc({ direction: 'out', door: 'objects' }, length);
    spanOf(request)?.set({ offset, length, bytes: info.bytes });
    return sendPieces(reply, node, { name, offset, length });
  });

  app.get(
    '/v1/manifests/*',
    { schema: schemaOf('What a channel is made of, as one client may see it') },
    async (request: Download, reply) => {
      const node = nodeOf(services.node, request);
      const checked = async (): Promise<ManifestDownload> => tickets.check(request.query.ticket, 'manifest');
      const { channel, name, clientIds } = await traced(spanOf(request), 'ticket', {}, checked);
      if (name !== request.params['*']) throw notFound(`manifest ${request.params['*'].slice(0, 200)}`);
      const bytes = await node.clientManifest(channel, name, clientIds);
      if (bytes === undefined) throw notFound(`manifest ${name}`);
      metrics.bytes.inc({ direction: 'out', door: 'objects' }, bytes.length);
      // What it holds depends on who asks.
      return reply
        .header('cache-control', 'no-store')
        .type('application/octet-stream')
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    },
  );
}

function isUnchanged(request: FastifyRequest, name: string): boolean {
  const tags = request.headers['if-none-match'];
  return tags !== undefined && (tags === '*' || tags.split(',').some((tag) => tag.trim() === `"${name}"`));
}

interface Piece {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

function sendPieces(reply: FastifyReply, node: ServerNode, { name, offset, length }: Piece): FastifyReply {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let done = 0; done < length; ) {
      const bytes = await node.readObject(name, offset + done, Math.min(PIECE_BYTES, length - done));
      // Headers are out: cutting the connection is the only way left to say so.
      if (bytes === undefined) throw notFound(`object ${name}`);
      done += bytes.length;
      yield bytes;
    }
  }
  return reply.header('content-length', length).send(Readable.from(pieces(), { objectMode: false, highWaterMark: PIECE_BYTES }));
}
