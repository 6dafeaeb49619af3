import { TICKS_PER_MS } from '@terndb/core';
import type { Channel } from '../database/channel.ts';
import type { EngineLimits } from '../database/types.ts';
import { GrowingRows } from '../growing/growing.ts';
import { SealedRows } from '../replica/sealed-rows.ts';

/** Jobs one after the other: seals and compactions of one database never run side by side, so each finds the manifest it expects. */
export class JobQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Starts when the jobs before it are done, however they ended. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job);
    this.#last = result.catch(() => {});
    return result;
  }

  /** When the jobs so far are done. Never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

/** What a channel holds beyond its newest manifest. */
export interface Unsealed {
  /** Slots of growing rows, dead ones included, or records: whichever is more. */
  readonly rows: number;
  readonly bytes: number;
  /** Age of the oldest growing row by its stamp; 0 without rows. */
  readonly ageMs: number;
  /** A segment has expired so far that writing it anew is worth its space: nothing else may ever be written there. */
  readonly isExpired: boolean;
}

/** Dead rows of a segment that is written anew for them alone, where rows expire; so a row is written anew about once more than it is anyway. */
const EXPIRED_SHARE = 0.5;

export function unsealedOf({ replica, published }: Channel, nowMs: number): Unsealed {
  let rows = 0;
  let bytes = 0;
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const { source } of replica.entities.blocks) {
    if (!(source instanceof GrowingRows) || source.rows === 0) continue;
    rows += source.rows;
    bytes += source.bytes;
    oldestMs = Math.min(oldestMs, source.versionAt(0) / TICKS_PER_MS);
  }
  const records = replica.position - (published?.manifest.upTo ?? 0);
  const ageMs = rows === 0 ? 0 : Math.max(0, nowMs - oldestMs);
  return { rows: Math.max(rows, records), bytes, ageMs, isExpired: hasExpired(replica) };
}

function hasExpired({ definition, entities }: Channel['replica']): boolean {
  if (definition.ttlSeconds === undefined) return false;
  return entities.blocks.some(({ source, live }) => source instanceof SealedRows && live.count <= source.rows * (1 - EXPIRED_SHARE));
}

export function isDue({ rows, bytes, ageMs, isExpired }: Unsealed, limits: EngineLimits): boolean {
  return isExpired || rows >= limits.sealRows || bytes >= limits.sealBytes || (rows > 0 && ageMs >= limits.sealAgeMs);
}
