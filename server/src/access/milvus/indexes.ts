import { type FieldDefinition, isVectorKind } from '@terndb/core';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import { DONE, grantedPartitions, type MilvusAnswer, type MilvusCall, type MilvusHandler, mustFindNamed, rowCount } from './call.ts';
import { withIndexes, withScalarIndexes } from './create-schema.ts';
import { CODES, invalidParameter, MilvusError, missingParameter } from './errors.ts';
import { functionsOf } from './functions.ts';
import { checkIndexType, servedBy, type WantedIndex, wantedIndex } from './index-types.ts';
import { indexesOf, isLoaded, metricOfField, PROPERTY } from './schema.ts';

/** A field with an index, or the output of a function that is named like one. */
interface Indexed {
  readonly field: string;
  readonly index: WantedIndex;
}

export const INDEXES: Readonly<Record<string, MilvusHandler>> = {
  list: async (call) => ({ data: entriesOf(mustFindNamed(call)).map(({ index }) => index.name) }),
  describe: async (call) => {
    const info = mustFindNamed(call);
    const found = mustFindIndex(info, call.body.mustText('indexName'));
    return { data: [describeIndex(info, found, rowCount(call, info.name, grantedPartitions(call, info, 'IndexDetail')))] };
  },
  create: async (call) => {
    const info = mustFindNamed(call);
    const wanted: Record<string, WantedIndex> = { ...indexesOf(info) };
    const changed: Record<string, { readonly index: WantedIndex; readonly metric: string }> = {};
    for (const item of call.body.bodies('indexParams')) {
      const field = item.mustText('fieldName');
      const index = wantedIndex(item);
      checkIndexType(kindOf(info, field), index);
      const known = wanted[field];
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(index))
        throw new MilvusError(CODES.other, `at most one distinct index is allowed per field: ${field}`);
      wanted[field] = index;
      if (known === undefined) changed[field] = { index, metric: item.text('metricType') ?? '' };
    }
    // Of a collection that came from a device its vectors' indexes were told, and still are.
    for (const { field, index } of entriesOf(info)) wanted[field] ??= index;
    await rebuild(call, info, wanted, changed);
    return DONE;
  },
  alter_properties: async (call) => tune(call, [...call.body.params('properties').keys()], 'properties'),
  drop_properties: async (call) => tune(call, call.body.texts('propertyKeys') ?? [], 'propertyKeys'),
  drop: async (call) => {
    const info = mustFindNamed(call);
    const name = call.body.mustText('indexName');
    const found = entriesOf(info).find(({ index }) => index.name === name);
    if (found === undefined) return DONE;
    const isVector = info.definition.fields.some((field) => field.name === found.field && isVectorKind(field.type));
    if (isVector && isLoaded(info)) throw invalidParameter(`vector index cannot be dropped on loaded collection: ${name}`);
    const { [found.field]: _, ...rest } = Object.fromEntries(entriesOf(info).map(({ field, index }) => [field, index]));
    await setIndexes(call, info, rest, { [found.field]: undefined });
    return DONE;
  },
};

/** Code 700 with no index at all, 65535 with a vector field that has none: as Milvus refuses to load. */
export function checkIndexed(info: CatalogCollectionInfo): void {
  const indexed = new Set(entriesOf(info).map(({ field }) => field));
  if (indexed.size === 0) throw new MilvusError(CODES.indexNotFound, `index not found[collection=${info.name}]`);
  const without = info.definition.fields.filter(({ name, type }) => isVectorKind(type) && !indexed.has(name)).map(({ name }) => name);
  if (without.length > 0)
    throw new MilvusError(CODES.other, `there is no vector index on field: [${without.join(' ')}], please create index firstly`);
}

/** A collection that came from a device has an index on every vector field: its schema says so. */
function entriesOf(info: CatalogCollectionInfo): readonly Indexed[] {
  if (info.properties[PROPERTY.indexes] !== undefined) return Object.entries(indexesOf(info)).map(([field, index]) => ({ field, index }));
  const vectors = info.definition.fields.filter(({ type }) => isVectorKind(type));
  return vectors.map(({ name }) => ({ field: name, index: { name, type: 'AUTOINDEX', params: {} } }));
}

function mustFindIndex(info: CatalogCollectionInfo, name: string): Indexed {
  const found = entriesOf(info).find(({ index }) => index.name === name);
  if (found === undefined) throw new MilvusError(CODES.indexNotFound, `index not found[indexName=${name}]`);
  return found;
}

function describeIndex(info: CatalogCollectionInfo, { field, index }: Indexed, rows: number): Readonly<Record<string, unknown>> {
  const input = functionsOf(info).find(({ output }) => output === field)?.input;
  const definition = info.definition.fields.find(({ name }) => name === (input ?? field));
  const metricType = input === undefined ? (definition === undefined ? '' : metricOfField(definition)) : 'BM25';
  return {
    indexName: index.name,
    fieldName: field,
    indexType: index.type,
    metricType,
    indexState: 'Finished',
    failReason: '',
    totalRows: rows,
    indexedRows: rows,
    pendingRows: 0,
    minIndexVersion: 0,
    maxIndexVersion: 0,
    indexParams: [
      { key: 'index_type', value: index.type },
      ...(metricType === '' ? [] : [{ key: 'metric_type', value: metricType }]),
      ...Object.entries(index.params).map(([key, value]) => ({ key, value })),
      ...(definition === undefined ? [] : [{ key: 'served_by', value: servedBy(definition) }]),
    ],
  };
}

/** Code 1802 for a field that is not there. */
function kindOf(info: CatalogCollectionInfo, name: string): FieldDefinition['type'] | 'function' {
  if (functionsOf(info).some(({ output }) => output === name)) return 'function';
  const field = info.definition.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw invalidParameter(`cannot create index on non-exist field: ${name}`);
  return field.type;
}

type Changed = Readonly<Record<string, { readonly index: WantedIndex; readonly metric: string }>>;

/**
 * A vector field's metric and index are part of its schema, which devices hold, too. Milvus' clients create the collection first and say both afterwards: as
 * long as nothing was ever written to it, it is replaced by one as they say. Later a metric stays (1100), and another index type is kept as a wish:
 * `served_by` tells what answers. Indexes of scalars change at any time.
 */
async function rebuild(
  call: MilvusCall,
  info: CatalogCollectionInfo,
  wanted: Readonly<Record<string, WantedIndex>>,
  changed: Changed,
): Promise<void> {
  const indexes = Object.fromEntries(Object.entries(changed).map(([name, { index }]) => [name, index]));
  if (JSON.stringify(withIndexes(info, changed)) !== JSON.stringify(info.definition)) {
    const replaced = await call.node.catalog.replaceEmpty(call.database, info.name, (now) => ({
      definition: withScalarIndexes({ ...now, definition: withIndexes(now, changed) }, indexes),
      properties: { ...now.properties, [PROPERTY.indexes]: JSON.stringify(wanted) },
    }));
    if (replaced !== undefined) return;
  }
  for (const [name, { metric }] of Object.entries(changed)) checkMetric(info, name, metric);
  await setIndexes(call, info, wanted, indexes);
}

function checkMetric(info: CatalogCollectionInfo, name: string, metric: string): void {
  const field = info.definition.fields.find((candidate) => candidate.name === name);
  if (field === undefined || !isVectorKind(field.type) || metric === '') return;
  const expected = metricOfField(field);
  if (metric !== expected)
    throw invalidParameter(`${name}: its metric is set before the first row, alias or device[expected=${expected}][actual=${metric}]`);
}

/** `changed`: by field; undefined: dropped. Scalar fields take another index at any time: segments are given theirs in the background. */
async function setIndexes(
  { node, database }: MilvusCall,
  info: CatalogCollectionInfo,
  indexes: Readonly<Record<string, WantedIndex>>,
  changed: Readonly<Record<string, WantedIndex | undefined>>,
): Promise<void> {
  const properties = { ...info.properties, [PROPERTY.indexes]: JSON.stringify(indexes) };
  await node.catalog.alterCollection(database, info.name, { definition: withScalarIndexes(info, changed), properties });
}

/** Hints to a memory that Tern does not have: checked as Milvus checks them, and without effect. */
const TUNABLE = ['mmap.enabled', 'indexoffsetcache.enabled', 'warmup'];
function tune(call: MilvusCall, names: readonly string[], from: string): MilvusAnswer {
  const info = mustFindNamed(call);
  const name = call.body.mustText('indexName');
  if (names.length === 0) throw missingParameter(from);
  mustFindIndex(info, name);
  const unknown = names.find((candidate) => !TUNABLE.includes(candidate));
  if (unknown !== undefined) throw invalidParameter(`${unknown} is not a configable index property`);
  if (isLoaded(info))
    throw new MilvusError(
      CODES.loaded,
      "can't alter index on loaded collection, please release the collection first: collection already loaded",
    );
  return DONE;
}
