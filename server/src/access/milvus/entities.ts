import { DbError, keyFieldOf, MAX_WINDOW, type PrimaryKey } from '@terndb/core';
import type { EntityRecord } from '@terndb/engine';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import { aggregatedQuery, answerAggregates } from './aggregates.ts';
import type { Body } from './body.ts';
import { grantedPartitions, type MilvusAnswer, type MilvusCall, mustFindNamed, readablePartitions, writablePartition } from './call.ts';
import { withDynamicNames } from './dynamic.ts';
import { CODES, invalidParameter, MilvusError, missingParameter, unsupported } from './errors.ts';
import { explained, isExplained } from './explain.ts';
import { consistencyOf } from './levels.ts';
import { asRowError, badRows, fromKey, outputFields, type RowFormat, selectOf, toEntities, toKey, toRow } from './rows.ts';
import { isDynamic, isLoaded, notLoaded, shownFields } from './schema.ts';

const DEFAULT_LIMIT = 100;
/** How answers write int64 is the caller's. */
export type EntityHandler = (call: MilvusCall, format: RowFormat) => Promise<MilvusAnswer>;

/** What every read has. */
export function readOf(
  call: MilvusCall,
  info: CatalogCollectionInfo,
  privilege: 'Query' | 'Search',
): { readonly database: string; readonly collection: string } & Record<string, unknown> {
  if (!isLoaded(info)) throw notLoaded(info.name);
  const { database } = call;
  const partitions = readablePartitions(call, info, privilege);
  return {
    database,
    collection: info.name,
    consistency: consistencyOf(call.body.text('consistencyLevel'), info),
    ...(partitions === undefined ? {} : { partitions }),
  };
}

export function filterOf(call: MilvusCall, info: CatalogCollectionInfo): { readonly filter?: string; readonly filterParams?: unknown } {
  const text = call.body.text('filter') ?? '';
  if (text.trim() === '') return {};
  const names = new Set(shownFields(info).map(({ name }) => name));
  const filterParams = call.body.get('exprParams');
  return { filter: isDynamic(info) ? withDynamicNames(text, names) : text, ...(filterParams === undefined ? {} : { filterParams }) };
}

export function windowOf({ body }: MilvusCall): { readonly limit: number; readonly offset: number } {
  const limit = body.integer('limit') ?? DEFAULT_LIMIT;
  const offset = body.integer('offset') ?? 0;
  if (limit < 1 || limit > MAX_WINDOW) {
    throw new MilvusError(CODES.other, `topk [${limit}] is invalid, it should be in range [1, ${MAX_WINDOW}]`);
  }
  if (offset < 0 || limit + offset > MAX_WINDOW) {
    throw new MilvusError(
      CODES.other,
      `invalid max query result window, (offset+limit) should be in range [1, ${MAX_WINDOW}], but got ${limit + offset}`,
    );
  }
  return { limit, offset };
}

/** Of a query: a limit of 0 is none, which a filter must stand in for. */
function queryWindow(call: MilvusCall): { readonly limit: number; readonly offset: number } {
  if (call.body.integer('limit') !== 0) return windowOf(call);
  if ((call.body.text('filter') ?? '').trim() === '') throw invalidParameter('empty expression should be used with limit');
  const offset = call.body.integer('offset') ?? 0;
  return offset >= 0 && offset < MAX_WINDOW ? { limit: MAX_WINDOW - offset, offset } : windowOf(call);
}

async function put(call: MilvusCall, format: RowFormat, isUpsert: boolean): Promise<readonly unknown[]> {
  const info = mustFindNamed(call);
  const given = call.body.get('data');
  const rows = Array.isArray(given) ? (given as readonly unknown[]) : given === undefined ? [] : [given];
  if (rows.length === 0) throw missingParameter('data');
  const partition = writablePartition(call, info, isUpsert ? 'Upsert' : 'Insert');
  const keys = await putRows(call, info, { rows, partition, isUpsert });
  return keys.map((pk) => fromKey(pk, format));
}

interface RowsToPut {
  readonly rows: readonly unknown[];
  readonly partition: string;
  readonly isUpsert: boolean;
}

/** All of them or none. Code 1804 for rows that do not fit, 1100 for one key twice in an upsert. */
export async function putRows(
  { node, database, principal: { subject } }: Pick<MilvusCall, 'node' | 'database' | 'principal'>,
  info: CatalogCollectionInfo,
  { rows, partition, isUpsert }: RowsToPut,
): Promise<readonly PrimaryKey[]> {
  const entities = toEntities(info, rows, { isUpsert });
  const key = keyFieldOf(info.definition).name;
  const seen = new Set(entities.map((entity) => entity[key]).filter((value) => value !== undefined));
  const withKey = entities.filter((entity) => entity[key] !== undefined).length;
  if (isUpsert && seen.size !== withKey) throw invalidParameter('duplicate primary keys are not allowed in the same batch');
  // Of two rows with one key the later one counts, as it would one after the other.
  const last = seen.size === withKey ? entities : [...new Map(entities.map((entity) => [entity[key] ?? entity, entity])).values()];
  try {
    return (await node.write({ type: 'put', database, subject, collection: info.name, partition, entities: last })).keys;
  } catch (thrown) {
    throw asRowError(thrown);
  }
}

const insert: EntityHandler = async (call, format) => {
  const insertIds = await put(call, format, false);
  return { cost: 0, data: { insertCount: insertIds.length, insertIds } };
};

const upsert: EntityHandler = async (call, format) => {
  checkFieldOps(call.body);
  if (call.body.flag('partialUpdate') === true) return partialUpsert(call, format);
  const upsertIds = await put(call, format, true);
  return { cost: 0, data: { upsertCount: upsertIds.length, upsertIds } };
};

/** A field is replaced, which is what happens without any. Code 3000 for what would have to read the row first, 1100 for what is none. */
function checkFieldOps(body: Body): void {
  if (body.get('fieldOps') === undefined) return;
  for (const item of body.bodies('fieldOps')) {
    const op = item.text('op') ?? 'REPLACE';
    const field = item.mustText('fieldName');
    if (/^ARRAY_(APPEND|REMOVE)$/i.test(op))
      throw unsupported(`fieldOps: ${op} of ${field} is not supported here, read the array and give the whole of it`);
    if (!/^REPLACE$/i.test(op)) throw invalidParameter(`fieldOps: REPLACE, ARRAY_APPEND or ARRAY_REMOVE expected, got ${op.slice(0, 80)}`);
  }
}

/** Row by row: a row that is there keeps what is not given, one that is not there is put. */
async function partialUpsert(call: MilvusCall, format: RowFormat): Promise<MilvusAnswer> {
  const { node, database, body } = call;
  const info = mustFindNamed(call);
  const partition = writablePartition(call, info, 'Upsert');
  const rows = body.list('data') ?? [];
  if (rows.length === 0) throw missingParameter('data');
  const key = keyFieldOf(info.definition).name;
  const keys: PrimaryKey[] = [];
  for (const { [key]: pk, ...fields } of toEntities(info, rows, { isUpsert: true })) {
    if (pk === undefined) throw badRows(`the primary key ${key} expected in each row`);
    const target = { database, subject: call.principal.subject, collection: info.name, partition } as const;
    try {
      const there = { database, collection: info.name, partitions: [partition], keys: [pk], select: [], consistency: 'strong' } as const;
      const { entities } = await node.get(there);
      const request =
        entities[0] === undefined
          ? ({ type: 'put', entities: [{ [key]: pk, ...fields }] } as const)
          : ({ type: 'patch', key: pk, fields } as const);
      keys.push(...(await node.write({ ...target, ...request })).keys);
    } catch (thrown) {
      throw asRowError(thrown);
    }
  }
  return { cost: 0, data: { upsertCount: keys.length, upsertIds: keys.map((pk) => fromKey(pk, format)) } };
}

const remove: EntityHandler = async (call) => {
  const { node, principal, database, body } = call;
  const info = mustFindNamed(call);
  body.mustText('filter');
  const named = body.text('partitionName') ?? '';
  const partitions = named === '' ? grantedPartitions(call, info, 'Delete') : [writablePartition(call, info, 'Delete')];
  try {
    const { keys } = await node.write({
      type: 'deleteBy',
      database,
      subject: principal.subject,
      collection: info.name,
      partitions,
      ...filterOf(call, info),
    });
    return { cost: 0, data: { deleteCount: keys.length } };
  } catch (thrown) {
    if (thrown instanceof DbError && thrown.code === 'FILTER_INVALID' && thrown.details['got'] === 'always true')
      throw invalidParameter("delete plan can't be empty or always true");
    throw thrown;
  }
};

const get: EntityHandler = async (call, format) => {
  const { node, body } = call;
  const info = mustFindNamed(call);
  const id = body.get('id');
  if (id === undefined) throw missingParameter('id');
  const fields = outputFields(info, body.texts('outputFields'));
  const keys = (Array.isArray(id) ? id : [id]).map((key: unknown) => toKey(info, key));
  const { entities } = await node.get({ ...readOf(call, info, 'Query'), keys, select: selectOf(info, fields) });
  const found = entities.filter((entity): entity is EntityRecord => entity !== undefined);
  return { cost: 0, data: found.map((entity) => toRow(info, entity, fields, format)) };
};

const query: EntityHandler = async (call, format) => {
  const { node, body } = call;
  const info = mustFindNamed(call);
  const wanted = body.texts('outputFields');
  const read = { ...readOf(call, info, 'Query'), ...filterOf(call, info) };
  const aggregated = aggregatedQuery(call);
  if (isExplained(call)) return explained(call, read);
  if (aggregated !== undefined && (aggregated.groupBy.length > 0 || wanted?.length !== 1 || wanted[0] !== 'count(*)')) {
    return answerAggregates(call, info, { query: aggregated, read, orderBy: termsOf(body), format });
  }
  if (aggregated !== undefined) {
    if (body.get('offset') !== undefined) throw invalidParameter('count entities with pagination is not allowed');
    return { cost: 0, data: [{ 'count(*)': (await node.count(read)).count }] };
  }
  const fields = outputFields(info, wanted);
  const orderBy = orderOf(body, info);
  const { entities } = await node.query({ ...read, ...queryWindow(call), orderBy, select: selectOf(info, fields) });
  return { cost: 0, data: entities.map((entity) => toRow(info, entity, fields, format)) };
};

function termsOf(body: Body): readonly { readonly field: string; readonly order: string }[] {
  return (body.texts('orderByFields') ?? []).map((term) => {
    const [, field, order = 'asc'] = /^(.*?)(?::(asc|desc))?$/s.exec(term)!;
    return { field: field!, order };
  });
}

/** By key, as Milvus answers, or as `orderByFields` says: `["year:desc", "title"]`. Rows that are equal come by key. */
function orderOf(body: Body, info: CatalogCollectionInfo): readonly { readonly field: string; readonly order: string }[] {
  const key = { field: keyFieldOf(info.definition).name, order: 'asc' };
  const terms = termsOf(body);
  return terms.some(({ field }) => field === key.field) ? terms : [...terms, key];
}

export const ENTITIES: Readonly<Record<string, EntityHandler>> = { insert, upsert, delete: remove, get, query };
