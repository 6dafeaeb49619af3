import { type Clock, type FieldDefinition, vectorFieldsOf } from '@terndb/core';
import { clearBit, countBits, forEachSet, setBit } from '../bitmap/bitmap.ts';
import type { RecallRequest, RecallResult } from '../database/types.ts';
import type { ReadContext } from './context.ts';
import { filterView } from './filter/evaluate.ts';
import { invalidOption, mustGetField } from './request.ts';
import { denseRanker, withVectors } from './search/dense.ts';
import { runInline } from './search/jobs.ts';
import { storedQuery } from './search/query-vector.ts';
import { readEffort } from './search/rank-options.ts';
import { accuracy, type Matched, NO_BOUNDS, type Ranker, type Scored } from './search/ranking.ts';

const DEFAULT_SAMPLE = 50;
const MAX_SAMPLE = 1_000;
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;
/** Between two pauses, as for builds of indexes. */
const SLICE_MS = 6;

/** One stored vector to search with. */
interface Sampled {
  readonly part: Matched;
  readonly offset: number;
}

/**
 * What approximation costs here: stored vectors, evenly spread over the rows, are searched for with and without graphs (each without itself),
 * and the lists are compared. Gives way between searches. Cost: `sample` exact scans.
 * @throws QUERY_INVALID, FIELD_UNKNOWN.
 */
export async function runRecall(context: ReadContext, request: RecallRequest, clock: Clock): Promise<RecallResult> {
  const { definition, collection } = context;
  const field = denseField(context, request.field);
  const sample = readCount(collection, 'sample', request.sample, DEFAULT_SAMPLE, MAX_SAMPLE);
  const limit = readCount(collection, 'limit', request.limit, DEFAULT_LIMIT, MAX_LIMIT);
  const matched = context.partitions.flatMap(({ view }, partition) =>
    filterView(view, { type: 'true' }, definition).map((found): Matched => ({ ...found, partition })),
  );
  const how = accuracy(true, readEffort({ collection, ef: request.ef, nprobe: request.nprobe }));
  const result = { queries: 0, found: 0, wanted: 0, exactMs: 0, graphMs: 0 };
  const timed = (rank: Ranker, name: 'exactMs' | 'graphMs'): Scored[] => {
    const begun = clock.monotonicMs();
    const rows = runInline(rank(context, matched, limit));
    result[name] += clock.monotonicMs() - begun;
    return rows;
  };
  let begun = clock.monotonicMs();
  for (const { part, offset } of sampleRows(matched, field.name, sample)) {
    const query = storedQuery(field, part.block.valueAt(field.name, offset)!);
    if (query.kind !== 'dense') continue;
    clearBit(part.mask, offset);
    const truth = timed(denseRanker(query, NO_BOUNDS, accuracy(false)), 'exactMs');
    const rows = timed(denseRanker(query, NO_BOUNDS, how), 'graphMs');
    setBit(part.mask, offset);
    // Equal scores are equally good: which of them come is no loss.
    const worst = truth.at(-1)?.score ?? Number.POSITIVE_INFINITY;
    result.found += rows.filter(({ score }) => score >= worst).length;
    result.wanted += truth.length;
    result.queries += 1;
    if (clock.monotonicMs() - begun < SLICE_MS) continue;
    await new Promise<void>((resolve) => clock.after(0, resolve));
    begun = clock.monotonicMs();
  }
  const { queries, found, wanted } = result;
  return {
    recall: wanted === 0 ? 1 : Math.min(1, found / wanted),
    queries,
    limit,
    exact: !how.isApproximate,
    exactMs: queries === 0 ? 0 : result.exactMs / queries,
    graphMs: queries === 0 ? 0 : result.graphMs / queries,
  };
}

/** The n-th, 2n-th … of all visible rows that have a vector. */
function sampleRows(matched: readonly Matched[], field: string, sample: number): Sampled[] {
  const masks = matched.map((part) => ({ part, mask: withVectors(part, field) }));
  const total = masks.reduce((rows, { mask }) => rows + (mask === undefined ? 0 : countBits(mask)), 0);
  const step = Math.max(1, Math.floor(total / sample));
  const rows: Sampled[] = [];
  let seen = 0;
  for (const { part, mask } of masks) {
    if (mask === undefined) continue;
    forEachSet(mask, (offset) => {
      if (seen++ % step === 0 && rows.length < sample) rows.push({ part, offset });
    });
  }
  return rows;
}

function denseField({ definition, collection }: ReadContext, name: string | undefined): Extract<FieldDefinition, { type: 'vector' }> {
  const dense = vectorFieldsOf(definition).filter((field) => field.type === 'vector');
  if (name === undefined && dense.length === 1) return dense[0]!;
  if (name === undefined)
    throw invalidOption(collection, 'field', `one of the vector fields ${dense.map((field) => field.name).join(', ')}`, name);
  const field = mustGetField(definition, collection, name, 'field');
  if (field.type !== 'vector') throw invalidOption(collection, `field ${name}`, 'a field of dense vectors', field.type);
  return field;
}

function readCount(collection: string, option: string, value: unknown, fallback: number, most: number): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw invalidOption(collection, option, `an integer from 1 to ${most}`, value);
}
