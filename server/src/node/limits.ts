import { assert, DbError, MAX_COLLECTIONS } from '@terndb/core';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const MIB = 1024 * 1024;

/** When the node seals, forgets and gives up. Every bound can be lowered for tests. */
export interface NodeLimits {
  readonly sealRows: number;
  readonly sealBytes: number;
  readonly sealAgeMs: number;
  /** Log that manifests cover is kept this long for subscribers that are behind (design 6). */
  readonly retainLogMs: number;
  /** … but no more entries than this per slot. */
  readonly retainEntries: number;
  /** An object that no manifest names is deleted after this (design 6). */
  readonly objectGraceMs: number;
  readonly tombstoneHorizonMs: number;
  readonly expireIdleMs: number;
  /** Pause between two rounds of housekeeping: seals by age, truncation, collection, expiry. */
  readonly housekeepingMs: number;
  readonly maxTailBytes: number;
  /** Recent frames kept for subscribers, so that a frame is not read and decoded once per subscriber: bytes of memory, about. */
  readonly frameCacheBytes: number;
  /** Keys that a reader of the change feed can be behind; one that is further behind gets everything anew. */
  readonly maxFoldedKeys: number;
  /** Collections of one database; a property of it may say less. */
  readonly maxCollections: number;
  /** Kernel memory above which writes are refused: folding what is in the log must never fail. */
  readonly maxKernelBytes: number;
}

export const DEFAULT_NODE_LIMITS: NodeLimits = {
  /** Enough for a graph of its own; growing rows, which have none, are scanned by every search. */
  sealRows: 16_384,
  sealBytes: 64 * MIB,
  sealAgeMs: DAY_MS,
  retainLogMs: DAY_MS,
  /** About 16 bytes of memory each, and the time to read them at a restart. */
  retainEntries: 1_000_000,
  objectGraceMs: DAY_MS,
  tombstoneHorizonMs: 30 * DAY_MS,
  expireIdleMs: 90 * DAY_MS,
  housekeepingMs: 60_000,
  maxTailBytes: 256 * MIB,
  /** Some 45,000 rows of 64 dimensions, 8,000 of 768, or 35,000 letters that people type. */
  frameCacheBytes: 32 * MIB,
  /** About 200 MB for long keys, while the reader catches up. */
  maxFoldedKeys: 500_000,
  /** As many as there may be in all. */
  maxCollections: MAX_COLLECTIONS,
  /** A wasm32 memory ends at 4 GiB; growing it copies nothing but fails when the rest is fragmented. */
  maxKernelBytes: 3_584 * MIB,
};
assert(DEFAULT_NODE_LIMITS.sealBytes * 2 <= DEFAULT_NODE_LIMITS.maxTailBytes, 'a channel is sealed long before its tail is too long');

/** Slots of a node that is made without saying how many. */
export const DEFAULT_SLOTS = 16;
export const MAX_SLOTS = 1_024;

/** Defaults for what is left out. OPTION_INVALID. */
export function checkNodeLimits(given: Partial<NodeLimits> = {}): NodeLimits {
  const limits = { ...DEFAULT_NODE_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === 'number' && value >= 0 && (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY)) continue;
    throw new DbError('OPTION_INVALID', `limits.${name}: an integer from 0 expected, got ${String(value)}`, {
      details: { option: `limits.${name}`, got: String(value) },
    });
  }
  return limits;
}

/** OPTION_INVALID. */
export function checkSlots(slots: number = DEFAULT_SLOTS): number {
  if (Number.isSafeInteger(slots) && slots >= 1 && slots <= MAX_SLOTS) return slots;
  throw new DbError('OPTION_INVALID', `slots: an integer from 1 to ${MAX_SLOTS} expected, got ${slots}`, {
    details: { option: 'slots', got: String(slots) },
  });
}
