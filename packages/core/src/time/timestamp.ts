/**
 * `Timestamp`: a hybrid logical clock in one safe integer, `ms * 2048 + counter` (Kulkarni et al. 2014, in 53 bits: good until 2109).
 * The counter carries into the milliseconds. Timestamps resolve conflicts; positions order visibility. They are never mixed up.
 */
export type Timestamp = number & { readonly __timestamp: true };

/** Ticks of the counter per millisecond. */
export const TICKS_PER_MS = 2048;

/** A timestamp and the client that made it: what registers compare. Equal timestamps are ordered by client id (code units). */
export interface Stamp {
  readonly hlc: Timestamp;
  readonly clientId: string;
}

/** < 0 when `a` is older, 0 when equal, > 0 when newer. `undefined` is older than everything. */
export function compareStamps(a: Stamp | undefined, b: Stamp | undefined): number {
  if (a === undefined) return b === undefined ? 0 : -1;
  if (b === undefined) return 1;
  if (a.hlc !== b.hlc) return a.hlc - b.hlc;
  return a.clientId < b.clientId ? -1 : a.clientId > b.clientId ? 1 : 0;
}
