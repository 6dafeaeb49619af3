import { TEXT_INDEX } from '../text/text-index-kind.ts';
import { HNSW_KIND } from './hnsw-kind.ts';
import type { IndexKind } from './types.ts';

/** Every kind that this version builds and reads. Index files of other kinds are left alone: a newer version may have written them. */
export const INDEX_KINDS: readonly IndexKind<unknown>[] = [HNSW_KIND as IndexKind<unknown>, TEXT_INDEX as IndexKind<unknown>];
