import { join } from 'node:path';
import { DbError } from '@terndb/core';
import { loadKernel } from '@terndb/kernel';
import { FileObjectStore } from '../adapters/files/file-object-store.ts';
import { LmdbLogBroker } from '../adapters/lmdb/lmdb-log-broker.ts';
import { LmdbMetaStore } from '../adapters/lmdb/lmdb-meta-store.ts';
import { S3ObjectStore } from '../adapters/s3/s3-object-store.ts';
import { systemClock, systemRng } from '../adapters/s3/system.ts';
import { FileScratch } from '../adapters/scratch/file-scratch.ts';
import { IndexWorkers } from '../adapters/workers/index-workers.ts';
import { defaultSearchThreads, SearchThreads } from '../adapters/workers/search-threads.ts';
import type { Config } from '../config/config.ts';
import { degraded, type Finding, type HealthChecks, OK } from '../node/health/finding.ts';
import type { NodePorts } from '../node/open-node.ts';

export interface Storage {
  readonly ports: NodePorts;
  /** Clients download from the object store themselves; absent: through this server. */
  readonly downloadUrl?: (name: string, expiresSeconds: number) => Promise<string>;
  /** Of what it does without where it must. */
  readonly checks: HealthChecks;
  close(): Promise<void>;
}

type StorageConfig = Pick<Config, 'data' | 's3'> & Partial<Pick<Config, 'searchThreads' | 'vectors'>>;

/**
 * The embedded ports under the data folder; objects in S3 where the configuration says so. `warn`: told of what is done without (threads, scratch files).
 */
export async function openStorage(
  { data, s3, searchThreads = defaultSearchThreads(), vectors }: StorageConfig,
  warn: (message: string) => void = () => {},
): Promise<Storage> {
  const log = await LmdbLogBroker.open(join(data, 'log'));
  const meta = await LmdbMetaStore.open(join(data, 'meta'));
  const remote = s3 === undefined ? undefined : await S3ObjectStore.open(s3);
  const objects = remote ?? (await FileObjectStore.open(join(data, 'objects')));
  const threads = await openThreads(searchThreads, warn);
  const kernel = threads?.kernel ?? (await loadKernel());
  const scratch =
    vectors === 'stored' ? FileScratch.open(join(data, 'scratch'), (error) => warn(`vectors stay in memory: ${error.message}`)) : undefined;
  const indexBuilder = new IndexWorkers({ objects });
  return {
    ports: { log, meta, objects, clock: systemClock, rng: systemRng, kernel, indexBuilder, searchJobs: threads, scratch },
    ...(remote === undefined ? {} : { downloadUrl: (name, seconds) => remote.downloadUrl(name, seconds) }),
    checks: { threads: () => ofThreads(threads?.threads ?? 0, searchThreads) },
    close: async () => {
      await indexBuilder.close();
      await threads?.close();
      await log.close();
      await meta.close();
      remote?.close();
    },
  };
}

/** Searches are done on the server's own thread where there is no other. */
function ofThreads(running: number, wanted: number): Finding {
  return running >= wanted ? OK : degraded(`${running} of ${wanted} threads for searches run`);
}

/** None where they cannot be had (no address space for a shared memory): searches are done without. */
async function openThreads(threads: number, warn: (message: string) => void): Promise<SearchThreads | undefined> {
  if (threads === 0) return undefined;
  try {
    return await SearchThreads.open(threads);
  } catch (error) {
    warn(`searches without threads: ${DbError.from(error).message}`);
    return undefined;
  }
}
