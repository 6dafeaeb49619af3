import {
  type CollectionDefinition,
  checkCollection,
  DbError,
  type FieldDefinition,
  hash64,
  isVectorKind,
  keyFieldOf,
  utf8Encode,
} from '@terndb/core';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import { Body } from './body.ts';
import { DYNAMIC_FIELD } from './dynamic.ts';
import { CODES, invalidParameter, MilvusError, missingParameter } from './errors.ts';

/** What a create asks for, in our words. */
export interface WantedCollection {
  readonly definition: CollectionDefinition;
  readonly properties: Readonly<Record<string, string>>;
}

/** Kept in the collection's properties, because a definition has no room for it. */
export const PROPERTY = { load: 'milvus.load', types: 'milvus.types', description: 'description', dynamic: 'milvus.dynamic' } as const;
export const RELEASED = 'released';
/** Milvus' types as fields say them where ours say less: `{"age":"Int8","name":"VarChar(64)"}`. */
type TypeNotes = Readonly<Record<string, string>>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
const METRICS = ['COSINE', 'IP', 'L2'];
const TRUE = ['true', '1', 't', 'T', 'TRUE', 'True'];

export function wantedCollection(body: Body): WantedCollection {
  const name = body.mustText('collectionName');
  if (!NAME.test(name)) throw invalidParameter(`Invalid collection name: ${name}. the first character must be an underscore or letter`);
  const schema = body.object('schema');
  const fields = schema?.list('fields');
  const wanted = schema === undefined || fields === undefined || fields.length === 0 ? quick(body) : custom(body, schema, fields);
  const description = body.text('description') ?? '';
  try {
    const definition = checkCollection(name, { fields: wanted.fields });
    return { definition, properties: { ...wanted.properties, ...(description === '' ? {} : { [PROPERTY.description]: description }) } };
  } catch (error) {
    throw error instanceof DbError ? invalidParameter(error.message) : error;
  }
}

interface Draft {
  readonly fields: readonly unknown[];
  readonly properties: Readonly<Record<string, string>>;
}

const DYNAMIC = { name: DYNAMIC_FIELD, type: 'json', nullable: true };

function quick(body: Body): Draft {
  const dim = body.integer('dimension') ?? 0;
  if (dim === 0) throw invalidParameter('dimension is required for quickly create collection(default metric type: COSINE)');
  const params = body.params('params');
  const idType = body.text('idType') ?? 'Int64';
  const isText = idType === 'VarChar' || idType === 'Varchar';
  if (!isText && idType !== 'Int64' && idType !== 'int64') throw invalidParameter(`idType can only be [Int64, VarChar], got ${idType}`);
  const maxLength = isText ? lengthOf(params.get('max_length')) : null;
  const isDynamic = TRUE.includes(params.get('enableDynamicField') ?? 'true');
  const key = { keyType: isText ? 'varchar' : 'int64', autoId: body.flag('autoID') ?? false, maxLength };
  const fields = [
    { name: body.text('primaryFieldName') ?? 'id', type: 'primaryKey', params: key },
    { name: body.text('vectorFieldName') ?? 'vector', type: 'vector', params: { dim, metric: metricOf(body.text('metricType')) } },
    ...(isDynamic ? [DYNAMIC] : []),
  ];
  return { fields, properties: isDynamic ? { [PROPERTY.dynamic]: 'true' } : {} };
}

function metricOf(metric = 'COSINE'): string {
  if (METRICS.includes(metric)) return metric;
  throw invalidParameter(`metric type ${metric} not found or not supported, supported: [${METRICS.join(' ')}]`);
}

/** Bytes that a key may have: ours have less room than Milvus' VarChar. */
const MAX_KEY_LENGTH = 512;
function lengthOf(text: string | undefined): number {
  const length = Number(text);
  if (text === undefined || !Number.isInteger(length) || length < 1)
    throw invalidParameter('type param(max_length) should be specified for the varChar field');
  return Math.min(length, MAX_KEY_LENGTH);
}

function custom(body: Body, schema: Body, fields: readonly unknown[]): Draft {
  const indexes = (body.list('indexParams') ?? []).map((item) => new Body(item));
  const types: Record<string, string> = {};
  const drafts = fields.map((item) => {
    const field = new Body(item);
    const name = field.mustText('fieldName');
    const index = indexes.find((candidate) => candidate.text('fieldName') === name);
    const { note, ...draft } = fieldDraft(field, { name, index, autoId: schema.flag('autoID') ?? false });
    if (note !== undefined) types[name] = note;
    return draft;
  });
  for (const index of indexes) {
    const on = index.mustText('fieldName');
    if (!drafts.some(({ name }) => name === on)) throw missingParameter(`indexParams.fieldName ${on}`);
  }
  const isDynamic = schema.flag('enableDynamicField') ?? false;
  const isIndexed = drafts.every(({ name, type }) => !VECTORS.includes(type) || indexes.some((index) => index.text('fieldName') === name));
  return {
    fields: [...drafts, ...(isDynamic ? [DYNAMIC] : [])],
    properties: {
      ...(isDynamic ? { [PROPERTY.dynamic]: 'true' } : {}),
      ...(Object.keys(types).length === 0 ? {} : { [PROPERTY.types]: JSON.stringify(types) }),
      ...(isIndexed ? {} : { [PROPERTY.load]: RELEASED }),
    },
  };
}

/** A field for a collection that is there, and the properties with a note of its type. */
export function addedField(
  { properties }: CatalogCollectionInfo,
  schema: Body,
): { readonly field: unknown; readonly properties: CatalogCollectionInfo['properties'] } {
  if (schema.flag('isPrimary') === true) throw invalidParameter('not support to add pk field');
  const name = schema.mustText('fieldName');
  const { note, ...field } = fieldDraft(schema, { name, index: undefined, autoId: false });
  if (VECTORS.includes(field.type)) throw invalidParameter(`not support to add vector field, field name = ${name}`);
  const types = { ...(JSON.parse(properties[PROPERTY.types] ?? '{}') as TypeNotes), ...(note === undefined ? {} : { [name]: note }) };
  return { field, properties: { ...properties, [PROPERTY.types]: JSON.stringify(types) } };
}

const VECTORS = ['vector', 'binaryVector', 'sparseVector'];
const SCALARS: Readonly<Record<string, string>> = {
  Bool: 'boolean',
  Int8: 'int64',
  Int16: 'int64',
  Int32: 'int64',
  Int64: 'int64',
  Float: 'number',
  Double: 'number',
  VarChar: 'keyword',
  String: 'keyword',
  JSON: 'json',
};

interface FieldDraft {
  readonly name: string;
  readonly type: string;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly params?: object;
  readonly note?: string;
}

function fieldDraft(
  field: Body,
  { name, index, autoId }: { readonly name: string; readonly index: Body | undefined; readonly autoId: boolean },
): FieldDraft {
  const dataType = field.mustText('dataType');
  const typeParams = field.params('elementTypeParams');
  if (field.flag('isPrimary') === true) {
    if (dataType !== 'Int64' && dataType !== 'VarChar')
      throw invalidParameter(`the data type of primary key should be Int64 or VarChar, got ${dataType}`);
    if (field.get('defaultValue') !== undefined) throw invalidParameter('primary field not support default_value');
    const isText = dataType === 'VarChar';
    const params = {
      keyType: isText ? 'varchar' : 'int64',
      autoId: field.flag('autoID') ?? autoId,
      maxLength: isText ? lengthOf(typeParams.get('max_length')) : null,
    };
    return { name, type: 'primaryKey', params };
  }
  const metric = index?.text('metricType');
  const dim = Number(typeParams.get('dim'));
  switch (dataType) {
    case 'FloatVector':
      return { name, type: 'vector', params: { dim, metric: metricOf(metric) } };
    case 'BinaryVector':
      return { name, type: 'binaryVector', params: { dim, metric: metric ?? 'HAMMING' } };
    case 'SparseFloatVector':
      return { name, type: 'sparseVector', params: { metric: metric ?? 'IP' } };
    case 'Array': {
      const elementType = field.text('elementDataType') ?? '';
      const of = SCALARS[elementType];
      if (of === undefined || of === 'json') throw invalidParameter(`element data type ${elementType} is invalid(case sensitive)`);
      return {
        name,
        type: 'array',
        ...common(field),
        params: { of: { type: of }, maxCapacity: Number(typeParams.get('max_capacity')) },
        note: `Array(${elementType})`,
      };
    }
    default: {
      const type = Object.hasOwn(SCALARS, dataType) ? SCALARS[dataType] : undefined;
      if (type === undefined) throw invalidParameter(`data type ${dataType} is invalid(case sensitive), or not supported here`);
      const length = dataType === 'VarChar' ? `(${lengthOfText(typeParams.get('max_length'))})` : '';
      return { name, type, ...common(field), note: dataType + length };
    }
  }
}

function common(field: Body): { readonly nullable: boolean; readonly default?: unknown } {
  const value = field.get('defaultValue');
  return { nullable: field.flag('nullable') ?? false, ...(value === undefined ? {} : { default: value }) };
}

const MAX_TEXT_LENGTH = 65_535;
function lengthOfText(text: string | undefined): number {
  const length = Number(text);
  if (Number.isInteger(length) && length >= 1 && length <= MAX_TEXT_LENGTH) return length;
  throw invalidParameter(`the maximum length specified for a VarChar should be in (0, ${MAX_TEXT_LENGTH}]`);
}

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
    case 'vector':
      return { type: 'FloatVector' };
    case 'binaryVector':
      return { type: 'BinaryVector' };
    case 'sparseVector':
      return { type: 'SparseFloatVector' };
    default:
      return { type: 'VarChar' };
  }
}

function typeNotesOf({ properties }: CatalogCollectionInfo): TypeNotes {
  return JSON.parse(properties[PROPERTY.types] ?? '{}') as TypeNotes;
}

export const isDynamic = ({ properties }: CatalogCollectionInfo): boolean => properties[PROPERTY.dynamic] === 'true';
export const isLoaded = ({ properties }: CatalogCollectionInfo): boolean => properties[PROPERTY.load] !== RELEASED;
/** Those that Milvus shows. */
export const shownFields = ({ definition }: CatalogCollectionInfo): readonly FieldDefinition[] =>
  definition.fields.filter(({ name }) => name !== DYNAMIC_FIELD);

export function firstVectorField({ definition }: CatalogCollectionInfo): FieldDefinition | undefined {
  return definition.fields.find(({ type }) => isVectorKind(type));
}

/** User fields start at 100. */
const FIRST_FIELD_ID = 100;

/** `data` of collections/describe. */
export function describeCollection(info: CatalogCollectionInfo): Readonly<Record<string, unknown>> {
  const key = keyFieldOf(info.definition);
  const vector = firstVectorField(info);
  const shards = Math.max(...[...info.partitions.values()].map((channels) => channels.length), 1);
  const fields = [key, ...shownFields(info).filter((field) => field !== key)];
  return {
    aliases: info.aliases,
    autoId: key.params.autoId,
    collectionID: collectionNumber(info.collectionId),
    collectionName: info.name,
    consistencyLevel: 'Bounded',
    description: info.properties[PROPERTY.description] ?? '',
    enableDynamicField: isDynamic(info),
    fields: fields.map((field, index) => describeField(info, field, FIRST_FIELD_ID + index)),
    functions: [],
    indexes: vector === undefined ? [] : [{ fieldName: vector.name, indexName: vector.name, metricType: metricOfField(vector) }],
    load: isLoaded(info) ? 'LoadStateLoaded' : 'LoadStateNotLoad',
    partitionsNum: info.partitions.size,
    properties: Object.entries(info.properties)
      .filter(([name]) => !Object.values<string>(PROPERTY).includes(name))
      .map(([name, value]) => ({ key: name, value })),
    shardsNum: shards,
  };
}

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
    partitionKey: false,
    primaryKey: field.type === 'primaryKey',
    type,
    ...(field.type === 'array' && param !== undefined ? { elementType: param } : {}),
    ...(params.length === 0 ? {} : { params }),
  };
}

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
