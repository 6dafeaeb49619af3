export { FileLogBroker } from './adapters/files/file-log-broker.ts';
export { FileMetaStore } from './adapters/files/file-meta-store.ts';
export { FileObjectStore } from './adapters/files/file-object-store.ts';
export { LmdbLogBroker } from './adapters/lmdb/lmdb-log-broker.ts';
export { LmdbMetaStore } from './adapters/lmdb/lmdb-meta-store.ts';
export { readS3Config, type S3Config } from './adapters/s3/s3-config.ts';
export { S3ObjectStore, type S3Options } from './adapters/s3/s3-object-store.ts';
export type { Secret } from './adapters/s3/secret.ts';
