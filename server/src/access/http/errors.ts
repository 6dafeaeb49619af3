import { DbError, ERROR_CODES, type JsonValue } from '@terndb/core';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/** Body of every refusal: `{code, message, details}` (sync, protocol/resolve.ts). */
export function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { error, status } = asAnswer(thrown);
  if (status >= 500) request.log.error({ err: thrown }, 'request failed');
  // A bug's message may hold what it fell over.
  const isBug = error.code === 'INTERNAL';
  const message = isBug ? `internal error; request ${request.id}` : error.message;
  const details: Record<string, JsonValue> = isBug ? { requestId: request.id } : { ...error.details };
  if (error.code === 'AUTH_REQUIRED') void reply.header('www-authenticate', 'Bearer');
  const { retryAfterMs } = error.details;
  if (typeof retryAfterMs === 'number') void reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
  void reply
    .header('cache-control', 'no-store')
    .code(status)
    .type('application/json')
    .send(JSON.stringify({ code: error.code, message, details }));
}

function asAnswer(thrown: unknown): { readonly error: DbError; readonly status: number } {
  if (thrown instanceof DbError) return { error: thrown, status: statusOf(thrown) };
  const { validation, validationContext, statusCode, message, code } = thrown as Partial<FastifyError>;
  const problem = validation?.[0];
  if (problem !== undefined) {
    const where = `${validationContext ?? 'request'}${problem.instancePath.replaceAll('/', '.')}`;
    const expected = String(problem.message);
    return input(`${where}: ${expected}`, { where, expected, rule: problem.keyword });
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const error = new DbError('ENTITY_TOO_LARGE', 'body: fewer bytes expected', { details: { option: 'limits.bodyBytes' } });
    return { error, status: 413 };
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return { ...input(String(message), { code: code ?? '' }), status: statusCode };
  return { error: DbError.from(thrown), status: 500 };
}

function input(message: string, details: Record<string, JsonValue>): { readonly error: DbError; readonly status: number } {
  return { error: new DbError('OPTION_INVALID', message, { details }), status: 400 };
}

/** An error of the caller's own making in a message that has crossed a border is still the caller's. */
function statusOf(error: DbError): number {
  const { status } = error.details;
  return error.code === 'OPTION_INVALID' && status === 404 ? 404 : ERROR_CODES[error.code].http;
}

/** There is nothing at this address. */
export function notFound(what: string): DbError {
  return new DbError('OPTION_INVALID', `${what}: something that is there expected`, { details: { what, status: 404 } });
}
