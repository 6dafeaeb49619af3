import { DbError } from '@terndb/core';
import type { Engine } from '@terndb/engine';
import type { ImportBatch } from './protocol.ts';

export async function importAll(_engine: Engine, _batches: readonly ImportBatch[]): Promise<{ entities: number }> {
  throw new DbError('INTERNAL', 'import: not yet');
}
