import type { FieldDefinition, ScalarIndexType, VectorIndexOptions } from '@terndb/core';
import type { Body } from './body.ts';
import { invalidParameter } from './errors.ts';

/**
 * Milvus' index types and what serves them. Real ones say so by an option; the others are taken, so that a script runs, and served by what Tern has:
 * `indexes/describe` tells under `served_by`.
 */
const DENSE: Readonly<Record<string, VectorIndexOptions | undefined>> = {
  AUTOINDEX: undefined,
  FLAT: { type: 'FLAT' },
  HNSW: { type: 'HNSW', quantization: 'none' },
  HNSW_SQ: { type: 'HNSW', quantization: 'sq8' },
  IVF_FLAT: { type: 'IVF', quantization: 'none' },
  IVF_SQ8: { type: 'IVF', quantization: 'sq8' },
  IVF_RABITQ: { type: 'IVF', quantization: 'binary' },
  HNSW_PQ: undefined,
  HNSW_PRQ: undefined,
  IVF_PQ: undefined,
  SCANN: undefined,
  DISKANN: undefined,
  AISAQ: undefined,
  GPU_BRUTE_FORCE: { type: 'FLAT' },
  GPU_CAGRA: undefined,
  GPU_IVF_FLAT: { type: 'IVF', quantization: 'none' },
  GPU_IVF_PQ: undefined,
};
const BINARY = ['AUTOINDEX', 'BIN_FLAT', 'BIN_IVF_FLAT'];
const SPARSE = ['AUTOINDEX', 'SPARSE_INVERTED_INDEX', 'SPARSE_WAND'];
/** Prefixes are found in an order. */
const SCALAR: Readonly<Record<string, ScalarIndexType>> = {
  AUTOINDEX: 'auto',
  INVERTED: 'inverted',
  BITMAP: 'bitmap',
  STL_SORT: 'sorted',
  Trie: 'sorted',
  NGRAM: 'auto',
};
/** Lists have no order, as in Milvus. */
const ARRAY = Object.keys(SCALAR).filter((type) => SCALAR[type] !== 'sorted');
const PARAMS: readonly (readonly [string, 'm' | 'efConstruction' | 'nlist'])[] = [
  ['M', 'm'],
  ['efConstruction', 'efConstruction'],
  ['nlist', 'nlist'],
];

/** One index of `indexParams`: what was asked for, kept with the collection and told again. */
export interface WantedIndex {
  readonly name: string;
  readonly type: string;
  readonly params: Readonly<Record<string, string>>;
}

export function wantedIndex(index: Body): WantedIndex {
  const params = Object.fromEntries(index.params('params'));
  const { index_type, ...rest } = params;
  const type = index.text('indexType') || index_type || 'AUTOINDEX';
  return { name: index.text('indexName') || index.mustText('fieldName'), type, params: rest };
}

/** The index option of a dense field. Code 1100 for a type that is none, or is for other fields. */
export function denseIndex({ name, type, params }: WantedIndex): VectorIndexOptions | undefined {
  if (!Object.hasOwn(DENSE, type)) throw notOf(name, type, Object.keys(DENSE));
  const option = DENSE[type];
  if (option?.type !== 'HNSW' && option?.type !== 'IVF') return option;
  const given = PARAMS.flatMap(([theirs, ours]) =>
    params[theirs] === undefined ? [] : [[ours, integerOf(theirs, params[theirs]!)] as const],
  );
  const fits = given.filter(([ours]) => (ours === 'nlist') === (option.type === 'IVF'));
  return { ...option, ...Object.fromEntries(fits) };
}

/** The index option of a scalar field; undefined: it has none, as JSON and keys, or its index finds words. */
export function scalarIndex(kind: FieldDefinition['type'], type: string): ScalarIndexType | undefined {
  switch (kind) {
    case 'keyword':
    case 'int64':
    case 'number':
    case 'boolean':
    case 'date':
    case 'array':
      return SCALAR[type];
    default:
      return undefined;
  }
}

/** Code 1100 for an index that a field of this kind cannot have. */
export function checkIndexType(kind: FieldDefinition['type'] | 'function', { name, type }: WantedIndex): void {
  const known = typesOf(kind);
  if (!known.includes(type)) throw notOf(name, type, known);
}

function typesOf(kind: FieldDefinition['type'] | 'function'): readonly string[] {
  switch (kind) {
    case 'vector':
      return Object.keys(DENSE);
    case 'binaryVector':
      return BINARY;
    case 'sparseVector':
    case 'function':
      return SPARSE;
    case 'array':
      return ARRAY;
    default:
      return Object.keys(SCALAR);
  }
}

/** What really answers searches of the field, and conditions on it. */
export function servedBy(field: FieldDefinition): string {
  switch (field.type) {
    case 'vector': {
      const { type, quantization } = field.params.index;
      if (type === 'FLAT') return 'exact scan';
      // Left to the engine, a graph is of codes.
      const codes = type === 'AUTOINDEX' && quantization === 'none' ? 'sq8' : quantization;
      const kept = { none: 'whole rows', sq8: 'int8 codes', binary: 'one-bit codes' }[codes];
      return `${type === 'IVF' ? 'lists' : 'graph'} of ${kept}, scored again from the rows`;
    }
    case 'binaryVector':
      return 'exact scan';
    case 'sparseVector':
      return 'inverted index';
    case 'primaryKey':
      return 'order of the rows';
    case 'json':
    case 'collab':
      return 'column scan';
    case 'collabText':
      return field.params.search ? 'inverted index' : 'column scan';
    case 'text':
      return field.params.search ? 'inverted index' : servedByScalars(field.params.index, ' whose texts are short');
    default:
      return servedByScalars(field.params.index);
  }
}

function servedByScalars(index: ScalarIndexType = 'auto', where = ''): string {
  if (index === 'none') return 'column scan with statistics';
  const built =
    index === 'auto'
      ? `sorted, inverted or bitmap index in segments from 32,768 rows${where}`
      : `${index} index in segments from 4,096 rows`;
  const few = index === 'bitmap' ? ' and up to 1,024 values, else the one that its values make best' : '';
  return `${built}${few}, column scan with statistics elsewhere`;
}

function integerOf(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw invalidParameter(`param ${name}: a positive integer expected, got ${text}`);
}

function notOf(name: string, type: string, known: readonly string[]): Error {
  return invalidParameter(`index ${name}: invalid index type: ${type}, supported for its field: [${known.join(' ')}]`);
}
