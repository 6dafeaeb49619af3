import { type FieldDefinition, hash64, isVectorKind, keyFieldOf, utf8Encode } from '@terndb/core';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import { DYNAMIC_FIELD } from './dynamic.ts';
import { CODES, MilvusError } from './errors.ts';
import { describeFunction, describeOutput, functionsOf } from './functions.ts';
import type { WantedIndex } from './index-types.ts';
import { levelOf } from './levels.ts';
import { ttlProperty } from './ttl.ts';

/** Kept in the collection's properties, because a definition has no room for it. */
export const PROPERTY = {
  load: 'milvus.load',
  types: 'milvus.types',
  description: 'description',
  dynamic: 'milvus.dynamic',
  functions: 'milvus.functions',
  partitionKey: 'milvus.partitionKey',
  /** The level of reads that name none. */
  consistency: 'milvus.consistency',
  /** Names of fields and outputs as they were declared, with commas; a definition has them in its own order. */
  order: 'milvus.order',
  /** `{"<field>": WantedIndex}`: what indexes were asked for. */
  indexes: 'milvus.indexes',
} as const;
export const RELEASED = 'released';
/** Milvus' types as fields say them where ours say less: `{"age":"Int8","name":"VarChar(64)"}`. */
type TypeNotes = Readonly<Record<string, string>>;

export const MAX_TEXT_LENGTH = 65_535;
/** What the components of dense vectors are kept as. */
export const ELEMENTS: Readonly<Record<string, string>> = {
  FloatVector: 'float32',
  Float16Vector: 'float16',
  BFloat16Vector: 'bfloat16',
  Int8Vector: 'int8',
};

/** Milvus' name of a field's type, and the VarChar length it was created with. */
export function milvusTypeOf(info: CatalogCollectionInfo, field: FieldDefinition): { readonly type: string; readonly param?: string } {
  const note = typeNotesOf(info)[field.name];
  const match = /^(\w+)(?:\((\w+)\))?$/.exec(note ?? '');
  if (match !== null) return { type: match[1]!, ...(match[2] === undefined ? {} : { param: match[2] }) };
  switch (field.type) {
    case 'primaryKey':
      return { type: field.params.keyType === 'int64' ? 'Int64' : 'VarChar' };
    case 'int64':
      return { type: 'Int64' };
    case 'number':
      return { type: 'Double' };
    case 'boolean':
      return { type: 'Bool' };
    case 'json':
      return { type: 'JSON' };
    case 'array':
      return { type: 'Array' };
    case 'date':
      return { type: 'Timestamptz' };
    case 'vector': {
      const { elements = 'float32' } = field.params;
      return { type: Object.keys(ELEMENTS).find((name) => ELEMENTS[name] === elements)! };
    }
    case 'binaryVector':
      return { type: 'BinaryVector' };
    case 'sparseVector':
      return { type: 'SparseFloatVector' };
    default:
      return { type: 'VarChar' };
  }
}

export function typeNotesOf({ properties }: CatalogCollectionInfo): TypeNotes {
  let notes = NOTES.get(properties);
  if (notes === undefined) {
    notes = JSON.parse(properties[PROPERTY.types] ?? '{}') as TypeNotes;
    NOTES.set(properties, notes);
  }
  return notes;
}
/** Asked for each value of each row. Properties are never changed, only replaced. */
const NOTES = new WeakMap<object, TypeNotes>();

export const isDynamic = ({ properties }: CatalogCollectionInfo): boolean => properties[PROPERTY.dynamic] === 'true';
export const isLoaded = ({ properties }: CatalogCollectionInfo): boolean => properties[PROPERTY.load] !== RELEASED;

/** Those that Milvus shows, as they were declared; where nobody said, the key comes first. */
export function shownFields(info: CatalogCollectionInfo): readonly FieldDefinition[] {
  let fields = SHOWN.get(info);
  if (fields === undefined) {
    const shown = info.definition.fields.filter(({ name }) => name !== DYNAMIC_FIELD);
    fields = declared(info, [...shown.filter(({ type }) => type === 'primaryKey'), ...shown.filter(({ type }) => type !== 'primaryKey')]);
    SHOWN.set(info, fields);
  }
  return fields;
}
/** Asked for each row. An info is never changed, only replaced. */
const SHOWN = new WeakMap<object, readonly FieldDefinition[]>();

/** What nobody has declared comes last. */
export function declared<T extends { readonly name: string }>({ properties }: CatalogCollectionInfo, items: readonly T[]): readonly T[] {
  const names = properties[PROPERTY.order]?.split(',') ?? [];
  const placeOf = ({ name }: T): number => (names.includes(name) ? names.indexOf(name) : names.length);
  return items.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** Names of fields and outputs as they are described. */
export function orderOf(info: CatalogCollectionInfo): readonly string[] {
  const outputs = functionsOf(info).map(({ output }) => ({ name: output }));
  return declared(info, [...shownFields(info), ...outputs]).map(({ name }) => name);
}

/** User fields start at 100. */
const FIRST_FIELD_ID = 100;

/** `data` of collections/describe. */
export function describeCollection(info: CatalogCollectionInfo): Readonly<Record<string, unknown>> {
  const key = keyFieldOf(info.definition);
  const vector = shownFields(info).find(({ type }) => isVectorKind(type));
  const shards = Math.max(...[...info.partitions.values()].map((channels) => channels.length), 1);
  const functions = functionsOf(info);
  const fields = [
    ...shownFields(info).map((field) => ({ name: field.name, describe: (id: number) => describeField(info, field, id) })),
    ...functions.map((each) => ({ name: each.output, describe: (id: number) => describeOutput(each, id) })),
  ];
  return {
    aliases: info.aliases,
    autoId: key.params.autoId,
    collectionID: collectionNumber(info.collectionId),
    collectionName: info.name,
    consistencyLevel: levelOf(info),
    description: info.properties[PROPERTY.description] ?? '',
    enableDynamicField: isDynamic(info),
    fields: declared(info, fields).map(({ describe }, index) => describe(FIRST_FIELD_ID + index)),
    functions: functions.map((each, index) => describeFunction(each, FIRST_FIELD_ID + index)),
    indexes:
      vector === undefined
        ? []
        : [{ fieldName: vector.name, indexName: indexNameOf(info, vector.name), metricType: metricOfField(vector) }],
    load: isLoaded(info) ? 'LoadStateLoaded' : 'LoadStateNotLoad',
    partitionsNum: info.partitions.size,
    properties: Object.entries({ ...info.properties, ...ttlProperty(info.definition) })
      .filter(([name]) => !Object.values<string>(PROPERTY).includes(name))
      .map(([name, value]) => ({ key: name, value })),
    shardsNum: shards,
  };
}

/** As Milvus' messages call the kinds of a value. */
const DEFAULT_KIND: Readonly<Record<string, string>> = {
  Bool: 'BoolData',
  Int8: 'IntData',
  Int16: 'IntData',
  Int32: 'IntData',
  Int64: 'LongData',
  Float: 'FloatData',
  Double: 'DoubleData',
};

function describeField(info: CatalogCollectionInfo, field: FieldDefinition, id: number): Readonly<Record<string, unknown>> {
  const { type, param } = milvusTypeOf(info, field);
  const params: { readonly key: string; readonly value: string }[] = [];
  if ('dim' in field.params && field.params.dim !== null) params.push({ key: 'dim', value: String(field.params.dim) });
  if (type === 'VarChar')
    params.push({ key: 'max_length', value: param ?? String((field.params as { maxLength?: number }).maxLength ?? MAX_TEXT_LENGTH) });
  if (field.type === 'array') params.push({ key: 'max_capacity', value: String(field.params.maxCapacity) });
  return {
    autoId: field.type === 'primaryKey' && field.params.autoId,
    clusteringKey: false,
    description: '',
    id,
    name: field.name,
    nullable: field.nullable,
    partitionKey: info.properties[PROPERTY.partitionKey] === field.name,
    primaryKey: field.type === 'primaryKey',
    type,
    ...(field.type === 'array' && param !== undefined ? { elementType: param } : {}),
    ...(field.default === undefined ? {} : { defaultValue: { Data: { [DEFAULT_KIND[type] ?? 'StringData']: field.default } } }),
    ...(params.length === 0 ? {} : { params }),
  };
}

/** By field: what was asked for. */
export const indexesOf = ({ properties }: CatalogCollectionInfo): Readonly<Record<string, WantedIndex>> =>
  JSON.parse(properties[PROPERTY.indexes] ?? '{}') as Record<string, WantedIndex>;
const indexNameOf = (info: CatalogCollectionInfo, field: string): string => indexesOf(info)[field]?.name ?? field;

export function metricOfField(field: FieldDefinition): string {
  return 'metric' in field.params ? field.params.metric : '';
}

/** Milvus' ids are numbers; ours are texts. */
export function collectionNumber(id: string): number {
  const { lo, hi } = hash64(utf8Encode(id));
  return (hi & 0xf_ffff) * 2 ** 32 + lo;
}

export function notLoaded(name: string): MilvusError {
  return new MilvusError(CODES.collectionNotLoaded, `collection not loaded[collection=${name}]`);
}
