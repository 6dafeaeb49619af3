import { TEXT_INDEX } from '../text/text-index-kind.ts';
import { HNSW_KINDS, hnswKind } from './hnsw-kind.ts';
import { hnswlibKind, usesHnswlib } from './hnswlib/hnswlib-kind.ts';
import type { HnswlibLibrary } from './hnswlib/types.ts';
import { LIST_KINDS } from './list-kind.ts';
import { SCALAR_INDEX } from './scalar/scalar-kind.ts';
import type { IndexKind } from './types.ts';
import { GRAPH_MIN_ROWS } from './vector-kinds.ts';

/** Every kind that this version builds and reads. Index files of other kinds are left alone: a newer version may have written them. */
export const INDEX_KINDS: readonly IndexKind<unknown>[] = [
  ...HNSW_KINDS,
  ...LIST_KINDS,
  TEXT_INDEX,
  SCALAR_INDEX,
] as readonly unknown[] as readonly IndexKind<unknown>[];

/** The same for a host that has hnswlib, for the fields that ask for it. `minRows`: for tests. */
export function kindsWithHnswlib(library: HnswlibLibrary, minRows: number = GRAPH_MIN_ROWS): readonly IndexKind<unknown>[] {
  const graphs = (['hnsw', 'hnsw-f32', 'hnsw-b1'] as const).map((type) => hnswKind(minRows, type, usesHnswlib));
  return [
    ...graphs,
    hnswlibKind(library, minRows),
    ...LIST_KINDS,
    TEXT_INDEX,
    SCALAR_INDEX,
  ] as readonly unknown[] as readonly IndexKind<unknown>[];
}
