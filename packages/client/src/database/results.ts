import type { QueryResult as EngineQuery, SearchResult as EngineSearch } from '@terndb/engine';
import type { QueryResult, Token } from '../api/reading.ts';
import type { SearchResult } from '../api/search.ts';

/** The engine's results in their public form: the same data, without row versions. */
export function toPublicQuery({ keys: _keys, versions: _versions, ...result }: EngineQuery): QueryResult<any, any> {
  return result as QueryResult<any, any>;
}

export function toPublicSearch(result: EngineSearch): SearchResult<any, any> {
  return { ...(result as EngineSearch & { token: Token }), hits: result.hits.map(({ version: _version, ...hit }) => hit) };
}
