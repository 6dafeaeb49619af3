import { MAX_RRF_K, MAX_WINDOW } from '@terndb/core';
import type { SearchHit } from '@terndb/engine';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import type { Body } from './body.ts';
import { type MilvusCall, mustFindNamed } from './call.ts';
import { type EntityHandler, filterOf, readOf, windowOf } from './entities.ts';
import { CODES, invalidParameter, MilvusError, missingParameter } from './errors.ts';
import { outputFields, selectOf } from './rows.ts';
import { checkMetric, effortOf, isDistance, queryOf, rangeOf, rerankOf, searchAnswer, searchedField, searchParams } from './search.ts';

/** Reciprocal rank fusion, as in Milvus (Cormack, Clarke, Buettcher 2009). */
const DEFAULT_RRF_K = 60;
/** Searches of one request: each costs as much as one of its own. */
const MAX_SEARCHES = 10;

/** What one hit of one list adds to the hit's score. */
type Worth = (hit: SearchHit, rank: number, list: number) => number;

/** Several searches, fused. Each has its own vectors, field and filter; all have as many vectors, and the fused list is as long as the outer limit. */
export const hybridSearch: EntityHandler = async (call, format) => {
  const { body } = call;
  const info = mustFindNamed(call);
  const searches = body.bodies('search');
  if (searches.length > MAX_SEARCHES) throw invalidParameter(`search: at most ${MAX_SEARCHES} expected, got ${searches.length}`);
  if ((body.text('groupingField') ?? '') !== '')
    throw invalidParameter('groupingField: not supported in hybrid search, a plain search expected');
  const metrics = searches.map((search) => searchedField(info, search.text('annsField')).metric);
  const worth = worthOf(body.object('rerank'), metrics);
  const fields = outputFields(info, body.texts('outputFields') ?? []);
  const { limit, offset } = windowOf(call);
  const count = searches[0]!.list('data')?.length ?? 0;
  if (count === 0) throw missingParameter('data');
  if (count > MAX_WINDOW) throw new MilvusError(CODES.other, `nq [${count}] is invalid, it should be in range [1, ${MAX_WINDOW}]`);
  const fused: (readonly Fused[])[] = [];
  for (let index = 0; index < count; index++) {
    const lists = await Promise.all(
      searches.map((search) => subSearch({ ...call, body: search }, info, { call, index, count, limit: limit + offset, fields })),
    );
    fused.push(fuse(lists, worth).slice(offset, offset + limit));
  }
  return searchAnswer(info, fused, { fields, format, isDistance: false });
};

interface SubSearch {
  /** The whole request: what holds for all. */
  readonly call: MilvusCall;
  readonly index: number;
  readonly count: number;
  readonly limit: number;
  readonly fields: readonly string[] | undefined;
}

async function subSearch(
  sub: MilvusCall,
  info: CatalogCollectionInfo,
  { call, index, count, limit, fields }: SubSearch,
): Promise<readonly SearchHit[]> {
  const data = sub.body.list('data') ?? [];
  if (data.length !== count) throw invalidParameter(`nq of all searches expected to be ${count}, got ${data.length}`);
  const searched = searchedField(info, sub.body.text('annsField'));
  const params = searchParams(sub.body.object('searchParams') ?? sub.body);
  checkMetric(params, searched);
  const window = sub.body.get('limit') === undefined ? { limit } : windowOf(sub);
  const request = {
    ...readOf(call, info, 'Search'),
    ...filterOf(sub, info),
    ...window,
    ...rangeOf(params, searched),
    ...effortOf(params),
    ...rerankOf(call.body),
    select: selectOf(info, fields),
  };
  return (await call.node.search({ ...request, ...queryOf(searched, data[index]) })).hits;
}

/** `rrf` (default) or `weighted`; code 1100 for others and for what is out of range. */
function worthOf(rerank: Body | undefined, metrics: readonly string[]): Worth {
  const strategy = rerank?.text('strategy') || 'rrf';
  const params = rerank?.object('params');
  if (strategy === 'weighted') {
    const weights = weightsOf(params?.list('weights'), metrics.length);
    const isNormalised = params?.flag('norm_score') ?? true;
    return ({ score }, _rank, list) => weights[list]! * (isNormalised ? normalised(score, metrics[list]!) : turned(score, metrics[list]!));
  }
  if (strategy !== 'rrf') throw invalidParameter(`unsupported rank type ${strategy}, rrf and weighted are supported`);
  const k = params?.get('k') ?? DEFAULT_RRF_K;
  if (typeof k === 'number' && k > 0 && k < MAX_RRF_K) return (_hit, rank) => 1 / (k + rank);
  throw invalidParameter(`The rank params k should be in range (0, ${MAX_RRF_K}), got ${String(k)}`);
}

function weightsOf(given: readonly unknown[] | undefined, count: number): readonly number[] {
  if (given === undefined) throw invalidParameter('weights not found in rank_params');
  if (given.length !== count)
    throw invalidParameter(`the length of weights param mismatch with ann search requests: expected ${count}, got ${given.length}`);
  return given.map((weight) => {
    if (typeof weight === 'number' && weight >= 0 && weight <= 1) return weight;
    throw invalidParameter(`rank param weight should be in range [0, 1], got ${String(weight)}`);
  });
}

/** As Milvus brings scores of different metrics to 0 … 1. Distances come with their sign turned. */
function normalised(score: number, metric: string): number {
  switch (metric) {
    case 'COSINE':
      return (1 + score) / 2;
    case 'IP':
      return 0.5 + Math.atan(score) / Math.PI;
    case 'BM25':
      return (2 * Math.atan(score)) / Math.PI;
    default:
      return 1 - (2 * Math.atan(-score)) / Math.PI;
  }
}

/** Distances become similarities, whatever is normalised: smaller ones must not win a sum. */
const turned = (score: number, metric: string): number => (isDistance({ metric }) ? normalised(score, metric) : score);

interface Fused {
  readonly key: SearchHit['key'];
  readonly entity: SearchHit['entity'];
  readonly score: number;
}

/** Best first; equal ones in the order in which they were found. */
export function fuse(lists: readonly (readonly SearchHit[])[], worth: Worth): readonly Fused[] {
  const fused = new Map<string, Fused>();
  for (const [list, hits] of lists.entries()) {
    for (const [index, hit] of hits.entries()) {
      const { key, entity } = hit;
      const name = `${typeof key} ${String(key)}`;
      fused.set(name, { key, entity, score: (fused.get(name)?.score ?? 0) + worth(hit, index + 1, list) });
    }
  }
  return [...fused.values()].sort((a, b) => b.score - a.score);
}
