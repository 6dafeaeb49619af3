import { PRIVILEGE_GROUPS, ROLES, USERS } from './accounts.ts';
import { ALTER } from './alter.ts';
import { runAnalyzer } from './analyzer.ts';
import type { MilvusAnswer, MilvusCall } from './call.ts';
import { ALIASES, DATABASES } from './catalog.ts';
import { COLLECTIONS, PARTITIONS } from './collections.ts';
import { ENTITIES } from './entities.ts';
import { checkGuard, GUARDS, type Guard } from './guards.ts';
import { hybridSearch } from './hybrid.ts';
import { IMPORTS } from './imports.ts';
import { INDEXES } from './indexes.ts';
import { NOT_HERE, refuse } from './not-here.ts';
import { RESOURCE_GROUPS } from './resource-groups.ts';
import type { RowFormat } from './rows.ts';
import { search } from './search.ts';

export interface MilvusRoute {
  readonly guard: Guard;
  /** 403 before anything else, for who may not. */
  run(call: MilvusCall, format: RowFormat): Promise<MilvusAnswer>;
}

type Handler = (call: MilvusCall, format: RowFormat) => Promise<MilvusAnswer>;

const GROUPS: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  collections: { ...COLLECTIONS, ...ALTER },
  partitions: PARTITIONS,
  aliases: ALIASES,
  databases: DATABASES,
  indexes: INDEXES,
  users: USERS,
  roles: ROLES,
  privilege_groups: PRIVILEGE_GROUPS,
  'jobs/import': IMPORTS,
  resource_groups: RESOURCE_GROUPS,
  common: { run_analyzer: runAnalyzer },
  entities: { ...ENTITIES, search, hybrid_search: hybridSearch, advanced_search: hybridSearch },
};

/** `collections/create` → who may, and what it does: every route there is. */
export const MILVUS_ROUTES: ReadonlyMap<string, MilvusRoute> = new Map([
  ...Object.entries(GROUPS).flatMap(([group, handlers]) =>
    Object.entries(handlers).map(([name, handler]) => guarded(`${group}/${name}`, handler)),
  ),
  ...Object.keys(NOT_HERE).map((path) => guarded(path, refuse(path))),
]);

function guarded(path: string, handler: Handler): readonly [string, MilvusRoute] {
  const guard = GUARDS[path];
  if (guard === undefined) throw new Error(`${path}: no guard says who may`);
  const run: MilvusRoute['run'] = async (call, format) => {
    checkGuard(guard, call);
    return handler(call, format);
  };
  return [path, { guard, run }];
}
