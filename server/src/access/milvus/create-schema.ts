import { type CollectionDefinition, checkCollection, DbError, type FieldDefinition, isVectorKind, MAX_KEY_BYTES } from '@terndb/core';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import { analyzerFrom } from './analyzer.ts';
import { Body } from './body.ts';
import { DYNAMIC_FIELD } from './dynamic.ts';
import { invalidParameter, missingParameter, unsupported } from './errors.ts';
import { wantedFunctions } from './functions.ts';
import { checkIndexType, denseIndex, scalarIndex, type WantedIndex, wantedIndex } from './index-types.ts';
import { checkedLevel } from './levels.ts';
import { ELEMENTS, MAX_TEXT_LENGTH, orderOf, PROPERTY, RELEASED, typeNotesOf } from './schema.ts';
import { TTL_PROPERTY, wantedTtl, withTtl } from './ttl.ts';

/** What a create asks for, in our words. */
export interface WantedCollection {
  readonly definition: CollectionDefinition;
  readonly properties: Readonly<Record<string, string>>;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
const METRICS = ['COSINE', 'IP', 'L2'];
const TRUE = ['true', '1', 't', 'T', 'TRUE', 'True'];

export function wantedCollection(body: Body): WantedCollection {
  const name = body.mustText('collectionName');
  if (!NAME.test(name)) throw invalidParameter(`Invalid collection name: ${name}. the first character must be an underscore or letter`);
  const ttl = wantedTtl(new Map([...body.params('properties'), ...body.params('params')]), ['ttlSeconds', TTL_PROPERTY]);
  const schema = body.object('schema');
  const fields = schema?.list('fields');
  const wanted = schema === undefined || fields === undefined || fields.length === 0 ? quick(body) : custom(body, schema, fields);
  const description = body.text('description') ?? '';
  const level = checkedLevel(body.params('params').get('consistencyLevel') ?? body.text('consistencyLevel'));
  return {
    definition: withTtl(checked(name, wanted), ttl ?? 0),
    properties: {
      ...givenProperties(body),
      ...wanted.properties,
      ...(level === undefined ? {} : { [PROPERTY.consistency]: level }),
      ...(ttl === undefined ? {} : { [TTL_PROPERTY]: String(ttl) }),
      ...(description === '' ? {} : { [PROPERTY.description]: description }),
    },
  };
}

/** What tunes a collection, kept and told again; `collection.ttl.seconds` is told by the definition. */
function givenProperties(body: Body): Readonly<Record<string, string>> {
  const given = body.params('properties');
  const own = [...given.keys()].find((name) => Object.values<string>(PROPERTY).includes(name));
  if (own !== undefined) throw invalidParameter(`property ${own} cannot be given`);
  const tuned = [...body.params('params')].filter(([name]) => TUNING.test(name));
  const isolation = body.params('params').get('partitionKeyIsolation');
  return { ...Object.fromEntries([...given, ...tuned]), ...(isolation === undefined ? {} : { 'partitionkey.isolation': isolation }) };
}
const TUNING = /^(mmap\.enabled|warmup\.\w+)$/;

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
  const vector = body.text('vectorFieldName') ?? 'vector';
  const index: WantedIndex = { name: vector, type: 'AUTOINDEX', params: {} };
  return {
    fields,
    properties: { [PROPERTY.indexes]: JSON.stringify({ [vector]: index }), ...(isDynamic ? { [PROPERTY.dynamic]: 'true' } : {}) },
  };
}

function metricOf(metric = 'COSINE'): string {
  if (METRICS.includes(metric)) return metric;
  throw invalidParameter(`metric type ${metric} not found or not supported, supported: [${METRICS.join(' ')}]`);
}

/** Keys have less room here than Milvus' VarChar: 512 bytes. */
function lengthOf(text: string | undefined): number {
  const length = Number(text);
  if (text === undefined || !Number.isInteger(length) || length < 1)
    throw invalidParameter('type param(max_length) should be specified for the varChar field');
  return Math.min(length, MAX_KEY_BYTES);
}

function custom(body: Body, schema: Body, fields: readonly unknown[]): Draft {
  const indexes = (body.list('indexParams') ?? []).map((item) => new Body(item));
  const bodies = fields.map((item) => new Body(item));
  const functions = wantedFunctions(schema, (name) => bodies.some((field) => field.text('fieldName') === name && isAnalyzed(field)));
  const outputs = new Set(functions.map(({ output }) => output));
  const types: Record<string, string> = {};
  const wanted: Record<string, WantedIndex> = {};
  const partitionKey = partitionKeyOf(bodies);
  const drafts = bodies.flatMap((field) => {
    const name = field.mustText('fieldName');
    const index = indexes.find((candidate) => candidate.text('fieldName') === name);
    const isOutput = outputs.has(name);
    const draft = isOutput ? undefined : fieldDraft(field, { name, index, autoId: schema.flag('autoID') ?? false });
    if (index !== undefined) {
      wanted[name] = wantedIndex(index);
      checkIndexType(isOutput ? 'function' : (draft!.type as FieldDefinition['type']), wanted[name]);
    }
    if (draft === undefined) return [];
    const { note, ...rest } = draft;
    if (note !== undefined) types[name] = note;
    return [rest];
  });
  const names = bodies.map((field) => field.text('fieldName'));
  const unknown = indexes.map((index) => index.mustText('fieldName')).find((name) => !names.includes(name));
  if (unknown !== undefined) throw missingParameter(`indexParams.fieldName ${unknown}`);
  const lost = [...outputs].find((name) => !names.includes(name));
  if (lost !== undefined) throw invalidParameter(`function output field not found: ${lost}`);
  const isDynamic = schema.flag('enableDynamicField') ?? false;
  const isIndexed = drafts.every(({ name, type }) => !VECTORS.includes(type) || wanted[name] !== undefined);
  return {
    fields: [...drafts, ...(isDynamic ? [DYNAMIC] : [])],
    properties: {
      ...(isDynamic ? { [PROPERTY.dynamic]: 'true' } : {}),
      ...noted(PROPERTY.types, types),
      [PROPERTY.indexes]: JSON.stringify(wanted),
      [PROPERTY.order]: names.join(','),
      ...(partitionKey === undefined ? {} : { [PROPERTY.partitionKey]: partitionKey }),
      ...(functions.length === 0 ? {} : { [PROPERTY.functions]: JSON.stringify(functions) }),
      ...(isIndexed ? {} : { [PROPERTY.load]: RELEASED }),
    },
  };
}

/** Devices choose partitions by name, so rows are not spread by a hash: the key is a field like others, and all rows are in the default partition. */
function partitionKeyOf(fields: readonly Body[]): string | undefined {
  const [field, ...others] = fields.filter((candidate) => candidate.flag('isPartitionKey') === true);
  if (field === undefined) return undefined;
  const name = field.mustText('fieldName');
  if (others.length > 0) throw invalidParameter('there are more than one partition key');
  if (field.flag('isPrimary') === true) throw invalidParameter('the partition key field must not be primary field');
  if (field.flag('nullable') === true) throw invalidParameter(`partition key field not support nullable: ${name}`);
  const type = field.text('dataType');
  if (type !== 'Int64' && type !== 'VarChar')
    throw invalidParameter(`the data type of partition key should be Int64 or VarChar, got ${type}`);
  return name;
}

const noted = (property: string, notes: object): Readonly<Record<string, string>> =>
  Object.keys(notes).length === 0 ? {} : { [property]: JSON.stringify(notes) };

/** The definition with other indexes of its scalar fields, by field; undefined: dropped. */
export function withScalarIndexes(
  { name, definition }: CatalogCollectionInfo,
  changed: Readonly<Record<string, WantedIndex | undefined>>,
): CollectionDefinition {
  const fields = definition.fields.map((field) => {
    if (!Object.hasOwn(changed, field.name) || scalarIndex(field.type, 'AUTOINDEX') === undefined) return field;
    const wanted = changed[field.name];
    return { ...field, params: { ...field.params, index: wanted === undefined ? 'none' : scalarIndex(field.type, wanted.type) } };
  });
  return checked(name, { ...definition, fields });
}

/** The definition with other indexes and metrics of its vector fields. Code 1100. */
export function withIndexes(
  { name, definition }: CatalogCollectionInfo,
  changed: Readonly<Record<string, { readonly index: WantedIndex; readonly metric: string }>>,
): CollectionDefinition {
  const fields = definition.fields.map((field) => {
    const change = changed[field.name];
    if (change === undefined || !isVectorKind(field.type)) return field;
    const metric = change.metric === '' ? {} : { metric: change.metric };
    const index = field.type === 'vector' ? denseIndex(change.index) : undefined;
    return { ...field, params: { ...field.params, ...metric, ...(index === undefined ? {} : { index }) } };
  });
  return checked(name, { ...definition, fields });
}

function checked(
  name: string,
  { fields, ttlSeconds }: { readonly fields: readonly unknown[]; readonly ttlSeconds?: number },
): CollectionDefinition {
  try {
    return checkCollection(name, { fields, ttlSeconds });
  } catch (error) {
    throw error instanceof DbError ? invalidParameter(error.message) : error;
  }
}

const isAnalyzed = (field: Body): boolean => TRUE.includes(field.params('elementTypeParams').get('enable_analyzer') ?? '');

/** The collection with one field more, and the properties with a note of its type. */
export function addedField(info: CatalogCollectionInfo, schema: Body): WantedCollection {
  if (schema.flag('isPrimary') === true) throw invalidParameter('not support to add pk field');
  const name = schema.mustText('fieldName');
  const { note, ...field } = fieldDraft(schema, { name, index: undefined, autoId: false });
  if (VECTORS.includes(field.type)) throw invalidParameter(`not support to add vector field, field name = ${name}`);
  const types = { ...typeNotesOf(info), ...(note === undefined ? {} : { [name]: note }) };
  const definition = checked(info.name, { ...info.definition, fields: [...info.definition.fields, field] });
  return {
    definition,
    properties: { ...info.properties, [PROPERTY.types]: JSON.stringify(types), [PROPERTY.order]: [...orderOf(info), name].join(',') },
  };
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
  Timestamptz: 'date',
};
/** Milvus has them; instead of them. */
const TYPES_NOT_HERE: Readonly<Record<string, string>> = {
  Geometry: 'keep longitude and latitude in two Double fields and filter by their ranges',
  Text: 'use VarChar, which holds 65535 bytes and is searched with enable_analyzer',
  ArrayOfVector: 'use several vector fields, or a row for each vector and groupingField',
  ArrayOfStruct: 'use JSON, or a row for each of them',
  Struct: 'use JSON',
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
    case 'Float16Vector':
    case 'BFloat16Vector':
    case 'Int8Vector': {
      const option = index === undefined ? undefined : denseIndex(wantedIndex(index));
      const elements = ELEMENTS[dataType];
      return {
        name,
        type: 'vector',
        params: { dim, metric: metricOf(metric), elements, ...(option === undefined ? {} : { index: option }) },
      };
    }
    case 'BinaryVector':
      return { name, type: 'binaryVector', params: { dim, metric: metric ?? 'HAMMING' } };
    case 'SparseFloatVector':
      return { name, type: 'sparseVector', params: { metric: metric ?? 'IP' } };
    case 'Array': {
      const elementType = field.text('elementDataType') ?? '';
      const of = Object.hasOwn(SCALARS, elementType) ? SCALARS[elementType] : undefined;
      if (of === undefined || of === 'json') throw invalidParameter(`element data type ${elementType} is invalid(case sensitive)`);
      return {
        name,
        type: 'array',
        ...common(field),
        params: { of: { type: of }, maxCapacity: Number(typeParams.get('max_capacity')), ...chosenIndex('array', index) },
        note: `Array(${elementType})`,
      };
    }
    default: {
      const type = Object.hasOwn(SCALARS, dataType) ? SCALARS[dataType] : undefined;
      if (Object.hasOwn(TYPES_NOT_HERE, dataType))
        throw unsupported(`field ${name}: data type ${dataType} is not supported here, ${TYPES_NOT_HERE[dataType]}`);
      if (type === undefined) throw invalidParameter(`data type ${dataType} is invalid(case sensitive)`);
      const length = dataType === 'VarChar' ? `(${lengthOfText(typeParams.get('max_length'))})` : '';
      if (dataType === 'VarChar' && isAnalyzed(field)) {
        const params = { search: true, analyzer: analyzerFrom(typeParams.get('analyzer_params')) };
        return { name, type: 'text', ...common(field), params, note: dataType + length };
      }
      return { name, type, ...common(field), params: chosenIndex(type as FieldDefinition['type'], index), note: dataType + length };
    }
  }
}

function chosenIndex(type: FieldDefinition['type'], index: Body | undefined): { readonly index?: string } {
  const chosen = index === undefined ? undefined : scalarIndex(type, wantedIndex(index).type);
  return chosen === undefined ? {} : { index: chosen };
}

function common(field: Body): { readonly nullable: boolean; readonly default?: unknown } {
  const value = field.get('defaultValue');
  return { nullable: field.flag('nullable') ?? false, ...(value === undefined ? {} : { default: value }) };
}

function lengthOfText(text: string | undefined): number {
  const length = Number(text);
  if (Number.isInteger(length) && length >= 1 && length <= MAX_TEXT_LENGTH) return length;
  throw invalidParameter(`the maximum length specified for a VarChar should be in (0, ${MAX_TEXT_LENGTH}]`);
}
