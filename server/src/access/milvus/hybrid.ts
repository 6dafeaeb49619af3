import { keyFieldOf } from '@terndb/core';
import type { SearchHit } from '@terndb/engine';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import type { Body } from './body.ts';
import { type MilvusCall, mustFindNamed } from './call.ts';
import { type EntityHandler, filterOf, queryVector, readOf, searchedField, windowOf } from './entities.ts';
import { invalidParameter, missingParameter } from './errors.ts';
import { fromKey, outputFields, selectOf, shortest, toRow } from './rows.ts';

/** Reciprocal rank fusion, as in Milvus (Cormack, Clarke, Buettcher 2009). */
const DEFAULT_RRF_K = 60;
/** Searches of one request: each costs as much as one of its own. */
const MAX_SEARCHES = 10;

/** Several searches, fused by rank. Each has its own vectors, field and filter; all have as many vectors, and the fused list is as long as the outer limit. */
export const hybridSearch: EntityHandler = async (call, format) => {
  const info = mustFindNamed(call);
  const searches = call.body.bodies('search');
  if (searches.length > MAX_SEARCHES) throw invalidParameter(`search: at most ${MAX_SEARCHES} expected, got ${searches.length}`);
  const k = rrfK(call.body.object('rerank'));
  const fields = outputFields(info, call.body.texts('outputFields') ?? []);
  const { limit, offset } = windowOf(call);
  const count = searches[0]!.list('data')?.length ?? 0;
  const key = keyFieldOf(info.definition).name;
  const rows: unknown[] = [];
  const topks: number[] = [];
  for (let index = 0; index < count; index++) {
    const lists = await Promise.all(
      searches.map((search) => subSearch({ ...call, body: search }, info, { call, index, count, limit: limit + offset, fields })),
    );
    const fused = fuse(lists, k).slice(offset, offset + limit);
    topks.push(fused.length);
    for (const { hit, score } of fused) {
      rows.push({ ...toRow(info, hit.entity, fields, format), [key]: fromKey(hit.key, format), distance: shortest(Math.fround(score)) });
    }
  }
  if (count === 0) throw missingParameter('data');
  return rows.length === 0 ? { cost: 0, data: [] } : { cost: 0, data: rows, topks };
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
  const field = searchedField(info, sub.body.text('annsField'));
  const window = sub.body.get('limit') === undefined ? { limit } : windowOf(sub);
  const request = { ...readOf(call, info, 'Search'), ...filterOf(sub, info), ...window, field: field.name, select: selectOf(info, fields) };
  return (await call.node.search({ ...request, vector: queryVector(field, data[index]) })).hits;
}

function rrfK(rerank: Body | undefined): number {
  const strategy = rerank?.text('strategy') ?? 'rrf';
  if (strategy !== 'rrf') throw invalidParameter(`rerank strategy ${strategy} is unsupported, rrf expected`);
  const k = rerank?.object('params')?.get('k') ?? DEFAULT_RRF_K;
  if (typeof k === 'number' && k > 0 && k < 16_384) return k;
  throw invalidParameter(`The rank params k should be in range (0, 16384), got ${String(k)}`);
}

interface Fused {
  readonly hit: SearchHit;
  readonly score: number;
}

/** Best first; equal ones in the order in which they were found. */
export function fuse(lists: readonly (readonly SearchHit[])[], k: number): readonly Fused[] {
  const fused = new Map<string, Fused>();
  for (const list of lists) {
    for (const [rank, hit] of list.entries()) {
      const name = `${typeof hit.key} ${String(hit.key)}`;
      fused.set(name, { hit, score: (fused.get(name)?.score ?? 0) + 1 / (k + rank + 1) });
    }
  }
  return [...fused.values()].sort((a, b) => b.score - a.score);
}
