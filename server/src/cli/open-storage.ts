import { join } from 'node:path';
import { loadKernel } from '@terndb/kernel';
import { FileObjectStore } from '../adapters/files/file-object-store.ts';
import { LmdbLogBroker } from '../adapters/lmdb/lmdb-log-broker.ts';
import { LmdbMetaStore } from '../adapters/lmdb/lmdb-meta-store.ts';
import { S3ObjectStore } from '../adapters/s3/s3-object-store.ts';
import { systemClock, systemRng } from '../adapters/s3/system.ts';
import { IndexWorkers } from '../adapters/workers/index-workers.ts';
import type { Config } from '../config/config.ts';
import type { NodePorts } from '../node/open-node.ts';

export interface Storage {
  readonly ports: NodePorts;
  /** Clients download from the object store themselves; absent: through this server. */
  readonly downloadUrl?: (name: string, expiresSeconds: number) => Promise<string>;
  close(): Promise<void>;
}

/** The embedded ports under the data folder; objects in S3 where the configuration says so. */
export async function openStorage({ data, s3 }: Pick<Config, 'data' | 's3'>): Promise<Storage> {
  const log = await LmdbLogBroker.open(join(data, 'log'));
  const meta = await LmdbMetaStore.open(join(data, 'meta'));
  const remote = s3 === undefined ? undefined : await S3ObjectStore.open(s3);
  const objects = remote ?? (await FileObjectStore.open(join(data, 'objects')));
  const kernel = await loadKernel();
  const indexBuilder = new IndexWorkers({ objects });
  return {
    ports: { log, meta, objects, clock: systemClock, rng: systemRng, kernel, indexBuilder },
    ...(remote === undefined ? {} : { downloadUrl: (name, seconds) => remote.downloadUrl(name, seconds) }),
    close: async () => {
      await indexBuilder.close();
      await log.close();
      await meta.close();
      remote?.close();
    },
  };
}
