/**
 * The engine of one database: a log goes in, views come out, and everything durable is behind ports.
 *
 *   write ─► leader/resolve ─► leader (stamp) ─► replica (fold) ──► view ─► read/, live/ ─► result
 *                                   │                │  ▲
 *                                   ▼                ▼  │ install
 *                            leader/committer   seal/, compaction/ ──► segment, tombstones, manifest ─► objects
 *                                   │                                          └─► catalog (pointer) ─► meta
 *                                   └─► log ◄── truncated behind all manifests ─┘
 *   open: catalog ─► manifest ─► replica/open-replica ─► replica/replay (tail of the log)
 *
 * | folder            | job                                                                                     |
 * |-------------------|-----------------------------------------------------------------------------------------|
 * | replication/      | channels that a server leads: frames in, replicas built aside, swaps, conflicts         |
 * | collab/           | Yjs documents of collab fields: merged in the fold, followed by editors                   |
 * | overlay/          | the outbox as rows over a masked replica                                                |
 * | fold/             | registers, put, patch, delete, gc as pure functions; the row hash (R13)                 |
 * | growing/          | rows since the last seal: append-only slots, copy-on-write liveness                     |
 * | replica/          | one channel: blocks, tombstones, position, hash; views; opening and replaying           |
 * | leader/           | validation to ops, stamps, frames, group commit, what the log still has to keep         |
 * | seal/, compaction/| snapshot, new segment, manifest last, truncation, collection; what to rewrite           |
 * | catalog/          | who the database is, collections, partitions, manifest pointers                         |
 * | database/         | the facade: state, recovery, notification, tokens, limits                               |
 * | segment/, columns/, tombstones/, manifest/, bitmap/, bytes/ | what is stored, and how it is mapped          |
 * | indexes/          | kinds of index files, building and opening them beside reads; graphs                    |
 * | read/, text/, live/, view/ | filters, search, live results over views                                       |
 */

export { DEFAULT_PARTITION } from './catalog/channels.ts';
export type { CollabRequest } from './collab/resolve-collab.ts';
export type { CollabBase } from './collab/types.ts';
export type { CollabEvent, CollabPlace } from './collab/watch-collab.ts';
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
  ExplainedBlock,
  ExplainedFilter,
  ExplainedTotal,
  ExplainRequest,
  ExplainResult,
  FilterRequest,
  GetRequest,
  GetResult,
  PartitionInspection,
  PartitionView,
  QueryRequest,
  QueryResult,
  ReadInfo,
  ReadScope,
  RecallRequest,
  RecallResult,
  SearchHighlight,
  SearchHit,
  SearchPart,
  SearchRequest,
  SearchResult,
  WriteRequest,
  WriteTicket,
} from './database/types.ts';
export { meaningFieldsOf } from './embedding/meaning-fields.ts';
export { embeddedFieldsOf } from './embedding/source-text.ts';
export type { DerivedVector, QueryEmbedding, WaitingRequest, WaitingRow, WaitingRows } from './embedding/types.ts';
export type { AggregateGroup, AggregateRequest, AggregateResult } from './read/aggregate/types.ts';
export type {
  Conflict,
  FollowedPlace,
  FollowedState,
  OutboxPort,
  OverlayEntry,
  ReplicaChange,
  Replication,
  StagedReplica,
} from './replication/types.ts';
export type { RowBlock, View } from './view/view.ts';
