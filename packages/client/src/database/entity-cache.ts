import type { EntityRecord, SearchHit } from '@terndb/engine';
import type { LiveResult } from '../worker/protocol.ts';

interface Seen {
  readonly version: number;
  readonly entity: EntityRecord;
}

/** Remembers the entities of one live query's last result. */
export class EntityCache {
  #seen = new Map<string, Seen>();

  /** The same result with the entities of the last one wherever key and version are the same. */
  stabilise(result: LiveResult): LiveResult {
    const seen = new Map<string, Seen>();
    const keep = (key: unknown, version: number, entity: EntityRecord): EntityRecord => {
      const name = `${typeof key === 'string' ? 's' : 'i'}${String(key)}`;
      const last = this.#seen.get(name);
      const kept = last !== undefined && last.version === version ? last : { version, entity };
      seen.set(name, kept);
      return kept.entity;
    };
    const stable: LiveResult =
      'hits' in result
        ? { ...result, hits: result.hits.map((hit): SearchHit => ({ ...hit, entity: keep(hit.key, hit.version, hit.entity) })) }
        : { ...result, entities: result.entities.map((entity, index) => keep(result.keys[index], result.versions[index]!, entity)) };
    this.#seen = seen;
    return stable;
  }
}
