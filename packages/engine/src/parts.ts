/**
 * The engine's parts for hosts that compose them themselves: a server, whose leader appends to a shared log. Not for applications; changes with
 * the engine.
 */
export { type CatalogCollection, openCatalog } from './catalog/catalog.ts';
export { checkPartitionName } from './catalog/channels.ts';
export { readManifestPointer, readManifestPointers, writeManifestPointer } from './catalog/manifest-pointer.ts';
export { decodeRecord, encodeRecord, invalidRecord, type RecordFields, textOf } from './catalog/meta-record.ts';
export { collabDocuments, loadCollab } from './collab/load.ts';
export { type CollabState, collabBytes, OWN_PUT } from './collab/types.ts';
export type { Channel, Published } from './database/channel.ts';
export { inspectChannel } from './database/channel.ts';
export { fromKernel } from './database/from-kernel.ts';
export { ExpiryCollector } from './expiry/collector.ts';
export { expiryCutoff } from './expiry/cutoff.ts';
export { expiryRecord } from './expiry/expiry-record.ts';
export { usesHnswlib } from './indexes/hnswlib/hnswlib-kind.ts';
export { type HnswlibImport, importHnswlib } from './indexes/hnswlib/import-hnswlib.ts';
export type { HnswlibGraph, HnswlibLibrary, HnswlibOptions } from './indexes/hnswlib/types.ts';
export { type IndexBuilder, type IndexFile, type IndexJob, runIndexJob } from './indexes/index-builder.ts';
export { type IndexedChannel, IndexManager } from './indexes/index-manager.ts';
export { kindsWithHnswlib } from './indexes/registry.ts';
export { LogTail } from './leader/log-tail.ts';
export { OwnPuts } from './leader/records.ts';
export { type PartitionOps, resolveWrite, type WriteTarget } from './leader/resolve.ts';
export { readManifest, writeManifest } from './manifest/manifest-file.ts';
export type { LmidEntry, Manifest, ManifestIndex, ManifestSegment } from './manifest/types.ts';
export { runAggregate } from './read/aggregate/aggregates.ts';
export type { ReadContext } from './read/context.ts';
export { runGet } from './read/get.ts';
export { runExplain } from './read/probes/explain.ts';
export { PROBED_READS } from './read/probes/reads.ts';
export { matchedBlocks, runCount, runQuery } from './read/query.ts';
export { type JobExecutor, runJob, runWith, type Steps, type VectorJob } from './read/search/jobs.ts';
export { searchSteps } from './read/search.ts';
export { emptyReplica, loadManifest, openReplica, type ReplicaOptions } from './replica/open-replica.ts';
export { entryDamage } from './replica/replay.ts';
export { Replica } from './replica/replica.ts';
export { SegmentPool } from './replica/segment-pool.ts';
export {
  encodeFollowedPointer,
  type FollowedPointer,
  followedPointerKey,
  followedStream,
  readFollowedPointer,
} from './replication/stored.ts';
export { isDue, JobQueue, unsealedOf } from './seal/maintenance.ts';
export { publishIndex } from './seal/publish-index.ts';
export { objectsOf, type SealContext, sealChannel } from './seal/seal-channel.ts';
export type { Segment } from './segment/types.ts';
