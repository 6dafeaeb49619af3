import type { Stamp } from '@terndb/core';

/**
 * What the fold knows of an entity besides its values (design 5). `put` and `delete` are registers that keep the newest stamp; an entity is
 * live iff put > delete. A field register counts only if its stamp is not older than put, so a live row is one stamp plus the exceptions
 * newer than it. Both sides of a state are canonical: a live row keeps no delete stamp (every delete older than its put is shadowed by
 * it for ever), a dead one keeps no field registers. All states are immutable and may be shared.
 */
export interface LiveStamps {
  readonly live: true;
  readonly put: Stamp;
  /** Field name → stamp, newer than `put`; null when there is none. */
  readonly exceptions: Exceptions | null;
}
export interface Tombstone {
  readonly live: false;
  /** Undefined: no put was ever seen (since the floor). */
  readonly put: Stamp | undefined;
  readonly delete: Stamp;
}
/** Undefined: never seen, or forgotten by a `gc`. */
export type EntityStamps = LiveStamps | Tombstone;
export type Exceptions = ReadonlyMap<string, Stamp>;
