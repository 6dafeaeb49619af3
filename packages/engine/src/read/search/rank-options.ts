import {
  type CollectionDefinition,
  type FieldDefinition,
  isVectorField,
  type Kind,
  MAX_EF,
  MAX_NPROBE,
  MAX_RERANKERS,
  MAX_RRF_K,
  MAX_SEARCH_VECTORS,
} from '@terndb/core';
import type { SearchRequest } from '../../database/types.ts';
import { compileFilter } from '../compile-filter.ts';
import { invalidOption, isRecord, mustGetField } from '../request.ts';
import { type Fusion, RRF_K } from './fuse.ts';
import { readQueryVector, type VectorQuery } from './query-vector.ts';
import type { Reranker } from './rerank.ts';

/** How lists are fused, and what each is worth. */
export interface FusionPlan {
  readonly fusion: Fusion;
  /** By list: `keyword`, or a vector field. Left out: 1. */
  readonly weights: Readonly<Record<string, number>>;
}

/** `{ type: 'rrf', k?, weights?, byCoverage? }` or `{ type: 'weighted', weights? }`. QUERY_INVALID. */
export function readFusion(collection: string, value: unknown, lists: readonly string[]): FusionPlan {
  if (value === undefined || value === null) return { fusion: { type: 'rrf', k: RRF_K, byCoverage: true }, weights: {} };
  if (lists.length < 2) throw invalidOption(collection, 'fusion', 'a search with several lists beside it', value);
  if (!isRecord(value)) throw invalidOption(collection, 'fusion', `{ type: 'rrf' | 'weighted' }`, value);
  const { type, k = RRF_K, weights = {} } = value;
  if (type !== 'rrf' && type !== 'weighted') throw invalidOption(collection, 'fusion.type', `'rrf' or 'weighted'`, type);
  if (type === 'weighted' && value['k'] !== undefined) throw invalidOption(collection, 'fusion.k', 'none with weighted', value['k']);
  if (type === 'weighted' && value['byCoverage'] !== undefined)
    throw invalidOption(collection, 'fusion.byCoverage', 'none with weighted', value['byCoverage']);
  const byCoverage = readSwitch(collection, 'fusion.byCoverage', value['byCoverage'], true);
  if (!isNumber(k) || k <= 0 || k > MAX_RRF_K) throw invalidOption(collection, 'fusion.k', `a number above 0, at most ${MAX_RRF_K}`, k);
  if (!isRecord(weights)) throw invalidOption(collection, 'fusion.weights', 'numbers by list', weights);
  for (const [list, weight] of Object.entries(weights)) {
    if (!lists.includes(list)) throw invalidOption(collection, 'fusion.weights', `lists ${lists.join(', ')}`, list);
    if (!isNumber(weight) || weight < 0) throw invalidOption(collection, `fusion.weights.${list}`, 'a number from 0', weight);
  }
  return { fusion: type === 'rrf' ? { type, k, byCoverage } : { type }, weights: weights as Record<string, number> };
}

/** `vectors: [{ field, vector }, …]`: several vector fields in one search. */
export function readVectors(definition: CollectionDefinition, collection: string, value: unknown): VectorQuery[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_SEARCH_VECTORS)
    throw invalidOption(collection, 'vectors', `1 to ${MAX_SEARCH_VECTORS} of { field, vector }`, value);
  const names = new Set<string>();
  return value.map((item: unknown, i) => {
    const where = `vectors[${i}]`;
    if (!isRecord(item) || typeof item['field'] !== 'string') throw invalidOption(collection, where, '{ field, vector }', item);
    const field = mustGetField(definition, collection, item['field'], `${where}.field`);
    if (!isVectorField(field)) throw invalidOption(collection, `${where}.field ${field.name}`, 'a vector field', field.type);
    if (names.has(field.name)) throw invalidOption(collection, `${where}.field`, 'each field once', field.name);
    names.add(field.name);
    return readQueryVector(collection, field, item['vector']);
  });
}

const NUMERIC: ReadonlySet<Kind> = new Set<Kind>(['number', 'int64', 'date']);
const CURVES: readonly unknown[] = ['gauss', 'exp', 'linear'];

/**
 * `{ type: 'decay', field, origin, scale, offset?, decay?, curve? }` (a date field's in milliseconds, its origin also as a Date) and
 * `{ type: 'boost', where?, filter?, filterParams?, weight }`, applied in their order. QUERY_INVALID, FILTER_INVALID, FIELD_UNKNOWN.
 */
export function readRerank(definition: CollectionDefinition, { collection, rerank }: SearchRequest): Reranker[] {
  if (rerank === undefined || rerank === null) return [];
  const list: unknown[] = Array.isArray(rerank) ? rerank : [rerank];
  if (list.length > MAX_RERANKERS) throw invalidOption(collection, 'rerank', `at most ${MAX_RERANKERS} rerankers`, list.length);
  return list.map((value, i) => {
    const where = `rerank[${i}]`;
    if (!isRecord(value)) throw invalidOption(collection, where, `{ type: 'decay' | 'boost' }`, value);
    if (value['type'] === 'decay') return readDecay(definition, collection, value, where);
    if (value['type'] !== 'boost') throw invalidOption(collection, `${where}.type`, `'decay' or 'boost'`, value['type']);
    const { weight, filter } = value;
    if (!isNumber(weight) || weight <= 0) throw invalidOption(collection, `${where}.weight`, 'a number above 0', weight);
    if (filter !== undefined && typeof filter !== 'string') throw invalidOption(collection, `${where}.filter`, 'a string', filter);
    const node = compileFilter(definition, collection, { where: value['where'], filter, filterParams: value['filterParams'] });
    return { type: 'boost', node, weight };
  });
}

function readDecay(
  definition: CollectionDefinition,
  collection: string,
  value: Readonly<Record<string, unknown>>,
  where: string,
): Reranker {
  if (typeof value['field'] !== 'string') throw invalidOption(collection, `${where}.field`, 'a field name', value['field']);
  const field: FieldDefinition = mustGetField(definition, collection, value['field'], `${where}.field`);
  if (!NUMERIC.has(field.type))
    throw invalidOption(collection, `${where}.field ${field.name}`, `a field of kind ${[...NUMERIC].join(', ')}`, field.type);
  const { curve = 'gauss', scale, offset = 0, decay = 0.5 } = value;
  const origin = value['origin'] instanceof Date ? value['origin'].getTime() : value['origin'];
  if (!CURVES.includes(curve)) throw invalidOption(collection, `${where}.curve`, `'gauss', 'exp' or 'linear'`, curve);
  if (!isNumber(origin)) throw invalidOption(collection, `${where}.origin`, 'a finite number', origin);
  if (!isNumber(scale) || scale <= 0) throw invalidOption(collection, `${where}.scale`, 'a number above 0', scale);
  if (!isNumber(offset) || offset < 0) throw invalidOption(collection, `${where}.offset`, 'a number from 0', offset);
  if (!isNumber(decay) || decay <= 0 || decay >= 1) throw invalidOption(collection, `${where}.decay`, 'a number between 0 and 1', decay);
  return { type: 'decay', field: field.name, curve: curve as 'gauss' | 'exp' | 'linear', origin, scale, offset, decay };
}

/** How far an approximate search goes; undefined: chosen by the hits wanted, and by the lists there are. */
export interface Effort {
  /** Candidates that a walk of a graph keeps. */
  readonly ef: number | undefined;
  /** Lists of an IVF index that are searched. */
  readonly nprobe: number | undefined;
}

/** Nothing to walk (keywords only, no index, `exact`): no effect. QUERY_INVALID. */
export function readEffort({ collection, ef, nprobe }: Record<'ef' | 'nprobe', unknown> & { readonly collection: string }): Effort {
  return { ef: readEffortOption(collection, 'ef', ef, MAX_EF), nprobe: readEffortOption(collection, 'nprobe', nprobe, MAX_NPROBE) };
}

function readEffortOption(collection: string, option: string, value: unknown, most: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw invalidOption(collection, option, `an integer from 1 to ${most}`, value);
}

/** A switch that is on by default, or off. */
export function readSwitch(collection: string, option: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== 'boolean') throw invalidOption(collection, option, 'true or false', value);
  return value;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
