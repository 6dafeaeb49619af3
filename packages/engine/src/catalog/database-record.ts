import { type MetaStore, newClientId, newLogEpoch, type Rng } from '@terndb/core';
import { decodeRecord, encodeRecord, textOf } from './meta-record.ts';

const KEY = 'database';

/** Who this database is: one device, one universe (R14). */
export interface DatabaseRecord {
  readonly clientId: string;
  readonly logEpoch: string;
}

/** Reads it, or makes it at the first open. FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED. */
export async function ensureDatabaseRecord(meta: MetaStore, rng: Rng): Promise<DatabaseRecord> {
  const made: DatabaseRecord = { clientId: newClientId(rng), logEpoch: newLogEpoch(rng) };
  for (;;) {
    const entry = await meta.get(KEY);
    if (entry !== undefined) {
      const fields = decodeRecord(entry);
      return { clientId: textOf(entry, fields, 'clientId'), logEpoch: textOf(entry, fields, 'logEpoch') };
    }
    if ((await meta.compareAndSet(KEY, 0, encodeRecord({ ...made }))) !== undefined) return made;
  }
}
