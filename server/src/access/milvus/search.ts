import { type FieldDefinition, isVectorKind, keyFieldOf, MAX_GROUP_SIZE, MAX_WINDOW } from '@terndb/core';
import type { SearchHit } from '@terndb/engine';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import type { Body } from './body.ts';
import { mustFindNamed } from './call.ts';
import { type EntityHandler, filterOf, readOf, windowOf } from './entities.ts';
import { CODES, invalidParameter, MilvusError, missingParameter, notJson } from './errors.ts';
import { stringifyExact } from './exact-json.ts';
import { explained, isExplained } from './explain.ts';
import { functionsOf, inputOf } from './functions.ts';
import { fromKey, outputFields, type RowFormat, selectOf, shortest, toKey, toRow } from './rows.ts';
import { metricOfField, shownFields } from './schema.ts';
import { queryVector } from './vectors.ts';

/** What a search looks in: a vector field, or the text behind a BM25 function's output. */
export interface Searched {
  readonly field: FieldDefinition;
  /** As Milvus calls it; BM25 for text. */
  readonly metric: string;
}

const BM25 = 'BM25';

export const search: EntityHandler = async (call, format) => {
  const { node, body } = call;
  const info = mustFindNamed(call);
  const data = body.list('data');
  const ids = body.list('ids');
  if (data !== undefined && ids !== undefined) throw invalidParameter('only one of data and ids expected');
  const sources = data ?? ids;
  if (sources === undefined || sources.length === 0) throw missingParameter('data');
  if (sources.length > MAX_WINDOW)
    throw new MilvusError(CODES.other, `nq [${sources.length}] is invalid, it should be in range [1, ${MAX_WINDOW}]`);
  const searched = searchedField(info, body.text('annsField'));
  if (ids !== undefined && searched.metric === BM25) throw invalidParameter('texts as data expected in a full text search, got ids');
  const params = searchParams(body.object('searchParams'));
  checkMetric(params, searched);
  const fields = outputFields(info, body.texts('outputFields') ?? []);
  const base = {
    ...readOf(call, info, 'Search'),
    ...filterOf(call, info),
    ...windowOf(call),
    ...rangeOf(params, searched),
    ...effortOf(params),
    ...groupingOf(body, info),
    ...rerankOf(body),
    select: selectOf(info, fields),
  };
  const askFor = (source: unknown): Readonly<Record<string, unknown>> =>
    ids === undefined ? queryOf(searched, source) : { field: searched.field.name, like: toKey(info, source) };
  if (isExplained(call)) return explained(call, { ...base, ...askFor(sources[0]) });
  const lists: (readonly SearchHit[])[] = [];
  for (const source of sources) {
    lists.push((await node.search({ ...base, ...askFor(source) })).hits);
  }
  return searchAnswer(info, lists, { fields, format, isDistance: isDistance(searched) });
};

interface Shown {
  readonly fields: readonly string[] | undefined;
  readonly format: RowFormat;
  /** Milvus shows distances where smaller is nearer; here higher is always better. */
  readonly isDistance: boolean;
}

/** One flat list for all queries, and how many rows are each one's. */
export function searchAnswer(
  info: CatalogCollectionInfo,
  lists: readonly (readonly Pick<SearchHit, 'key' | 'entity' | 'score'>[])[],
  { fields, format, isDistance: isTurned }: Shown,
): { readonly cost: number; readonly data: readonly unknown[]; readonly topks?: readonly number[] } {
  const key = keyFieldOf(info.definition).name;
  const data = lists.flat().map(({ key: pk, entity, score }) => {
    const distance = shortest(Math.fround(isTurned ? -score : score) + 0);
    return { ...toRow(info, entity, fields, format), [key]: fromKey(pk, format), distance };
  });
  return data.length === 0 ? { cost: 0, data } : { cost: 0, data, topks: lists.map((hits) => hits.length) };
}

export const isDistance = ({ metric }: Pick<Searched, 'metric'>): boolean =>
  metric === 'L2' || metric === 'HAMMING' || metric === 'JACCARD';

/** Code 1801 without a name where there are several. */
export function searchedField(info: CatalogCollectionInfo, name: string | undefined): Searched {
  const vectors = info.definition.fields.filter(({ type }) => isVectorKind(type));
  const outputs = functionsOf(info).map(({ output }) => output);
  const names = [...vectors.map((field) => field.name), ...outputs];
  if ((name === undefined || name === '') && names.length > 1) throw notJson('multiple vector fields exist, please specify annsField');
  const wanted = name === undefined || name === '' ? names[0] : name;
  const vector = vectors.find((field) => field.name === wanted);
  if (vector !== undefined) return { field: vector, metric: metricOfField(vector) };
  const text = wanted === undefined ? undefined : inputOf(info, wanted);
  if (text === undefined) throw invalidParameter(`cannot find a vector field named: ${name ?? ''}`);
  return { field: text, metric: BM25 };
}

/** One query of a search, as the engine takes it. Code 1801 for what does not fit the field. */
export function queryOf({ field, metric }: Searched, value: unknown): { readonly field: string } & Readonly<Record<string, unknown>> {
  if (metric !== BM25) return { field: field.name, vector: queryVector(field, value) };
  if (typeof value !== 'string') throw notJson(`${field.name}: texts as data expected in a full text search`);
  return { field: field.name, text: value, mode: 'keyword', prefix: false };
}

/** Milvus reads a parameter from `searchParams` or from `params` in it. Code 1100 when both say it, and differently. */
export type SearchParams = ReadonlyMap<string, unknown>;

export function searchParams(outer: Body | undefined): SearchParams {
  const params = new Map<string, unknown>();
  for (const name of PARAMS) {
    const values = [outer?.object('params')?.get(name), outer?.get(name)].filter((value) => value !== undefined);
    if (values.length === 2 && stringifyExact(values[0]) !== stringifyExact(values[1]))
      throw invalidParameter(`ambiguous parameter: ${name}`);
    if (values.length > 0) params.set(name, values[0]);
  }
  return params;
}
const PARAMS = ['metricType', 'metric_type', 'radius', 'range_filter', 'ef', 'nprobe'] as const;

export function checkMetric(params: SearchParams, { metric }: Searched): void {
  const given = params.get('metricType') ?? params.get('metric_type') ?? '';
  if (given !== '' && given !== metric) throw invalidParameter(`metric type not match[expected=${metric}][actual=${String(given)}]`);
}

/** In the metric's own units, as in Milvus. */
export function rangeOf(params: SearchParams, { field }: Searched): { readonly range?: unknown } {
  const radius = params.get('radius');
  const rangeFilter = params.get('range_filter');
  if (radius === undefined) return {};
  if (typeof radius !== 'number' || (rangeFilter !== undefined && typeof rangeFilter !== 'number'))
    throw invalidParameter(`${field.name}: numbers as radius and range_filter expected`);
  return { range: { radius, ...(rangeFilter === undefined ? {} : { rangeFilter }) } };
}

export function effortOf(params: SearchParams): { readonly ef?: number; readonly nprobe?: number } {
  return Object.fromEntries(
    (['ef', 'nprobe'] as const).flatMap((name) => {
      const value = params.get(name);
      if (value === undefined) return [];
      if (typeof value !== 'number') throw invalidParameter(`${name}: a number expected, got ${typeof value}`);
      return [[name, value]];
    }),
  );
}

/** Groups as Milvus has them; the engine's are always filled where there are rows, which is its strict way. */
export function groupingOf(
  body: Body,
  info: CatalogCollectionInfo,
): { readonly groupBy?: { readonly field: string; readonly size: number } } {
  const field = body.text('groupingField') ?? '';
  if (field === '') return {};
  if (!shownFields(info).some(({ name }) => name === field))
    throw invalidParameter(`groupingField ${field.slice(0, 80)}: a field of the schema expected, which keys of the dynamic field are not`);
  const size = body.integer('groupSize') ?? 1;
  if (size < 1 || size > MAX_GROUP_SIZE)
    throw invalidParameter(`input group size:${size} exceeds configured max group size:${MAX_GROUP_SIZE}`);
  body.flag('strictGroupSize');
  return { groupBy: { field, size } };
}

/** `functionScore`: decay and boost. Code 1100 for other rerankers: they need a model that a server would have to call. */
export function rerankOf(body: Body): { readonly rerank?: readonly unknown[] } {
  const functions = body.object('functionScore')?.list('functions');
  if (functions === undefined || functions.length === 0) return {};
  return { rerank: body.object('functionScore')!.bodies('functions').map(reranker) };
}

function reranker(item: Body): unknown {
  const params = item.params('params');
  const number = (name: string): number | undefined => (params.has(name) ? Number(params.get(name)) : undefined);
  const kind = params.get('reranker') ?? '';
  if (kind === 'decay') {
    const [field] = item.texts('inputFieldNames') ?? [];
    const given = { origin: number('origin'), scale: number('scale'), offset: number('offset'), decay: number('decay') };
    const known = Object.entries(given).filter(([, value]) => value !== undefined);
    return { type: 'decay', field, curve: params.get('function') ?? 'gauss', ...Object.fromEntries(known) };
  }
  if (kind === 'boost') return { type: 'boost', filter: params.get('filter') ?? '', weight: number('weight') };
  throw invalidParameter(`reranker ${kind} is not supported here, decay and boost are`);
}
