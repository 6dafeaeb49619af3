import { type Clock, DbError, type SchemaDefinition, schemaHash } from '@terndb/core';
import type { ResolveAnswer } from '@terndb/sync';
import type { ConnectRequest } from './connection-record.ts';
import { type Endpoint, endpointOf, type Network } from './network.ts';
import { ServerApi } from './server-api.ts';
import type { TokenDesk } from './token-desk.ts';

/** What is asked of the server that a connection names, over HTTP. */
export class ServerRequests {
  readonly #ports: { readonly network: Network; readonly clock: Clock; readonly tokens: TokenDesk };

  constructor(ports: { readonly network: Network; readonly clock: Clock; readonly tokens: TokenDesk }) {
    this.#ports = ports;
  }

  /** Which channels the partitions are, in collections of this schema; those that were opened by name are what the server says. */
  resolve(
    request: ConnectRequest,
    of: { readonly schema: SchemaDefinition; readonly opened?: readonly string[] | undefined },
    token: string,
  ): Promise<ResolveAnswer> {
    const { schema, opened = [] } = of;
    const collections = Object.entries(schema.collections).map(([name, definition]) => {
      if (opened.includes(name)) return { name };
      return { name, definition, schemaHash: schemaHash(definition), schemaVersion: schema.version };
    });
    return this.#api(request).resolve({ collections, partitions: request.partitions.map(({ name }) => name) }, token);
  }

  /** A collection as the server has it, and which channels the partitions are in it. OFFLINE, TIMEOUT, AUTH_REQUIRED, COLLECTION_UNKNOWN. */
  async collection(request: ConnectRequest, name: string, timeoutMs: number): Promise<ResolveAnswer> {
    const { token } = this.#ports.tokens.fresh() ?? (await inTime(this.#ports.clock, timeoutMs, this.#ports.tokens.get('start')));
    const answer = await this.#api(request).resolve(
      { collections: [{ name }], partitions: request.partitions.map((one) => one.name) },
      token,
    );
    if (answer.collections.length > 0) return answer;
    throw new DbError('COLLECTION_UNKNOWN', `collection ${name}: one of the schema or of the server expected`, {
      details: { collection: name },
    });
  }

  /** OFFLINE, AUTH_REQUIRED, TIMEOUT, and what the server answers. */
  async read(
    request: ConnectRequest | undefined,
    what: string,
    of: { readonly body: unknown; readonly timeoutMs: number },
  ): Promise<unknown> {
    if (request === undefined) throw new DbError('OFFLINE', `${what}: a connection expected, got none`);
    const { clock, tokens } = this.#ports;
    const startMs = clock.monotonicMs();
    // A page that is slow with its token takes its time from the read's.
    const { token } = tokens.fresh() ?? (await inTime(clock, of.timeoutMs, tokens.get('start')));
    const leftMs = Math.max(1, of.timeoutMs - (clock.monotonicMs() - startMs));
    return await this.#api(request).read(what, of.body, { token, timeoutMs: leftMs });
  }

  #api(request: ConnectRequest): ServerApi {
    const { network, clock } = this.#ports;
    return new ServerApi({ network, clock, endpoint: mustGetEndpoint(request) });
  }
}

/** OPTION_INVALID */
export function mustGetEndpoint({ url }: ConnectRequest): Endpoint {
  const endpoint = endpointOf(url);
  if (endpoint !== undefined) return endpoint;
  throw new DbError('OPTION_INVALID', `connect: url: an http or ws address expected, got ${url}`, { details: { option: 'url', got: url } });
}

function inTime<T>(clock: Clock, timeoutMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void =>
      reject(new DbError('TIMEOUT', `token: one within ${timeoutMs} ms expected, got none yet`, { details: { timeoutMs } }));
    const cancel = clock.after(timeoutMs, late);
    promise.then(resolve, reject).finally(cancel);
  });
}
