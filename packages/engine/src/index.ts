export { DEFAULT_PARTITION } from './catalog/channels.ts';
export { DEFAULT_LIMITS } from './database/limits.ts';
export { openEngine } from './database/open-engine.ts';
export { decodeToken, encodeToken, type TokenPositions } from './database/token.ts';
export type {
  Change,
  CountRequest,
  CountResult,
  Engine,
  EngineInspection,
  EngineLimits,
  EngineOptions,
  EnginePorts,
  EntityRecord,
  FilterRequest,
  GetRequest,
  GetResult,
  PartitionInspection,
  PartitionView,
  QueryRequest,
  QueryResult,
  ReadInfo,
  ReadScope,
  SearchHit,
  SearchRequest,
  SearchResult,
  WriteRequest,
  WriteTicket,
} from './database/types.ts';
export type { RowBlock, View } from './view/view.ts';
