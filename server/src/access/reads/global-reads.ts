import { type JsonValue, utf8Length } from '@terndb/core';
import type { AggregateRequest, CountRequest, EntityRecord, GetRequest, QueryRequest, ReadInfo, SearchRequest } from '@terndb/engine';
import {
  encodeJsonValue,
  type GlobalAggregateAnswer,
  type GlobalCountAnswer,
  type GlobalGetAnswer,
  type GlobalQueryAnswer,
  type GlobalReadInfo,
  type GlobalSearchAnswer,
} from '@terndb/sync';
import type { NodeRequest, ServerNode } from '../../node/types.ts';
import type { AccessPrincipal } from '../auth/principal.ts';
import type { AnswerBudget } from '../limits/answer-budget.ts';
import { invalid, type ReadBody, readBody, waitBudget } from './read-request.ts';

/** One read for one principal, whatever door it came through: JSON in, JSON out (sync, protocol/reads.ts). Errors are DbErrors. */
export type GlobalRead = (call: {
  readonly principal: AccessPrincipal;
  readonly body: unknown;
  readonly signal?: AbortSignal;
}) => Promise<JsonValue>;
export type GlobalReads = Readonly<Record<'get' | 'query' | 'count' | 'aggregate' | 'search' | 'wait', GlobalRead>>;

/** Read by `readBody`, or no server's: the scope is always global. */
type Taken = 'collection' | 'partitions' | 'scope';
/** What a request may say besides: held to the engine's requests by the compiler, so that a new option is not forgotten here. */
type Options<R> = Readonly<Record<Exclude<keyof R, Taken>, true>>;

const COUNT: Options<CountRequest> = { where: true, filter: true, filterParams: true, consistency: true };
const AGGREGATE: Options<AggregateRequest> = { ...COUNT, aggregates: true, groupBy: true, orderBy: true, limit: true, partial: true };
const GET: Options<GetRequest> = { keys: true, select: true, consistency: true };
const QUERY: Options<QueryRequest> = { ...COUNT, orderBy: true, limit: true, offset: true, select: true };
const SEARCH: Options<SearchRequest> = {
  ...COUNT,
  text: true,
  embedded: true,
  vector: true,
  vectors: true,
  like: true,
  mode: true,
  field: true,
  limit: true,
  offset: true,
  select: true,
  ef: true,
  nprobe: true,
  exact: true,
  range: true,
  groupBy: true,
  minScore: true,
  prefix: true,
  highlight: true,
  fusion: true,
  rerank: true,
};
const OPTIONS = {
  get: Object.keys(GET),
  query: Object.keys(QUERY),
  count: Object.keys(COUNT),
  aggregate: Object.keys(AGGREGATE),
  search: Object.keys(SEARCH),
} as const;

/** What is read for one answer counts in `budget`. */
export function globalReads(node: ServerNode, budget: AnswerBudget): GlobalReads {
  const onEntity = (entity: EntityRecord): void => budget.take(entity);
  return {
    get: async ({ principal, body, signal }) => {
      const read = readBody(node, principal, body, OPTIONS.get);
      const { keys } = read.rest;
      if (!Array.isArray(keys)) throw invalid('keys', 'a list of keys', keys);
      const result = await node.get({ ...requestOf(read, signal), keys, onEntity });
      const answer: GlobalGetAnswer = { ...infoOf(result), entities: result.entities.map((entity) => entity ?? null) };
      return encodeJsonValue(answer);
    },
    query: async ({ principal, body, signal }) => {
      const result = await node.query({ ...requestOf(readBody(node, principal, body, OPTIONS.query), signal), onEntity });
      const answer: GlobalQueryAnswer = { ...infoOf(result), keys: result.keys, entities: result.entities };
      return encodeJsonValue(answer);
    },
    count: async ({ principal, body, signal }) => {
      const result = await node.count(requestOf(readBody(node, principal, body, OPTIONS.count), signal));
      const answer: GlobalCountAnswer = { ...infoOf(result), count: result.count };
      return encodeJsonValue(answer);
    },
    aggregate: async ({ principal, body, signal }) => {
      const result = await node.aggregate(requestOf(readBody(node, principal, body, OPTIONS.aggregate), signal));
      const answer: GlobalAggregateAnswer = { ...infoOf(result), groups: result.groups };
      return encodeJsonValue(answer);
    },
    search: async ({ principal, body, signal }) => {
      const request: NodeRequest<SearchRequest> = { ...requestOf(readBody(node, principal, body, OPTIONS.search), signal), onEntity };
      const result = await node.search(typeof request.vector === 'string' ? { ...request, vector: floats(request.vector) } : request);
      const hits = result.hits.map(({ from: _, pending: __, version: ___, ...hit }) => hit);
      const answer: GlobalSearchAnswer = { ...infoOf(result), exact: result.exact, hits };
      return encodeJsonValue(answer);
    },
    wait: async ({ body }) => {
      const { token, timeoutMs } = (body ?? {}) as { readonly token?: unknown; readonly timeoutMs?: unknown };
      if (typeof token !== 'string' || utf8Length(token) < 0) throw invalid('token', 'a token', token);
      await node.waitIndexed(token, waitBudget(timeoutMs ?? 15_000));
      return {};
    },
  };
}

/** The engine checks what an option holds. */
function requestOf(
  { database, collection, partitions, timeoutMs, rest }: ReadBody,
  signal: AbortSignal | undefined,
): NodeRequest<{ collection: string }> {
  return {
    ...rest,
    database,
    collection,
    timeoutMs,
    ...(partitions === undefined ? {} : { partitions }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function infoOf({ coverage, degraded, stalenessMs, token }: ReadInfo): GlobalReadInfo {
  const known = degraded === 'behind-token' || degraded === 'server-timeout' ? degraded : null;
  return { coverage, scope: 'global', degraded: known, stalenessMs, token };
}

/** Float32, little-endian, base64. */
function floats(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length % 4 !== 0) throw invalid('vector', 'numbers, or base64 of float32', text);
  return new Float32Array(new Uint8Array(bytes).buffer);
}
