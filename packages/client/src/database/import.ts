import { DbError, type SchemaDefinition } from '@terndb/core';
import type { TransferOptions } from '../api/database.ts';
import type { WorkerConnection } from '../worker/connection.ts';

export interface ImportOptions extends TransferOptions {
  readonly source: Blob | ReadableStream<Uint8Array>;
  readonly definition: SchemaDefinition;
}

export async function importDatabase(_connection: WorkerConnection, _options: ImportOptions): Promise<{ readonly entities: number }> {
  throw new DbError('INTERNAL', 'import: not yet');
}
