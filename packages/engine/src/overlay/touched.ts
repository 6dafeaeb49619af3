import { compareStamps, type SingleOp, type Stamp } from '@terndb/core';
import type { EntityStamps, Tombstone } from '../fold/registers.ts';
import type { RowPlace } from '../replica/entities.ts';

/** What one outbox entry does to one key. */
export interface KeyWrite {
  readonly id: number;
  readonly stamp: Stamp;
  /** As `OverlayEntry`; 0: not known. */
  readonly seq: number;
  readonly ops: readonly SingleOp[];
}

/**
 * - `base`: nothing in the outbox has an effect: the base shows through.
 * - `row`: a row of the overlay's block.
 * - `dead`: the outbox deletes it.
 */
export type Shown =
  | { readonly type: 'base' }
  | { readonly type: 'row'; readonly offset: number }
  | { readonly type: 'dead'; readonly stamps: Tombstone };

/** A key with writes in the outbox. */
export interface Touched {
  /** Ascending by id: the order in which the log will have them. At least one. */
  readonly writes: KeyWrite[];
  /** What the base had when the key was folded. */
  base: EntityStamps | undefined;
  /** The base row that is hidden. */
  masked: RowPlace | undefined;
  shown: Shown;
}

/** At its place by id. @returns whether it is the last one now. */
export function insertWrite(writes: KeyWrite[], write: KeyWrite): boolean {
  let at = writes.length;
  while (at > 0 && writes[at - 1]!.id > write.id) at -= 1;
  writes.splice(at, 0, write);
  return at === writes.length - 1;
}

/** Equal stamps name equal ops, so the rows are equal, too: but for collab fields, whose older updates count as well. */
export function sameState(a: EntityStamps | undefined, b: EntityStamps | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.live !== b.live) return false;
  if (compareStamps(a.put, b.put) !== 0) return false;
  if (!a.live) return compareStamps(a.delete, (b as Tombstone).delete) === 0;
  if (!b.live) return false;
  const size = a.exceptions?.size ?? 0;
  if (size !== (b.exceptions?.size ?? 0)) return false;
  for (const [field, stamp] of a.exceptions ?? []) if (compareStamps(stamp, b.exceptions?.get(field)) !== 0) return false;
  return true;
}
