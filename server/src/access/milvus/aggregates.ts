import { keyFieldOf, MAX_WINDOW } from '@terndb/core';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import type { MilvusAnswer, MilvusCall } from './call.ts';
import { CODES, invalidParameter, MilvusError } from './errors.ts';
import { fromValue, type RowFormat } from './rows.ts';
import { shownFields } from './schema.ts';

/**
 * Aggregates of a query: `outputFields: ["color", "count(*)", "sum(price)"]` with `groupByFields: ["color"]`. Milvus' REST door has `count(*)` alone; the
 * names are those of its SDKs' queries.
 */
interface Aggregate {
  /** As the caller wrote it. */
  readonly name: string;
  readonly kind: string;
  /** Undefined: rows. */
  readonly field: string | undefined;
}

const AGGREGATE = /^\s*(count|sum|avg|min|max)\s*\(\s*([^()]*?)\s*\)\s*$/i;

function aggregateOf(name: string): Aggregate | undefined {
  const [, kind, argument] = AGGREGATE.exec(name.slice(0, MAX_OUTPUT_NAME)) ?? [];
  if (kind === undefined || argument === undefined) return undefined;
  const isRows = argument === '*' || argument === '';
  if (isRows && kind.toLowerCase() !== 'count')
    throw invalidParameter(`outputFields: a field in ${name.slice(0, MAX_OUTPUT_NAME)} expected`);
  return { name, kind: kind.toLowerCase(), field: isRows ? undefined : argument };
}
/** A function around the name of a field. */
const MAX_OUTPUT_NAME = 300;

export interface AggregatedQuery {
  readonly groupBy: readonly string[];
  readonly aggregates: readonly Aggregate[];
}

/** Undefined: a query for rows. Code 1100 for fields that are neither aggregated nor grouped by. */
export function aggregatedQuery({ body }: MilvusCall): AggregatedQuery | undefined {
  const outputs = [...new Set(body.texts('outputFields') ?? [])];
  const groupBy = [...new Set(body.texts('groupByFields') ?? [])];
  const found = outputs.map((name) => aggregateOf(name));
  const aggregates = found.filter((one) => one !== undefined);
  if (groupBy.length === 0 && aggregates.length === 0) return undefined;
  const plain = outputs.find((name, index) => found[index] === undefined && !groupBy.includes(name));
  if (plain !== undefined) throw invalidParameter(`outputFields: ${plain.slice(0, 80)}: an aggregate or one of groupByFields expected`);
  return { groupBy, aggregates };
}

/** One row per group: its fields, then the aggregates as they were written. `limit` counts groups; without it all of them come. */
export async function answerAggregates(
  call: MilvusCall,
  info: CatalogCollectionInfo,
  {
    query,
    read,
    orderBy,
    format,
  }: {
    readonly query: AggregatedQuery;
    readonly read: { readonly database: string; readonly collection: string };
    readonly orderBy: readonly { readonly field: string; readonly order: string }[];
    readonly format: RowFormat;
  },
): Promise<MilvusAnswer> {
  if (call.body.get('offset') !== undefined)
    throw invalidParameter('count entities with pagination is not allowed: no offset with aggregates');
  const limit = call.body.integer('limit');
  if (limit !== undefined && (limit < 1 || limit > MAX_WINDOW))
    throw new MilvusError(CODES.other, `limit [${limit}] is invalid, it should be in range [1, ${MAX_WINDOW}]`);
  const { groupBy, aggregates } = query;
  const fields = new Map([keyFieldOf(info.definition), ...shownFields(info)].map((field) => [field.name, field]));
  const unknown = [...groupBy, ...aggregates.flatMap(({ field }) => field ?? [])].find((name) => !fields.has(name));
  // Keys of the dynamic field have no column.
  if (unknown !== undefined) throw new MilvusError(CODES.other, `field ${unknown.slice(0, 80)} not exist`);
  const { groups } = await call.node.aggregate({
    ...read,
    groupBy,
    aggregates: Object.fromEntries(aggregates.map(({ name, kind, field }) => [name, field === undefined ? 'count' : { [kind]: field }])),
    orderBy,
    ...(limit === undefined ? {} : { limit }),
  });
  const kinds = new Map(aggregates.map((one) => [one.name, one]));
  const shown = (name: string, value: unknown): unknown => {
    const { kind, field } = kinds.get(name) ?? { kind: 'max', field: name };
    if (kind === 'min' || kind === 'max') return fromValue(fields.get(field!)!, value as never, format);
    return kind === 'sum' && value !== null && format.int64AsText && fields.get(field!)!.type === 'int64' ? String(value) : value;
  };
  return {
    cost: 0,
    data: groups.map((group) => Object.fromEntries(Object.entries(group).map(([name, value]) => [name, shown(name, value)]))),
  };
}
