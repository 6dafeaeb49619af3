import { DbError, type MetaStore } from '@terndb/core';
import type { CatalogState } from './catalog-state.ts';
import { checkName, checkProperties, DEFAULT_DATABASE, MAX_DATABASES, taken, tooMany } from './names.ts';
import { DATABASE_PREFIX, mustSet, type Properties, remove } from './records.ts';

/** What a change of the databases needs; one change at a time. */
export interface DatabaseParts {
  readonly meta: MetaStore;
  readonly state: CatalogState;
  readonly nowMs: number;
}

/** OPTION_INVALID. */
export async function createDatabase({ meta, state, nowMs }: DatabaseParts, name: string, properties: Properties = {}): Promise<void> {
  checkName('database', name);
  checkProperties('database properties', properties);
  if (state.databases.has(name)) throw taken('database', name);
  if (state.databases.size >= MAX_DATABASES) throw tooMany('databases', MAX_DATABASES);
  const record = { createdAtMs: nowMs, properties };
  const revision = await mustSet(meta, `${DATABASE_PREFIX}${name}`, 0, record);
  state.databases.set(name, { name, ...record, revision });
}

/** The properties as a whole. OPTION_INVALID. */
export async function alterDatabase({ meta, state }: DatabaseParts, name: string, properties: Properties): Promise<void> {
  const { createdAtMs, revision: known } = state.mustGetDatabase(name);
  checkProperties('database properties', properties);
  const record = { createdAtMs, properties };
  const revision = await mustSet(meta, `${DATABASE_PREFIX}${name}`, known, record);
  state.databases.set(name, { name, ...record, revision });
}

/** An empty one, and never the default one. OPTION_INVALID. */
export async function dropDatabase({ meta, state }: DatabaseParts, name: string): Promise<void> {
  state.mustGetDatabase(name);
  const held = state.collectionsOf(name);
  if (held.length > 0 || name === DEFAULT_DATABASE) {
    const got = name === DEFAULT_DATABASE ? 'the default one' : `one with ${held.length} collections`;
    throw new DbError('OPTION_INVALID', `database ${name}: an empty one expected, got ${got}`, { details: { option: 'database', got } });
  }
  await remove(meta, `${DATABASE_PREFIX}${name}`);
  state.databases.delete(name);
}
