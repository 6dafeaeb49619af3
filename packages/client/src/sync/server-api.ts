import { type Clock, DbError, type ErrorCode, type JsonValue, utf8Decode } from '@terndb/core';
import { decodeJsonValue, type ErrorAnswer, encodeJsonValue, type ResolveAnswer, type ResolveRequest } from '@terndb/sync';
import type { Endpoint, Network } from './network.ts';

/** Without an answer for this long the server counts as not there. */
const ANSWER_TIMEOUT_MS = 15_000;

export interface ServerApiPorts {
  readonly network: Network;
  readonly endpoint: Endpoint;
  readonly clock: Clock;
}

/** The server's requests over HTTP (sync's protocol/resolve.ts and protocol/reads.ts). Refusals come as DbErrors with the server's code. */
export class ServerApi {
  readonly #ports: ServerApiPorts;

  constructor(ports: ServerApiPorts) {
    this.#ports = ports;
  }

  /** OFFLINE, AUTH_REQUIRED, SCHEMA_CONFLICT, FORBIDDEN … */
  async resolve(request: ResolveRequest, token: string): Promise<ResolveAnswer> {
    return (await this.#post('resolve', request as unknown as JsonValue, { token })) as unknown as ResolveAnswer;
  }

  /** `get`, `query`, `count`, `search` or `wait`, as `protocol/reads.ts` says. */
  async read(what: string, request: unknown, options: { readonly token: string; readonly timeoutMs?: number }): Promise<unknown> {
    return decodeJsonValue(await this.#post(what, encodeJsonValue(request), options));
  }

  async #post(
    what: string,
    body: JsonValue,
    { token, timeoutMs = ANSWER_TIMEOUT_MS }: { readonly token: string; readonly timeoutMs?: number },
  ): Promise<JsonValue> {
    const { network, endpoint, clock } = this.#ports;
    const abort = new AbortController();
    const cancel = clock.after(timeoutMs, () => abort.abort());
    try {
      const answer = await network.request({
        url: `${endpoint.http}/v1/${what}`,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
        signal: abort.signal,
      });
      const parsed = parse(await answer.bytes());
      if (answer.status >= 200 && answer.status < 300 && parsed !== undefined) return parsed;
      throw refusal(what, answer.status, parsed);
    } catch (thrown) {
      if (thrown instanceof DbError) throw thrown;
      if (abort.signal.aborted)
        throw new DbError('TIMEOUT', `${what}: no answer of the server in ${timeoutMs} ms`, { details: { timeoutMs }, cause: thrown });
      throw new DbError('OFFLINE', `${what}: the server cannot be reached`, { details: { url: endpoint.http }, cause: thrown });
    } finally {
      cancel();
    }
  }
}

function parse(bytes: Uint8Array): JsonValue | undefined {
  try {
    return JSON.parse(utf8Decode(bytes)) as JsonValue;
  } catch {
    return undefined;
  }
}

function refusal(what: string, status: number, body: JsonValue | undefined): DbError {
  const { code, message, details } = (typeof body === 'object' && body !== null ? body : {}) as Partial<ErrorAnswer>;
  if (typeof code === 'string')
    return DbError.fromMessage({ code: code as ErrorCode, message: message ?? `${what}: refused`, details: details ?? {} });
  const fallback: ErrorCode = status === 401 ? 'AUTH_REQUIRED' : status === 403 ? 'FORBIDDEN' : status === 429 ? 'RATE_LIMITED' : 'OFFLINE';
  return new DbError(fallback, `${what}: an answer of a Tern server expected, got status ${status}`, { details: { status } });
}
