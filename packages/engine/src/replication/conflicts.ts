import {
  type CollectionDefinition,
  compareStamps,
  fieldOf,
  type OpRecord,
  type PrimaryKey,
  type Stamp,
  type StoredValue,
  stampOf,
  toPublic,
} from '@terndb/core';
import { opsOf } from '../overlay/entry-ops.ts';
import type { Entities } from '../replica/entities.ts';
import type { Conflict } from './types.ts';

/**
 * What a write of this device has lost, asked right after the log's record of it was folded: a field whose register is newer, and another
 * device's, with another value. `kept` is undefined where the entity is deleted. Later records overwrite openly, which is no conflict.
 */
export function conflictsOf(
  channel: string,
  definition: CollectionDefinition,
  entities: Entities,
  record: OpRecord,
  isOwn: (key: PrimaryKey, stamp: Stamp) => boolean,
): readonly Conflict[] {
  const stamp = stampOf(record);
  const conflicts: Conflict[] = [];
  for (const op of opsOf(record.op)) {
    if ((op.type !== 'put' && op.type !== 'patch') || !isOwn(op.pk, stamp)) continue;
    const place = entities.find(op.pk);
    const stamps = entities.stampsOf(op.pk, place);
    for (const [name, lost] of Object.entries(op.fields)) {
      const field = fieldOf(definition, name);
      const winner = stamps?.live ? (stamps.exceptions?.get(name) ?? stamps.put) : stamps?.delete;
      if (field === undefined || winner === undefined || winner.clientId === stamp.clientId || compareStamps(winner, stamp) <= 0) continue;
      const kept = place?.block.source.valueAt(name, place.offset);
      if (kept !== undefined && sameValue(kept, lost ?? null)) continue;
      conflicts.push({
        channel,
        key: op.pk,
        field: name,
        kept: kept === undefined ? undefined : toPublic(field, kept),
        lost: toPublic(field, lost ?? null),
      });
    }
  }
  return conflicts;
}

function sameValue(a: StoredValue, b: StoredValue): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if ('indices' in a) return 'indices' in b && sameList(a.indices, b.indices) && sameList(a.values, b.values);
  return !('indices' in b) && sameList(a, b);
}

function sameList(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (!Object.is(a[index], b[index])) return false;
  return true;
}
