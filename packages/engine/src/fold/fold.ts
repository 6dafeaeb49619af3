import { compareStamps, type Stamp, type Timestamp } from '@terndb/core';
import type { EntityStamps, Exceptions, LiveStamps, Tombstone } from './registers.ts';

/**
 * The fold of design 5 as pure functions over stamps; whoever keeps the rows moves the values accordingly. `undefined` from any of them
 * means: no effect. The ops of a batch are folded in their order at one stamp, so an op at the stamp of its entity applies after it.
 */

/**
 * Values after it: every field of the put, except the fields in `exceptions`, which keep what they had.
 * A put older than the entity's put has no effect; one older than its delete only moves the dead entity's put register.
 */
export function foldPut(current: EntityStamps | undefined, stamp: Stamp): EntityStamps | undefined {
  if (current === undefined) return { live: true, put: stamp, exceptions: null };
  if (compareStamps(stamp, current.put) < 0) return undefined;
  if (current.live) return { live: true, put: stamp, exceptions: newerThan(current.exceptions, stamp) };
  if (compareStamps(stamp, current.delete) > 0) return { live: true, put: stamp, exceptions: null };
  return { live: false, put: stamp, delete: current.delete };
}

export function foldDelete(current: EntityStamps | undefined, stamp: Stamp): Tombstone | undefined {
  if (current === undefined) return { live: false, put: undefined, delete: stamp };
  if (current.live) return compareStamps(current.put, stamp) > 0 ? undefined : { live: false, put: current.put, delete: stamp };
  return compareStamps(stamp, current.delete) > 0 ? { live: false, put: current.put, delete: stamp } : undefined;
}

export interface PatchEffect {
  readonly stamps: LiveStamps;
  /** The fields whose register took the patch's value; at least one. */
  readonly applied: readonly string[];
}

/** Never creates or revives: on an entity that is not live it has no effect. */
export function foldPatch(current: EntityStamps | undefined, stamp: Stamp, fields: readonly string[]): PatchEffect | undefined {
  if (current === undefined || !current.live || compareStamps(stamp, current.put) < 0) return undefined;
  const applied = fields.filter((field) => compareStamps(stamp, current.exceptions?.get(field)) >= 0);
  if (applied.length === 0) return undefined;
  if (compareStamps(stamp, current.put) === 0) return { stamps: current, applied };
  const exceptions = new Map(current.exceptions);
  for (const field of applied) exceptions.set(field, stamp);
  return { stamps: { live: true, put: current.put, exceptions }, applied };
}

/**
 * A collab update sets no value that a newer one could win over: it is merged whatever the register's stamp, which only grows. On an entity that
 * is not live, and below the put, it has no effect, as a patch.
 */
export function foldYjs(current: EntityStamps | undefined, stamp: Stamp, field: string): LiveStamps | undefined {
  if (current === undefined || !current.live || compareStamps(stamp, current.put) < 0) return undefined;
  if (compareStamps(stamp, current.exceptions?.get(field) ?? current.put) <= 0) return current;
  return { live: true, put: current.put, exceptions: new Map(current.exceptions).set(field, stamp) };
}

/** R7: whether a `gc` at this floor forgets the tombstone. */
export function isForgotten(tombstone: Pick<Tombstone, 'delete'>, floor: Timestamp): boolean {
  return tombstone.delete.hlc < floor;
}

/** Newest timestamp among the put and the exceptions: changes whenever the row does. */
export function newestTimestamp(stamps: LiveStamps): Timestamp {
  let newest = stamps.put.hlc;
  if (stamps.exceptions !== null) for (const stamp of stamps.exceptions.values()) if (stamp.hlc > newest) newest = stamp.hlc;
  return newest;
}

function newerThan(exceptions: Exceptions | null, stamp: Stamp): Exceptions | null {
  if (exceptions === null) return null;
  const newer = new Map<string, Stamp>();
  for (const [field, register] of exceptions) if (compareStamps(register, stamp) > 0) newer.set(field, register);
  return newer.size === 0 ? null : newer;
}
