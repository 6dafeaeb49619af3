import { TEXT_INDEX } from '../text/text-index-kind.ts';
import { GRAPH_MIN_ROWS, HNSW_KIND, hnswKind } from './hnsw-kind.ts';
import { hnswlibKind, usesHnswlib } from './hnswlib/hnswlib-kind.ts';
import type { HnswlibLibrary } from './hnswlib/types.ts';
import type { IndexKind } from './types.ts';

/** Every kind that this version builds and reads. Index files of other kinds are left alone: a newer version may have written them. */
export const INDEX_KINDS: readonly IndexKind<unknown>[] = [HNSW_KIND as IndexKind<unknown>, TEXT_INDEX as IndexKind<unknown>];

/** The same for a host that has hnswlib, for the fields that ask for it. `minRows`: for tests. */
export function kindsWithHnswlib(library: HnswlibLibrary, minRows: number = GRAPH_MIN_ROWS): readonly IndexKind<unknown>[] {
  const kinds = [hnswKind(minRows, usesHnswlib), hnswlibKind(library, minRows), TEXT_INDEX] as readonly unknown[];
  return kinds as readonly IndexKind<unknown>[];
}
