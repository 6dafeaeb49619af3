import {
  type AnyVectorField,
  type CollectionDefinition,
  DbError,
  DEFAULT_SEARCH_LIMIT,
  type FilterNode,
  isVectorField,
  type Kind,
  MAX_GROUP_SIZE,
  MAX_SEARCH_TEXT_BYTES,
  normalizeKey,
  type PrimaryKey,
  searchableTextFieldsOf,
  utf8Encode,
  vectorFieldsOf,
} from '@terndb/core';
import type { ReadInfo, SearchRequest } from '../../database/types.ts';
import { readEmbeddings } from '../../embedding/read-embeddings.ts';
import { mustGetEmbeddedField } from '../../embedding/resolve-vectors.ts';
import { type KeywordQuery, keywordQuery } from '../../text/keyword-query.ts';
import { compileFilter } from '../compile-filter.ts';
import { checkScope, invalidOption, isRecord, mustGetField, type Page, readPage, readSelect, type Selection } from '../request.ts';
import type { DenseQuery } from './dense.ts';
import type { Grouping } from './group.ts';
import { readQueryVector, type VectorQuery } from './query-vector.ts';
import { type Effort, type FusionPlan, readEffort, readFusion, readRerank, readSwitch, readVectors } from './rank-options.ts';
import { NO_BOUNDS, type ScoreBounds } from './ranking.ts';
import type { Reranker } from './rerank.ts';

export type SearchSource =
  | { readonly type: 'vector'; readonly query: VectorQuery }
  | { readonly type: 'like'; readonly field: AnyVectorField; readonly key: PrimaryKey }
  | { readonly type: 'keyword'; readonly query: KeywordQuery }
  /** Several lists, fused; no text: several vector fields. */
  | { readonly type: 'hybrid'; readonly queries: readonly VectorQuery[]; readonly text: KeywordQuery | undefined };

/** A checked search. It depends on the schema only: one plan serves every view. */
export interface SearchPlan {
  readonly source: SearchSource;
  readonly node: FilterNode;
  readonly page: Page;
  readonly select: Selection;
  /** Of the final score. */
  readonly minScore: number;
  /** Of the vector's score. */
  readonly range: ScoreBounds;
  readonly grouping: Grouping | undefined;
  readonly fusion: FusionPlan;
  readonly rerank: readonly Reranker[];
  /** What to mark in hits. */
  readonly highlight: KeywordQuery | undefined;
  readonly degraded: ReadInfo['degraded'];
  /** No approximate index may be used. */
  readonly exact: boolean;
  readonly effort: Effort;
}

const GROUPABLE: ReadonlySet<Kind> = new Set<Kind>(['keyword', 'int64', 'boolean']);
/** The name of the list of keyword hits among those that are fused. */
export const KEYWORD_LIST = 'keyword';
const MODES: readonly unknown[] = ['hybrid', 'keyword', 'semantic'];

/** QUERY_INVALID, FILTER_INVALID, FIELD_UNKNOWN, DIMENSION_MISMATCH, KEY_INVALID, EMBEDDER_UNAVAILABLE, NOT_CONNECTED. */
export function planSearch(definition: CollectionDefinition, request: SearchRequest): SearchPlan {
  const { collection } = request;
  checkScope(request);
  const { source, degraded } = planSource(definition, request);
  return {
    source,
    degraded,
    node: compileFilter(definition, collection, request),
    page: readPage(collection, request, DEFAULT_SEARCH_LIMIT),
    select: readSelect(definition, collection, request.select),
    minScore: readMinScore(collection, request.minScore),
    range: readRange(definition, collection, source, request.range),
    grouping: readGrouping(definition, request),
    fusion: readFusion(collection, request.fusion, degraded === 'embedder-loading' ? listsMeant(definition) : listsOf(source)),
    rerank: readRerank(definition, request),
    highlight: readHighlight(collection, request.highlight, source),
    exact: readSwitch(collection, 'exact', request.exact, false),
    effort: readEffort({ collection, ef: request.ef, nprobe: request.nprobe }),
  };
}

interface PlannedSource {
  readonly source: SearchSource;
  readonly degraded: ReadInfo['degraded'];
}

function planSource(definition: CollectionDefinition, request: SearchRequest): PlannedSource {
  const { collection } = request;
  const hasText = request.text !== undefined && request.text !== null;
  const hasVector = request.vector !== undefined && request.vector !== null;
  const hasLike = request.like !== undefined && request.like !== null;
  if (hasText && typeof request.text !== 'string') throw invalidOption(collection, 'text', 'a string', request.text);
  if (hasText) checkTextLength(collection, request.text as string);
  if (request.vectors !== undefined && request.vectors !== null) return planVectors(definition, request, hasText);
  if (hasLike && (hasVector || hasText)) throw invalidOption(collection, 'like', `no 'vector' or 'text' beside it`, request.like);
  if (request.mode !== undefined && request.mode !== null) {
    if (!MODES.includes(request.mode)) throw invalidOption(collection, 'mode', `'hybrid', 'keyword' or 'semantic'`, request.mode);
    if (!hasText) throw invalidOption(collection, 'mode', `a 'text' beside it`, request.mode);
    if (hasVector && request.mode !== 'hybrid')
      throw invalidOption(collection, 'mode', `'hybrid' with both a text and a vector`, request.mode);
  }
  if (hasLike)
    return whole({ type: 'like', field: vectorField(definition, request), key: normalizeKey(definition, collection, request.like) });
  if (hasVector) {
    const query = readQueryVector(collection, vectorField(definition, request), request.vector);
    if (!hasText) return whole({ type: 'vector', query });
    return whole({ type: 'hybrid', queries: [query], text: mustReadKeywords(definition, request) });
  }
  if (hasText) return planText(definition, request, request.text as string);
  throw invalidOption(collection, 'search', `one of 'text', 'vector' and 'like'`, undefined);
}

/** Several vector fields, each a list of its own, and the keywords one more. */
function planVectors(definition: CollectionDefinition, request: SearchRequest, hasText: boolean): PlannedSource {
  const { collection } = request;
  for (const option of ['vector', 'like', 'field', 'mode'] as const)
    if (request[option] !== undefined && request[option] !== null)
      throw invalidOption(collection, option, `none with 'vectors'`, request[option]);
  const queries = readVectors(definition, collection, request.vectors);
  return whole({ type: 'hybrid', queries, text: hasText ? mustReadKeywords(definition, request) : undefined });
}

function mustReadKeywords(definition: CollectionDefinition, request: SearchRequest): KeywordQuery {
  const { collection } = request;
  const prefix = readSwitch(collection, 'prefix', request.prefix, true);
  return keywordQuery(definition, mustSearchText(definition, collection), request.text as string, prefix);
}

function listsOf(source: SearchSource): string[] {
  if (source.type !== 'hybrid') return [];
  return [...source.queries.map(({ field }) => field), ...(source.text === undefined ? [] : [KEYWORD_LIST])];
}

/** Those that the search will have once its text has vectors: until then it is no mistake to say how they are fused. */
function listsMeant(definition: CollectionDefinition): string[] {
  return [...vectorFieldsOf(definition).map(({ name }) => name), KEYWORD_LIST];
}

function readHighlight(collection: string, value: unknown, source: SearchSource): KeywordQuery | undefined {
  if (!readSwitch(collection, 'highlight', value, false)) return undefined;
  return source.type === 'keyword' ? source.query : source.type === 'hybrid' ? source.text : undefined;
}

function checkTextLength(collection: string, text: string): void {
  // No text is shorter in UTF-8 than in code units.
  const bytes = text.length > MAX_SEARCH_TEXT_BYTES ? text.length : utf8Encode(text).length;
  if (bytes > MAX_SEARCH_TEXT_BYTES) throw invalidOption(collection, 'text', `at most ${MAX_SEARCH_TEXT_BYTES} bytes`, bytes);
}

function whole(source: SearchSource): PlannedSource {
  return { source, degraded: null };
}

/** Without vectors of the text, what would be hybrid is answered by keywords and says so, what is semantic only is refused. */
function planText(definition: CollectionDefinition, request: SearchRequest, text: string): PlannedSource {
  const { collection } = request;
  const embedded = definition.fields.filter((field) => field.type === 'vector' && field.params.embed !== null).map((field) => field.name);
  const searched = searchedText(definition);
  let fields = searched;
  if (request.field !== undefined && request.field !== null) {
    if (typeof request.field !== 'string') throw invalidOption(collection, 'field', 'a field name', request.field);
    mustGetField(definition, collection, request.field, 'field');
    const isText = searched.includes(request.field);
    if (!isText && !embedded.includes(request.field))
      throw invalidOption(collection, 'field', 'a searchable text or an embedded vector field', request.field);
    fields = isText ? [request.field] : [];
  }
  if (embedded.length === 0) {
    mustSearchText(definition, collection);
    if (request.mode === 'semantic' || request.mode === 'hybrid')
      throw invalidOption(collection, 'mode', `'keyword' in a collection without embedded fields`, request.mode);
  }
  if (request.mode === 'keyword' && fields.length === 0)
    throw invalidOption(collection, 'mode', 'a searchable text field for keywords', request.mode);
  const meant = embedded.length === 0 ? undefined : meaningQuery(definition, request);
  if (request.mode === 'semantic' || fields.length === 0) {
    if (meant !== undefined) return whole({ type: 'vector', query: meant });
    throw new DbError('EMBEDDER_UNAVAILABLE', `${collection}: search by meaning needs an embedder, and none is loaded`, {
      details: { collection },
    });
  }
  const namedText = request.field !== undefined && request.field !== null && request.mode === undefined;
  const isHybrid = embedded.length > 0 && request.mode !== 'keyword' && !namedText;
  const keywords = keywordQuery(definition, fields, text, readSwitch(collection, 'prefix', request.prefix, true));
  if (isHybrid && meant !== undefined) return whole({ type: 'hybrid', queries: [meant], text: keywords });
  return { source: { type: 'keyword', query: keywords }, degraded: isHybrid ? 'embedder-loading' : null };
}

/** The text as the caller has embedded it; undefined when it has not. */
function meaningQuery(definition: CollectionDefinition, { collection, embedded: given }: SearchRequest): VectorQuery | undefined {
  const embedded = readEmbeddings(collection, given);
  if (embedded.length === 0) return undefined;
  const queries = embedded.flatMap(({ field: name, model, vector, withGiven }): DenseQuery[] => {
    const { metric } = mustGetEmbeddedField(definition, collection, name).params;
    // A text of no known word has no direction, so nothing is near it.
    if (vector.every((value) => value === 0)) return [];
    return [{ kind: 'dense', field: name, metric, query: vector, models: { model, withGiven } }];
  });
  return queries.length === 1 ? queries[0]! : { kind: 'spaces', field: embedded[0]!.field, queries };
}

function searchedText(definition: CollectionDefinition): string[] {
  return searchableTextFieldsOf(definition).map((field) => field.name);
}

function mustSearchText(definition: CollectionDefinition, collection: string): string[] {
  const fields = searchedText(definition);
  if (fields.length === 0) throw invalidOption(collection, 'text', 'a collection with a text field that has search: true', 'none');
  return fields;
}

function vectorField(definition: CollectionDefinition, request: SearchRequest): AnyVectorField {
  const { collection } = request;
  const all = vectorFieldsOf(definition);
  if (request.field === undefined || request.field === null) {
    if (all.length === 1) return all[0]!;
    const names = all.map((field) => field.name);
    const expected = all.length === 0 ? 'a collection with a vector field' : `one of the vector fields ${names.join(', ')}`;
    throw invalidOption(collection, 'field', expected, undefined);
  }
  if (typeof request.field !== 'string') throw invalidOption(collection, 'field', 'a field name', request.field);
  const field = mustGetField(definition, collection, request.field, 'field');
  if (!isVectorField(field)) throw invalidOption(collection, `field ${field.name}`, 'a vector field', field.type);
  return field;
}

function readMinScore(collection: string, value: unknown): number {
  if (value === undefined || value === null) return -Infinity;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalidOption(collection, 'minScore', 'a finite number', value);
  return value;
}

/** In the metric's own units, as in Milvus: distances for L2, HAMMING and JACCARD, similarities for COSINE and IP. */
function readRange(definition: CollectionDefinition, collection: string, source: SearchSource, range: unknown): ScoreBounds {
  if (range === undefined || range === null) return NO_BOUNDS;
  if (source.type === 'keyword' || (source.type === 'hybrid' && source.queries.length !== 1))
    throw invalidOption(collection, 'range', `a 'vector' or 'like' beside it`, range);
  if (!isRecord(range)) throw invalidOption(collection, 'range', '{ radius, rangeFilter? }', range);
  const { radius, rangeFilter } = range;
  if (typeof radius !== 'number' || !Number.isFinite(radius)) throw invalidOption(collection, 'range.radius', 'a finite number', radius);
  if (rangeFilter !== undefined && rangeFilter !== null && (typeof rangeFilter !== 'number' || !Number.isFinite(rangeFilter))) {
    throw invalidOption(collection, 'range.rangeFilter', 'a finite number', rangeFilter);
  }
  const inner = typeof rangeFilter === 'number' ? rangeFilter : undefined;
  const name = source.type === 'like' ? source.field.name : source.type === 'hybrid' ? source.queries[0]!.field : source.query.field;
  const field = mustGetField(definition, collection, name, 'field') as AnyVectorField;
  if (isDistance(field)) {
    if (inner !== undefined && inner >= radius)
      throw invalidOption(collection, 'range.rangeFilter', `less than the radius ${radius}`, inner);
    return { atLeast: -Infinity, above: -radius, atMost: inner === undefined ? Infinity : -inner };
  }
  if (inner !== undefined && inner <= radius) throw invalidOption(collection, 'range.rangeFilter', `more than the radius ${radius}`, inner);
  return { atLeast: -Infinity, above: radius, atMost: inner ?? Infinity };
}

function isDistance(field: AnyVectorField): boolean {
  return field.type === 'binaryVector' || (field.type === 'vector' && field.params.metric === 'L2');
}

function readGrouping(definition: CollectionDefinition, request: SearchRequest): Grouping | undefined {
  const { collection, groupBy } = request;
  if (groupBy === undefined || groupBy === null) return undefined;
  if (!isRecord(groupBy) || typeof groupBy['field'] !== 'string') throw invalidOption(collection, 'groupBy', '{ field, size? }', groupBy);
  const field = mustGetField(definition, collection, groupBy['field'], 'groupBy.field');
  if (!GROUPABLE.has(field.type))
    throw invalidOption(collection, `groupBy.field ${field.name}`, `a field of kind ${[...GROUPABLE].join(', ')}`, field.type);
  const size = groupBy['size'] ?? 1;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1 || size > MAX_GROUP_SIZE) {
    throw invalidOption(collection, 'groupBy.size', `an integer from 1 to ${MAX_GROUP_SIZE}`, size);
  }
  return { field: field.name, size };
}
