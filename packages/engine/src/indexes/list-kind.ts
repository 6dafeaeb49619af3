import type { FieldDefinition } from '@terndb/core';
import type { ListCodes, ListIndex, VectorBlock } from '@terndb/kernel';
import { StoredRows } from '../segment/stored-rows.ts';
import type { Segment } from '../segment/types.ts';
import { loadLists, mustGetLists } from './load-lists.ts';
import type { BuildContext, IndexKind } from './types.ts';
import { LIST_MIN_ROWS, mustBeOfSegment, paramsOf, SEED, type VectorIndexType, vectorIndexType, wantsIndex } from './vector-kinds.ts';

/** Multiplications between two pauses: 2 to 4 ms. A visit of a row compares it with every list's centroid. */
const PRODUCTS_PER_STEP = 8_000_000;

type ListType = Extract<VectorIndexType, `ivf${string}`>;
const CODES: Readonly<Record<ListType, ListCodes>> = { ivf: 'none', 'ivf-sq8': 'sq8', 'ivf-b1': 'b1' };

const BUILDS: Readonly<Record<ListType, IndexKind<ListIndex>['build']>> = {
  ivf: (segment, field, context) => build('ivf', segment, field, context),
  'ivf-sq8': (segment, field, context) => build('ivf-sq8', segment, field, context),
  'ivf-b1': (segment, field, context) => build('ivf-b1', segment, field, context),
};

/** Lists of near rows of one segment (`docs/formats/ivf.md`), with codes of the rows or none. Hits are scored again from the segment's rows. */
export const LIST_KINDS: readonly IndexKind<ListIndex>[] = (Object.keys(CODES) as ListType[]).map((type) => listKind(LIST_MIN_ROWS, type));

/** `minRows`: for tests. */
export function listKind(minRows: number, type: ListType): IndexKind<ListIndex> {
  return {
    type,
    wants: (segment, field) => field.type === 'vector' && vectorIndexType(field.params) === type && wantsIndex(segment, field, minRows),
    build: BUILDS[type],
    prepare: loadLists,
    open: (bytes, segment, field, kernel) => {
      const index = mustGetLists().openLists(kernel, bytes);
      return mustBeOfSegment(index, segment, field, index.codes === CODES[type]);
    },
    close: (index) => index.free(),
  };
}

async function build(type: ListType, segment: Segment, field: FieldDefinition, context: BuildContext): Promise<Uint8Array[]> {
  const rows = segment.vectors(field.name)!;
  if (!(rows instanceof StoredRows)) return await buildOver(type, rows, field, context);
  // Every row is visited several times, in no order: they are all in memory meanwhile.
  const block = await rows.load(context.pause);
  try {
    return await buildOver(type, block, field, context);
  } finally {
    block.free();
  }
}

async function buildOver(type: ListType, block: VectorBlock, field: FieldDefinition, context: BuildContext): Promise<Uint8Array[]> {
  const { kernel, pause, onProgress } = context;
  const { metric, index } = paramsOf(field);
  const lists = index.nlist === undefined ? undefined : Math.min(index.nlist, block.rows);
  const { buildLists } = await loadLists();
  const built = buildLists(kernel, { block, metric, codes: CODES[type], seed: SEED, ...(lists === undefined ? {} : { lists }) });
  try {
    const rows = Math.max(1, Math.floor(PRODUCTS_PER_STEP / (block.dim * (lists ?? 2 * Math.sqrt(block.rows)))));
    for (let done = false; !done; ) {
      const progress = built.step(rows);
      done = progress.done;
      onProgress(done ? 1 : progress.visited / progress.total);
      await pause();
    }
    const finished = built.finish();
    try {
      return [finished.save()];
    } finally {
      finished.free();
    }
  } finally {
    built.free();
  }
}
