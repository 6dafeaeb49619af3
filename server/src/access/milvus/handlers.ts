import type { MilvusAnswer, MilvusCall } from './call.ts';
import { ALIASES, DATABASES, INDEXES } from './catalog.ts';
import { COLLECTIONS, PARTITIONS } from './collections.ts';
import { ENTITIES } from './entities.ts';
import { hybridSearch } from './hybrid.ts';
import type { RowFormat } from './rows.ts';

export type MilvusRoute = (call: MilvusCall, format: RowFormat) => Promise<MilvusAnswer>;

const GROUPS: Readonly<Record<string, Readonly<Record<string, MilvusRoute>>>> = {
  collections: COLLECTIONS,
  partitions: PARTITIONS,
  aliases: ALIASES,
  databases: DATABASES,
  indexes: INDEXES,
  entities: { ...ENTITIES, hybrid_search: hybridSearch, advanced_search: hybridSearch },
};

/** `collections/create` → handler: every route there is. */
export const MILVUS_ROUTES: ReadonlyMap<string, MilvusRoute> = new Map(
  Object.entries(GROUPS).flatMap(([group, handlers]) =>
    Object.entries(handlers).map(([name, handler]) => [`${group}/${name}`, handler] as const),
  ),
);
